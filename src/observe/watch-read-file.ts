/** Watches `readFile`: the bytes that a step gets are the bytes that are digested. */
import fs from "node:fs";
import type { Stamp } from "../code/stamp.ts";
import { insideNode } from "./current.ts";
import type { Recording } from "./recording.ts";
import { noteStandardInput } from "./watch-standard-input.ts";
import { stampQuietly } from "./stat-text.ts";
import { isModuleLoad, replaceInSteps, toBareError, withoutFrames, type AnyFunction, type Holder } from "./wrap.ts";

interface Question {
  readonly recording: Recording;
  readonly path: string;
  readonly stamp: Stamp | undefined;
  readonly encoding: BufferEncoding | undefined;
  /** The options for raw bytes. */
  readonly options: object;
}

export function watchReadFile(): void {
  const holder = fs as unknown as Holder;
  replaceInSteps(holder, "readFileSync", ({ watched, recording, original, self, args: [path, options] }) => {
    if (isModuleLoad(path)) return insideNode(() => original.call(self, path, options));
    return insideNode(() => {
      const question = ask(recording, path, options);
      if (question === undefined) return original.call(self, path, options);
      try {
        return readNow(original, path, question);
      } catch (error) {
        throw toBareError(error, watched);
      }
    });
  });
  replaceInSteps(holder, "readFile", ({ recording, original, self, args: [path, ...rest] }) => {
    const callback = rest.at(-1);
    const options = rest.length > 1 ? rest[0] : undefined;
    const question = typeof callback === "function" ? insideNode(() => ask(recording, path, options)) : undefined;
    if (question === undefined) return original.call(self, path, ...rest);
    const done = (error: unknown, bytes: unknown): void => {
      let answer: unknown;
      let problem: unknown = error ?? null;
      try {
        answer = insideNode(() => answerWith(question, problem, bytes));
      } catch (thrown) {
        problem = thrown;
      }
      if (problem === null) (callback as AnyFunction).call(undefined, null, answer);
      else (callback as AnyFunction).call(undefined, problem);
    };
    return original.call(self, path, question.options, done);
  });
}

export function watchReadFilePromise(promises: Holder): void {
  replaceInSteps(promises, "readFile", async ({ recording, original, self, args: [path, options] }) => {
    const question = insideNode(() => ask(recording, path, options));
    if (question === undefined) return await original.call(self, path, options);
    let bytes: unknown;
    try {
      bytes = await original.call(self, path, question.options);
    } catch (error) {
      insideNode(() => answerWith(question, error, undefined));
      throw withoutFrames(error, import.meta.url);
    }
    return insideNode(() => answerWith(question, null, bytes));
  });
}

/** Undefined where there is nothing to note, or where Node itself is to complain. */
function ask(recording: Recording, given: unknown, options: unknown): Question | undefined {
  const all = (typeof options === "string" ? { encoding: options } : (options ?? {})) as {
    readonly encoding?: unknown;
    readonly flag?: unknown;
  };
  const { encoding, flag } = all;
  if (!onlyReads(flag)) {
    // It may make or empty the file first: who does so reads what it wrote.
    const path = recording.locate(given);
    if (path !== undefined) recording.blind.add(`reads ${recording.nameOf(path)} with the flag ${String(flag)}`);
    return undefined;
  }
  noteStandardInput(recording, given);
  const isText = encoding !== undefined && encoding !== null && encoding !== "buffer";
  if (isText && !Buffer.isEncoding(encoding as string)) return undefined;
  const path = recording.locate(given);
  if (path === undefined) return undefined;
  return {
    recording,
    path,
    stamp: stampQuietly(path),
    encoding: isText ? (encoding as BufferEncoding) : undefined,
    options: { ...all, encoding: null },
  };
}

/** Whether a flag opens a file that is there, and leaves it as it is. */
function onlyReads(flag: unknown): boolean {
  if (flag === undefined || flag === null) return true;
  const { O_CREAT, O_TRUNC, O_WRONLY } = fs.constants;
  return typeof flag === "number"
    ? (flag & (O_CREAT | O_TRUNC | O_WRONLY)) === 0
    : ["r", "rs", "sr", "r+", "rs+", "sr+"].includes(flag as string);
}

function readNow(original: AnyFunction, given: unknown, question: Question): unknown {
  const { recording, path, stamp, encoding } = question;
  try {
    if (encoding === "utf8" || encoding === "utf-8") {
      const text = original.call(fs, given, { ...question.options, encoding }) as string;
      // Text without replacement characters has the digest of its bytes.
      if (!text.includes("\uFFFD")) {
        recording.read(path, text, stamp);
        return text;
      }
    }
    return answerWith(question, null, original.call(fs, given, question.options));
  } catch (error) {
    recording.failed(path, error, stamp);
    throw error;
  }
}

function answerWith({ recording, path, stamp, encoding }: Question, error: unknown, bytes: unknown): unknown {
  if (error !== null) {
    recording.failed(path, error, stamp);
    return undefined;
  }
  recording.read(path, bytes as Buffer, stamp);
  return encoding === undefined ? bytes : (bytes as Buffer).toString(encoding);
}
