/** Puts a watcher around a function of Node, in the three forms in which `fs` has most of them. */
import { AsyncResource } from "node:async_hooks";
import util from "node:util";
import { outsideStep } from "../define/step-scope.ts";
import type { Notice } from "../record/trace.ts";
import { backInStep, currentRecording, insideNode } from "./current.ts";
import type { Recording } from "./recording.ts";

export interface Outcome {
  /** Undefined when it went well. */
  readonly error?: unknown;
  readonly value?: unknown;
}

/** Looks on while a function is called. What it does itself is not observed. */
export interface Watcher {
  /** Whether Node does it by its own functions, one after another, that are watched as well. */
  readonly isComposed?: true;
  before?(recording: Recording, args: readonly unknown[]): unknown;
  /** Answers with what the caller gets instead of the value, or with undefined. */
  after(recording: Recording, args: readonly unknown[], outcome: Outcome, begun: unknown): unknown;
}

export type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
export type Holder = Record<string, AnyFunction>;

/** Replaces a member by what `make` makes of it, with the same name, length and properties. Does nothing where it is missing. */
export function replace(holder: Holder, name: string, make: (original: AnyFunction) => AnyFunction): void {
  const original = holder[name];
  if (typeof original !== "function") return;
  const replacement = make(original);
  for (const key of Reflect.ownKeys(original)) {
    if (key === "prototype") continue;
    Object.defineProperty(replacement, key, Object.getOwnPropertyDescriptor(original, key) as PropertyDescriptor);
  }
  const own = Object.getOwnPropertyDescriptor(holder, name);
  if (own === undefined || own.writable === true) holder[name] = replacement;
  // Some have a getter only.
  else if (own.configurable === true) {
    Object.defineProperty(holder, name, {
      value: replacement,
      configurable: true,
      enumerable: own.enumerable === true,
    });
  }
}

/** A call of a watched function by a step. */
export interface Call {
  /** What the step called. */
  readonly watched: AnyFunction;
  readonly recording: Recording;
  readonly original: AnyFunction;
  readonly self: unknown;
  readonly args: unknown[];
}

/** Has calls that steps make handled, and lets all others pass. */
export function replaceInSteps(holder: Holder, name: string, handle: (call: Call) => unknown): void {
  replace(holder, name, (original) => {
    const watched = function (this: unknown, ...args: unknown[]): unknown {
      const recording = currentRecording();
      if (recording === undefined) return original.apply(this, args);
      return handle({ watched, recording, original, self: this, args });
    };
    return watched;
  });
}

/** Has the stack of an error of the system begin where the step called, as it does where nobody looks on. */
export function toBareError(error: unknown, watched: AnyFunction): unknown {
  const isSystem = error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string";
  if (isSystem) Error.captureStackTrace(error, watched);
  return error;
}

/** The same of an error that a promise was rejected with: Node tells who waits for it, of which `file` is one. */
export function withoutFrames(error: unknown, file: string): unknown {
  const isSystem = error instanceof Error && typeof (error as NodeJS.ErrnoException).syscall === "string";
  if (!isSystem || error.stack?.includes(file) !== true) return error;
  const lines = error.stack.split("\n").filter((line) => !line.includes(file));
  error.stack = lines.join("\n");
  return error;
}

export function watchSync(holder: Holder, name: string, watcher: Watcher): void {
  replaceInSteps(holder, name, ({ watched, recording, original, self, args }) => {
    if (isModuleLoad(args[0])) return insideNode(() => original.apply(self, args));
    let value: unknown;
    let failed = true;
    let error: unknown;
    return insideNode(() => {
      const begun = watcher.before?.(recording, args);
      try {
        value = original.apply(self, watcher.isComposed === true ? callingBack(recording, args) : args);
        failed = false;
      } catch (thrown) {
        error = thrown;
      }
      const instead = watcher.after(recording, args, failed ? { error } : { value }, begun);
      // What a function of the user's threw says best itself where that was.
      if (failed) throw watcher.isComposed === true ? error : toBareError(error, watched);
      return instead === undefined ? value : instead;
    });
  });
}

/** For functions that take a callback last. */
export function watchCallback(holder: Holder, name: string, watcher: Watcher): void {
  replaceInSteps(holder, name, ({ recording, original, self, args }) => {
    const callback = args.at(-1);
    if (typeof callback !== "function") return original.apply(self, args);
    const begun = insideNode(() => watcher.before?.(recording, args));
    const done = (error: unknown, value: unknown, ...rest: unknown[]): void => {
      const isError = error !== null && error !== undefined;
      const instead = insideNode(() => watcher.after(recording, args, isError ? { error } : { value }, begun));
      (callback as AnyFunction).call(undefined, error, ...(instead === undefined ? [value] : [instead]), ...rest);
    };
    if (watcher.isComposed !== true) return insideNode(() => original.apply(self, [...args.slice(0, -1), done]));
    const given = callingBack(recording, args.slice(0, -1));
    const bound = AsyncResource.bind(done);
    return runNode(() => original.apply(self, [...given, bound]));
  });
}

