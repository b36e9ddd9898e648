/** The commands about stored results, as data. */
import type { Arg, Command, Flag } from "./command.ts";

/** What they have in common, for help. */
export const cacheFamily = "Stored results: what is there, what it saves, and why steps miss it";

const stepArg = { name: "step", help: "Only of this step" } as const satisfies Arg;
const sinceFlag = {
  type: "string",
  value: "TIME",
  help: "Count runs that started in this time: 7d, 12h",
} as const satisfies Flag;

export const cacheCommands = {
  "cache ls": {
    summary: "List stored results, newest first",
    group: "look",
    args: [stepArg],
    flags: {
      pinned: { type: "boolean", help: "Only those that are pinned" },
      invalid: { type: "boolean", help: "Only those that are not reused: invalidated, or older than their expires" },
      "older-than": { type: "string", value: "TIME", help: "Only those made longer ago than this: 30d, 12h" },
      sort: {
        type: "string",
        value: "BY",
        choices: ["age", "size", "saves", "hits", "used"],
        default: "age",
        help: "Newest, largest, longest to compute, most reused or last used first",
      },
      limit: { type: "number", value: "N", default: 50, help: "How many" },
    },
    examples: [
      "reprise cache ls",
      "reprise cache ls trainer --sort size",
      "reprise cache ls --older-than 30d --invalid",
    ],
    details:
      "A result stands under a key and, where its step read the world, under what it read then. The size is that of its outputs; results share equal bytes.",
  },
  "cache stats": {
    summary: "What stored results take, how often they are reused, what that saved, and why steps missed them",
    group: "look",
    args: [],
    flags: {
      since: sinceFlag,
      runs: { type: "number", value: "N", help: "Count only the last N runs" },
    },
    examples: ["reprise cache stats", "reprise cache stats --since 7d", "reprise cache stats --runs 20"],
    details:
      "Of steps that were asked: steps that a run did not select, or that somebody forced or ran without the cache, count neither as hit nor as miss.",
  },
  "cache why": {
    summary: "What the stored results of a step stand for, and whether each would be reused now",
    group: "look",
    args: [{ name: "step", required: true, help: "A step, or a stored result by the beginning of its key" }],
    flags: { limit: { type: "number", value: "N", default: 10, help: "How many, newest first" } },
    examples: ["reprise cache why trainer"],
    details:
      "Looks at what can be told without the pipeline: age, invalidation, runtime, the stored bytes, and what its step read of the world. Whether code and parameters are still those of the key says reprise plan.",
  },
} as const satisfies Readonly<Record<string, Command>>;
