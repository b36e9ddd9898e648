/** Standard output for a command, which in most cases does without the stream that Node has for it. */
import { fstatSync, writeSync } from "node:fs";
import process from "node:process";
import { ignoreClosedPipe, type Output } from "./terminal.ts";

type Stream = typeof process.stdout;

const standardOutput = 1;

/** Whether somebody may have asked for the stream: what is written by way of it must not be overtaken. */
let isAsked = true;
let whenAsked: ((stream: Stream) => void) | undefined;

/**
 * Opening `process.stdout` takes milliseconds. To a pipe, a socket or a file, bytes are written as Node writes them there: at
 * once. All else, such as a terminal, gets the stream, and so does a pipe that is full or closed, and whatever follows once
 * somebody has asked for the stream.
 */
export function openStandardOutput(): Output {
  if (isPlain() && !isPreloading()) noticeAsking();
  if (isAsked) return ignoreClosedPipe(process.stdout);
  return {
    write(chunk) {
      const rest = isAsked ? chunk : writeAll(typeof chunk === "string" ? Buffer.from(chunk) : chunk);
      return rest.length === 0 || ignoreClosedPipe(process.stdout).write(rest);
    },
  };
}

/** Has what is written to standard output meanwhile go to standard error. */
export async function withoutStandardOutput<T>(work: () => Promise<T>): Promise<T> {
  let restore: (() => void) | undefined;
  const divert = (stream: Stream): void => {
    const { write } = stream;
    stream.write = ((...given: Parameters<typeof write>) => process.stderr.write(...given)) as typeof write;
    restore = () => (stream.write = write);
  };
  if (isAsked) divert(process.stdout);
  else whenAsked = divert;
  try {
    return await work();
  } finally {
    whenAsked = undefined;
    restore?.();
  }
}

/** Whether it is a pipe, a socket or a file. On Windows, Node knows better how to write to them. */
function isPlain(): boolean {
  if (process.platform === "win32") return false;
  try {
    const stats = fstatSync(standardOutput);
    return stats.isFIFO() || stats.isSocket() || stats.isFile();
  } catch {
    return false;
  }
}

/** Whether Node was given options: one may have loaded modules, which may have asked for the stream already. */
function isPreloading(): boolean {
  return process.execArgv.length > 0 || (process.env["NODE_OPTIONS"] ?? "") !== "";
}

function noticeAsking(): void {
  const own = Object.getOwnPropertyDescriptor(process, "stdout");
  if (own?.get === undefined || own.configurable !== true) return;
  isAsked = false;
  Object.defineProperty(process, "stdout", {
    ...own,
    get() {
      isAsked = true;
      Object.defineProperty(process, "stdout", own);
      whenAsked?.(process.stdout);
      return process.stdout;
    },
  });
}

/** Answers with what could not be written. */
function writeAll(bytes: Uint8Array): Uint8Array {
  let rest = bytes;
  try {
    while (rest.length > 0) rest = rest.subarray(writeSync(standardOutput, rest));
  } catch {
    // Full, closed, or something else: the stream finds the same, and has a way of telling.
  }
  return rest;
}
