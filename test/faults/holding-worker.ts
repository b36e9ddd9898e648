/** A thread that executes the step of `filling.ts` and does not come to its end. */
import { writeSync } from "node:fs";
import process from "node:process";
import { parentPort } from "node:worker_threads";
import { openStack } from "../../src/stack/stack.ts";
import { filling, play } from "./filling.ts";

filling.execute = async () => {
  // Listening keeps the thread going.
  parentPort?.on("message", () => {});
  // What a step writes to the console is the run's.
  writeSync(1, "held\n");
  await new Promise(() => {});
};
await play(await openStack({ cwd: process.argv[2] as string }));
