/** Watches the environment: reads of `process.env`, by whatever name it is reached later on. */
import process from "node:process";
import { currentRecording, insideNode } from "./current.ts";
import type { Recording } from "./recording.ts";
import { isCalledByNode, watchCall, type Holder } from "./wrap.ts";

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
  const noteName = (recording: Recording, name: string | symbol): void => {
    insideNode(() => recording.variable(name as string, real[name as string]));
  };
  process.env = new Proxy(real, {
    get(target, name) {
      const recording = asking(name);
      // Node looks at some variables itself while it does what it was asked to.
      if (recording !== undefined && !isCalledByNode()) noteName(recording, name);
      return Reflect.get(target, name) as unknown;
    },
    has(target, name) {
      const recording = asking(name);
      // Node looks at some variables itself while it does what it was asked to.
      if (recording !== undefined && !isCalledByNode()) noteName(recording, name);
      return Reflect.has(target, name);
    },
    getOwnPropertyDescriptor(target, name) {
      const recording = asking(name);
      // Node looks at some variables itself while it does what it was asked to.
      if (recording !== undefined && !isCalledByNode()) noteName(recording, name);
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
    ownKeys(target) {
      const recording = currentRecording();
      if (recording !== undefined && !isCalledByNode()) insideNode(() => recording.variables(Object.keys(target)));
      return Reflect.ownKeys(target);
    },
    set(target, name, value) {
      if (typeof name === "string") note((recording) => recording.setVariable(name));
      // On the environment itself: it takes what it is given as a text.
      return Reflect.set(target, name, value);
    },
    deleteProperty(target, name) {
      if (typeof name === "string") note((recording) => recording.setVariable(name));
      return Reflect.deleteProperty(target, name);
    },
  });
  watchCall(process as unknown as Holder, "loadEnvFile", (recording, [path = ".env"]) => {
    const located = recording.locate(path);
    if (located !== undefined) recording.opened(located);
  });
}
