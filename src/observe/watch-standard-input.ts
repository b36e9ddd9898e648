/** Watches standard input, which can be read once: what came by it nobody can look at again. */
import fs from "node:fs";
import process from "node:process";
import { currentRecording } from "./current.ts";
import type { Recording } from "./recording.ts";
import { replace, type Holder } from "./wrap.ts";

const paths: ReadonlySet<unknown> = new Set([0, "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"]);

/** Notes it if what is about to be read is standard input, by whatever name. */
export function noteStandardInput(recording: Recording, given: unknown): void {
  if (paths.has(given)) recording.blind.add("reads standard input");
}

export function watchStandardInput(): void {
  for (const name of ["read", "readSync", "readv", "readvSync"]) {
    replace(
      fs as unknown as Holder,
      name,
      (original) =>
        function (this: unknown, ...args) {
          // Asked first: what is read from other files was noted when they were opened.
          const recording = args[0] === 0 ? currentRecording() : undefined;
          if (recording !== undefined) noteStandardInput(recording, 0);
          return original.apply(this, args);
        },
    );
  }
  const own = Object.getOwnPropertyDescriptor(process, "stdin");
  const { get } = own ?? {};
  if (own?.configurable !== true || get === undefined) return;
  // To make the stream takes time, and whether it is a terminal is asked by many who read nothing of it.
  let known: object | undefined;
  Object.defineProperty(process, "stdin", {
    ...own,
    get() {
      const stream = get.call(process) as object;
      if (stream !== known) watchStream(stream as Holder);
      known = stream;
      return stream;
    },
  });
}

/** All that is read of a stream is asked for by one of these: a pipe, an iteration and lines of it listen to it. */
function watchStream(stream: Holder): void {
  const listening = new Set<unknown>(["data", "readable"]);
  const watch = (name: string, isReading: (first: unknown) => boolean): void =>
    replace(
      stream,
      name,
      (original) =>
        function (this: unknown, ...args) {
          const recording = isReading(args[0]) ? currentRecording() : undefined;
          if (recording !== undefined) noteStandardInput(recording, 0);
          return original.apply(this, args);
        },
    );
  for (const name of ["on", "addListener", "once", "prependListener"]) watch(name, (event) => listening.has(event));
  for (const name of ["read", "resume", "pipe"]) watch(name, () => true);
}
