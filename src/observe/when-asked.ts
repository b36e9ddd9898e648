/** Watches those modules of Node that few programs need when somebody asks for them: to load them takes milliseconds. */
import { registerHooks, syncBuiltinESMExports } from "node:module";

const waiting = new Map<string, () => void>();

/** Has `watch` called before anybody gets the module, or by {@link watchAsked} at the latest. */
export function watchWhenAsked(name: string, watch: () => void): void {
  // All that a module imports is loaded before any of it runs: who comes after this one may take something already.
  if (isLoaded(name)) return watch();
  if (waiting.size === 0) noticeQuestions();
  waiting.set(name, watch);
}

function isLoaded(name: string): boolean {
  const { moduleLoadList } = process as unknown as { readonly moduleLoadList?: readonly string[] };
  return moduleLoadList?.includes(`NativeModule ${name}`) ?? true;
}

/** Watches a module that somebody asks for, or all that nobody has asked for so far: a step is about to run. */
export function watchAsked(names: Iterable<string> = [...waiting.keys()]): void {
  for (const name of names) {
    const watch = waiting.get(name);
    if (watch === undefined) continue;
    // First, as the watcher asks for the module as well.
    waiting.delete(name);
    watch();
    syncBuiltinESMExports();
  }
}

/** By `import`, by `require`, or by a call. */
function noticeQuestions(): void {
  const notice = (specifier: unknown): void => {
    if (typeof specifier === "string") watchAsked([specifier.replace(/^node:/u, "")]);
  };
  registerHooks({
    resolve(specifier, context, nextResolve) {
      notice(specifier);
      return nextResolve(specifier, context);
    },
  });
  const { getBuiltinModule } = process;
  process.getBuiltinModule = ((name: string) => {
    notice(name);
    return getBuiltinModule(name);
  }) as typeof getBuiltinModule;
}
