/** Which step wrote a line: standard output and error are attributed by the asynchronous context that writes. */
import { AsyncLocalStorage } from "node:async_hooks";
import { StringDecoder } from "node:string_decoder";

export type OutputStream = "stdout" | "stderr";

/** Takes whole lines, without their line ends. */
export type LineSink = (stream: OutputStream, text: string) => void;

type Chunk = Uint8Array | string;

interface Capture {
  write(stream: OutputStream, chunk: Chunk, encoding: BufferEncoding | undefined): void;
}

interface LineSplitter {
  write(chunk: Chunk, encoding: BufferEncoding | undefined): void;
  end(): void;
}

const current = new AsyncLocalStorage<Capture>();

/** Runs a step's function; what it writes, also later and from timers and promises it started, goes to the sink line by line. */
export async function captureOutput<T>(sink: LineSink, work: () => Promise<T>): Promise<T> {
  install();
  const lines = { stdout: createLineSplitter("stdout", sink), stderr: createLineSplitter("stderr", sink) };
  const capture: Capture = { write: (stream, chunk, encoding) => lines[stream].write(chunk, encoding) };
  try {
    return await current.run(capture, work);
  } finally {
    lines.stdout.end();
    lines.stderr.end();
    uninstall();
  }
}

/** Runs what is not a step's though a step called it: a reporter, which writes to the real streams. */
export function outsideSteps<T>(work: () => T): T {
  return current.exit(work);
}

function createLineSplitter(stream: OutputStream, sink: LineSink): LineSplitter {
  const decoder = new StringDecoder("utf8");
  // Pieces of the line that has not ended yet: progress bars write one character at a time.
  let rest: string[] = [];
  const takeRest = (): string => {
    const text = rest.join("");
    rest = [];
    return text;
  };
  return {
    write(chunk, encoding) {
      const text =
        typeof chunk === "string" && isText(encoding)
          ? chunk
          : decoder.write(typeof chunk === "string" ? Buffer.from(chunk, encoding) : Buffer.from(chunk));
      const lines = text.split("\n");
      const last = lines.pop() as string;
      for (const each of lines) {
        const line = takeRest() + each;
        sink(stream, line.endsWith("\r") ? line.slice(0, -1) : line);
      }
      if (last !== "") rest.push(last);
    },
    end() {
      const line = takeRest() + decoder.end();
      if (line !== "") sink(stream, line);
    },
  };
}

function isText(encoding: BufferEncoding | undefined): boolean {
  return encoding === undefined || encoding === "utf8" || encoding === "utf-8";
}

type Write = typeof process.stdout.write;
let captures = 0;
let originals: Record<OutputStream, Write> | undefined;

function install(): void {
  captures += 1;
  if (captures > 1) return;
  originals = { stdout: process.stdout.write, stderr: process.stderr.write };
  process.stdout.write = createWrite("stdout", originals.stdout);
  process.stderr.write = createWrite("stderr", originals.stderr);
}

function uninstall(): void {
  captures -= 1;
  if (captures > 0 || originals === undefined) return;
  process.stdout.write = originals.stdout;
  process.stderr.write = originals.stderr;
  originals = undefined;
}

function createWrite(stream: OutputStream, original: Write): Write {
  const target = process[stream];
  return ((chunk: Uint8Array | string, encodingOrDone?: unknown, done?: unknown): boolean => {
    const capture = current.getStore();
    if (capture === undefined)
      return (original as (...args: unknown[]) => boolean).call(target, chunk, encodingOrDone, done);
    capture.write(stream, chunk, typeof encodingOrDone === "string" ? (encodingOrDone as BufferEncoding) : undefined);
    const callback = typeof encodingOrDone === "function" ? encodingOrDone : done;
    if (typeof callback === "function") queueMicrotask(() => callback());
    return true;
  }) as Write;
}
