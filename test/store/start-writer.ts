import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Round } from "./round.ts";

export interface Writer {
  readonly child: ChildProcess;
  readonly rounds: Round[];
  /** Settles when the process has ended: with what it wrote to stderr. */
  readonly ended: Promise<{ readonly code: number | null; readonly errors: string }>;
}

/** Starts a writer that waits for `go`. */
export async function startWriter(
  folder: string,
  name: string,
  rounds: number,
  onRound: (rounds: number) => void = () => {},
): Promise<Writer> {
  const child = fork(join(import.meta.dirname, "writer.ts"), [folder, name, String(rounds)], { silent: true });
  const written: Round[] = [];
  let errors = "";
  child.stderr?.on("data", (text) => (errors += text));
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, errors }));
  const ready = Promise.race([once(child, "message"), ended]);
  child.on("message", (message) => {
    if (message === "ready") return;
    written.push(message as Round);
    onRound(written.length);
  });
  await ready;
  return { child, rounds: written, ended };
}

export function go(writer: Writer): void {
  writer.child.send("go");
}
