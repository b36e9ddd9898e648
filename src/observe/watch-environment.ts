/** Watches the environment: reads of `process.env`, by whatever name it is reached later on. */
import process from "node:process";
import { currentRecording, insideNode } from "./current.ts";
import type { Recording } from "./recording.ts";
import { standIn } from "./stand-in.ts";
import { askedFrames, isCalledByNode, watchSync, type Holder } from "./wrap.ts";

/** Between who asks and the environment stands one function more. */
const standInFrames = askedFrames + 1;

export function watchEnvironment(): void {
  const real = process.env;
  const note = (tell: (recording: Recording) => void): void => {
    const recording = currentRecording();
    if (recording !== undefined) insideNode(() => tell(recording));
  };
  const asking = (name: string | symbol): Recording | undefined => {
    const recording = currentRecording();
    return recording === undefined || typeof name !== "string" || recording.knowsVariable(name) ? undefined : recording;
  };
  const notePresence = (name: string | symbol): void => {
    const recording = asking(name);
    if (recording === undefined || isCalledByNode(standInFrames)) return;
    insideNode(() => recording.variablePresence(name as string, Object.hasOwn(real, name)));
  };
  const noteName = (recording: Recording, name: string | symbol): void => {
    insideNode(() => recording.variable(name as string, real[name as string]));
  };
  // No proxy of the environment itself: who shows it would look through the proxy.
  const stand: NodeJS.ProcessEnv = standIn(
    Object.create(Object.create(Object.getPrototypeOf(real) as object) as object) as NodeJS.ProcessEnv,
    {
      get(_, name) {
        const recording = asking(name);
        // Node looks at some variables itself while it does what it was asked to.
        if (recording !== undefined && !isCalledByNode(standInFrames)) noteName(recording, name);
        return Reflect.get(real, name) as unknown;
      },
      has(_, name) {
        notePresence(name);
        return Reflect.has(real, name);
      },
      getOwnPropertyDescriptor(_, name) {
        const recording = asking(name);
        if (recording !== undefined && !isCalledByNode()) {
          if (takesDescriptor()) noteName(recording, name);
          else notePresence(name);
        }
        return Reflect.getOwnPropertyDescriptor(real, name);
      },
      ownKeys() {
        const recording = currentRecording();
        if (recording !== undefined && !isCalledByNode()) insideNode(() => recording.variables(Object.keys(real)));
        return Reflect.ownKeys(real);
      },
      set(_, name, value) {
        if (typeof name === "string") note((recording) => recording.setVariable(name));
        // On the environment itself: it takes what it is given as a text.
        return Reflect.set(real, name, value);
      },
      defineProperty(_, name, property) {
        if (typeof name === "string") note((recording) => recording.setVariable(name));
        return Reflect.defineProperty(real, name, property);
      },
      deleteProperty(_, name) {
        if (typeof name === "string") note((recording) => recording.setVariable(name));
        return Reflect.deleteProperty(real, name);
      },
      getPrototypeOf: () => Reflect.getPrototypeOf(real),
    },
    () => ({ ...stand }),
  );
  process.env = stand;
  watchSync(process as unknown as Holder, "loadEnvFile", {
    before(recording, [path = ".env"]) {
      const located = recording.locate(path);
      if (located !== undefined) recording.opened(located);
      return new Set(Object.keys(real));
    },
    after(recording, _args, _outcome, known) {
      for (const name of Object.keys(real)) {
        if ((known as ReadonlySet<string>).has(name)) continue;
        // What is set already it leaves as it is.
        if (!recording.knowsVariable(name)) recording.variable(name, undefined);
        recording.setVariable(name);
      }
    },
  });
}

/**
 * Whether it is a value that somebody asks a descriptor for: `Object.keys`, a spread and `Object.hasOwn` ask for
 * descriptors too, and who takes values by them gets each one.
 */
function takesDescriptor(): boolean {
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.prepareStackTrace = (_, frames) => frames;
    Error.stackTraceLimit = 4;
    const frames = new Error("here").stack as unknown as NodeJS.CallSite[];
    return frames.slice(2).some((frame) => /^getOwnPropertyDescriptors?$/u.test(frame.getFunctionName() ?? ""));
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  }
}