export function watchPromise(holder: Holder, name: string, watcher: Watcher): void {
  replaceInSteps(holder, name, async ({ recording, original, self, args }) => {
    const begun = insideNode(() => watcher.before?.(recording, args));
    let value: unknown;
    try {
      value = await (watcher.isComposed === true
        ? runNode(() => original.apply(self, callingBack(recording, args)))
        : insideNode(() => original.apply(self, args)));
    } catch (error) {
      insideNode(() => watcher.after(recording, args, { error }, begun));
      throw withoutFrames(error, import.meta.url);
    }
    const instead = insideNode(() => watcher.after(recording, args, { value }, begun));
    return instead === undefined ? value : instead;
  });
}

/** As {@link insideNode}, for what goes on later: Node does much by calling its own functions one after another. */
export function runNode<T>(work: () => T): T {
  return insideNode(() => outsideStep(work));
}

/** Arguments whose options, such as a filter, are functions of the user's: what those read is the step's. */
export function callingBack(recording: Recording, args: readonly unknown[]): unknown[] {
  return args.map((arg) => {
    if (typeof arg !== "object" || arg === null || Object.getPrototypeOf(arg) !== Object.prototype) return arg;
    const functions = Object.entries(arg).filter(([, value]) => typeof value === "function");
    if (functions.length === 0) return arg;
    const wrapped = functions.map(([name, value]) => [
      name,
      function (this: unknown, ...given: unknown[]) {
        return backInStep(recording, () => (value as AnyFunction).apply(this, given));
      },
    ]);
    return { ...arg, ...Object.fromEntries(wrapped) };
  });
}

export type Tell = (recording: Recording, args: readonly unknown[]) => void;

/** Tells somebody who looks on when a function is called in a step; the call goes on as it is. */
export function watchCall(holder: Holder, name: string, tell: Tell): void {
  replaceInSteps(holder, name, ({ recording, original, self, args }) =>
    insideNode(() => {
      tell(recording, args);
      return original.apply(self, args);
    }),
  );
}

/** As {@link watchCall}, once a step, and only for calls that do not come from Node's own modules. */
export function watchSense(holder: Holder, name: string, { kind, text }: Pick<Notice, "kind" | "text">): void {
  replaceInSteps(holder, name, ({ recording, original, self, args }) => {
    if (!recording.hasNotice(kind) && !isCalledByNode(handledFrames)) {
      insideNode(() => recording.notice(kind, text));
    }
    return original.apply(self, args);
  });
}

/** As {@link watchCall}, for `new`. `prepare`: what is handed on instead of the arguments, by whomever. */
export function watchNew(
  holder: Record<string, unknown>,
  name: string,
  tell: Tell,
  prepare: (args: unknown[]) => unknown[],
): void {
  const original = holder[name];
  if (typeof original !== "function") return;
  holder[name] = new Proxy(original as new () => object, {
    construct(target, args: unknown[], newTarget) {
      const recording = currentRecording();
      if (recording !== undefined) insideNode(() => tell(recording, args));
      return Reflect.construct(target, prepare(args), newTarget) as object;
    },
  });
}

const moduleFile = /\.(?:[cm]?[jt]sx?|json|node|wasm)$/u;
const loader = /^node:internal\/modules\/|[\\/]node_modules[\\/]tsx[\\/]/u;
/** Whether it is Node's loader that reads a file: modules are code, which the key knows. For handlers of {@link replaceInSteps}. */
export function isModuleLoad(path: unknown): boolean {
  const text = typeof path === "string" ? path : path instanceof URL ? path.pathname : "";
  return moduleFile.test(text) && loader.test(callerScript(handledFrames));
}

/** Whether one of Node's own modules calls the function that asks, or with `handledFrames` the one that it handles. */
export function isCalledByNode(frames = askedFrames): boolean {
  return callerScript(frames).startsWith("node:");
}

/** `callerScript`, the function that calls it, the one that asks, and who called that. */
export const askedFrames = 4;
/** The same with a handler, which is called by what stands in for the watched function. */
export const handledFrames = askedFrames + 1;

function callerScript(frames: number): string {
  return util.getCallSites(frames, { sourceMap: false })[frames - 1]?.scriptName ?? "";
}
