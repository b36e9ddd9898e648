/** Watches those modules of Node that few programs need when somebody asks for them: to load them takes milliseconds. */
import { registerHooks, syncBuiltinESMExports } from "node:module";

interface Waiting {
  readonly watch: () => void;
  readonly latest: "step" | "never";
}

const waiting = new Map<string, Waiting>();

/**
 * Has `watch` called before anybody gets the module. `latest`: `step` where Node's own modules may use it for the user, who
 * asks for another; `never` where nobody gets by it who has not asked.
 */
export function watchWhenAsked(name: string, watch: () => void, latest: Waiting["latest"] = "step"): void {
  // All that a module imports is loaded before any of it runs: who comes after this one may take something already.
  if (isLoaded(name)) return watch();
  if (waiting.size === 0) noticeQuestions();
  waiting.set(name, { watch, latest });
}

function isLoaded(name: string): boolean {
  const { moduleLoadList } = process as unknown as { readonly moduleLoadList?: readonly string[] };
  return moduleLoadList?.includes(`NativeModule ${name}`) ?? true;
}

/** Watches a module that somebody asks for, or what can wait no longer: a step is about to run. */
export function watchAsked(names?: Iterable<string>): void {
  for (const name of names ?? [...waiting.keys()]) {
    const known = waiting.get(name);
    if (known === undefined || (names === undefined && known.latest === "never")) continue;
    // First, as the watcher asks for the module as well.
    waiting.delete(name);
    known.watch();
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
