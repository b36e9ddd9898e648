/** Flags of several commands. */
import type { Flag } from "./command.ts";

export const dryRunFlag = {
  type: "boolean",
  short: "n",
  help: "Show what would happen and change nothing",
} as const satisfies Flag;

export const yesFlag = { type: "boolean", help: "Do not ask" } as const satisfies Flag;
