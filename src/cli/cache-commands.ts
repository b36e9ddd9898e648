/** The commands about stored results, as data. */
import type { Arg, Command, Flag } from "./command.ts";
import { dryRunFlag, yesFlag } from "./shared-flags.ts";

/** What they have in common, for help. */
export const cacheFamily = "Stored results: what is there, what it saves, what to keep";

const stepArg = { name: "step", help: "Only of this step" } as const satisfies Arg;
const selectorArg = {
  name: "what",
  required: true,
  many: true,
  help: "Steps, keys by their beginning, step runs, or runs: what they made and reused",
} as const satisfies Arg;
const sinceFlag = {
  type: "string",
  value: "TIME",
  help: "Count runs that started in this time: 7d, 12h",
} as const satisfies Flag;

/** `reprise gc`, which is `reprise cache gc` as well. */
export const gcCommand = {
  summary: "Free space: data that nothing refers to, and old runs and results by rule",
  group: "keep",
  args: [],
  flags: {
    "older-than": { type: "string", value: "TIME", help: "Remove runs older than this: 30d, 12h" },
    keep: { type: "number", value: "N", help: "Keep the newest N runs of each pipeline, remove the others" },
    "keep-results": {
      type: "number",
      value: "N",
      help: "Of each step, keep the N results that were used last; the others are not reused any more",
    },
    "max-size": { type: "string", value: "SIZE", help: "Remove the oldest runs until the store is smaller: 5gb" },
    failed: { type: "boolean", help: "Remove runs that failed or were broken off" },
    "dry-run": dryRunFlag,
    yes: yesFlag,
  },
  examples: [
    "reprise gc -n",
    "reprise gc --older-than 30d --keep 20",
    "reprise gc --max-size 5gb --yes",
    "reprise gc --keep-results 3",
  ],
  details:
    "Tagged runs stay, and so do pinned results, the runs that made them, and runs whose results later runs reuse. Without a rule only data that nothing refers to is removed. Nothing is removed while a run goes on. Sizes are those of the stored bytes; by how much the records shrank is said apart.",
} as const satisfies Command;

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
  "cache rm": {
    summary: "Remove stored results, then the data that nothing refers to any more",
    group: "keep",
    args: [selectorArg],
    flags: { "dry-run": dryRunFlag, yes: yesFlag },
    examples: ["reprise cache rm trainer -n", "reprise cache rm 632e470e", "reprise cache rm last~3 --yes"],
    details: "Runs keep their artifacts: what one names stays. Pinned results stay too.",
  },
  "cache pin": {
    summary: "Keep stored results, their artifacts and bytes, whatever else is removed",
    group: "keep",
    args: [selectorArg],
    flags: {},
    examples: ["reprise cache pin trainer", "reprise cache pin last"],
  },
  "cache unpin": {
    summary: "Let pinned results go again like others",
    group: "keep",
    args: [selectorArg],
    flags: {},
    examples: ["reprise cache unpin trainer"],
  },
  "cache gc": gcCommand,
  "cache export": {
    summary: "Write stored results to one file, for another machine",
    group: "keep",
    args: [{ ...selectorArg, required: false, help: `${selectorArg.help}; all results if nothing is named` }],
    flags: { output: { type: "string", short: "o", value: "FILE", help: "The file to write; nothing is overwritten" } },
    examples: ["reprise cache export -o cache.tar", "reprise cache export trainer last~2 -o trained.tar"],
    details:
      "The file is a tar of records and bytes: the results, their keys with the source text of the code behind them, what their steps read, and the runs that made them, with parameters, logs and metrics. Results that are invalidated, expired or damaged are left out.",
  },
  "cache import": {
    summary: "Take in stored results that another store has written with cache export",
    group: "keep",
    args: [{ name: "file", required: true, file: true, help: "What cache export has written" }],
    flags: {
      "allow-host": {
        type: "string",
        multiple: true,
        value: "HOST",
        help: "Take results that were read from this host, which look-ups ask again: api.example.com, localhost:8080",
      },
      "allow-path": {
        type: "string",
        multiple: true,
        value: "PATH",
        help: "Take results that were read from this file or folder outside of the project",
      },
      "dry-run": dryRunFlag,
    },
    examples: [
      "reprise cache import cache.tar -n",
      "reprise cache import cache.tar",
      "reprise cache import cache.tar --allow-host api.example.com --allow-path /data",
    ],
    details:
      "Before a result is reused, what its step has read is looked at again, and the file says what that is. So results that name files outside of the project, or any URL, stay away until you allow the host or the path. Every byte is verified before anything is taken in. What is here and newer stays, and a second time changes nothing. Nothing of the file is executed; but what its results say is what whoever wrote it says, so import only what you would also run.",
  },
} as const satisfies Readonly<Record<string, Command>>;
