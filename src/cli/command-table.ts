/** Every command and flag, as data. */
import { cacheCommands, cacheFamily, gcCommand } from "./cache-commands.ts";
import type { Arg, Command, Flag } from "./command.ts";
import { dryRunFlag, yesFlag } from "./shared-flags.ts";

export const globalFlags = {
  cwd: { type: "string", value: "DIR", help: "Work in this folder" },
  config: { type: "string", value: "FILE", help: "Configuration file instead of reprise.config.ts" },
  store: { type: "string", value: "DIR", help: "Where runs and results are kept, instead of .reprise" },
  stack: { type: "string", value: "NAME", help: "Stack to use, from the configuration" },
  json: { type: "boolean", help: "Print JSON: { ok, data } or { ok, error }" },
  quiet: { type: "boolean", short: "q", help: "Print results only" },
  verbose: { type: "boolean", short: "v", help: "Print reasons and stacks everywhere" },
  "no-color": { type: "boolean", help: "No colours" },
  version: { type: "boolean", help: "Print the version" },
  help: { type: "boolean", short: "h", help: "Print help" },
} as const satisfies Readonly<Record<string, Flag>>;

const pipelineArg = {
  name: "pipeline",
  help: "A file, or a pipeline's name; not needed when there is only one",
  file: true,
} as const satisfies Arg;

const paramFlag = {
  type: "string",
  short: "p",
  multiple: true,
  value: "K=V",
  help: "Set a parameter; --K V does the same",
} as const satisfies Flag;

/** Where the values of parameters come from. */
const paramFlags = {
  param: paramFlag,
  "param-env": {
    type: "string",
    multiple: true,
    value: "K=VAR",
    help: "Set a parameter to what a variable of the environment holds",
  },
  "param-file": {
    type: "string",
    multiple: true,
    value: "K=FILE",
    help: "Set a parameter to what a file holds; - is standard input",
  },
} as const satisfies Readonly<Record<string, Flag>>;

/** What decides which steps run: the same for `run` and `plan`. */
const choiceFlags = {
  ...paramFlags,
  cache: {
    type: "string",
    value: "MODE",
    choices: ["use", "refresh", "off", "require"],
    help: "use: reuse what fits; refresh: run all and record; off: run all, record nothing reusable; require: a miss is an error",
  },
  "no-cache": { type: "boolean", help: "Run every step anew and record the results: --cache refresh" },
  force: { type: "string", multiple: true, value: "STEP", help: "Run this step whatever is stored" },
  only: { type: "string", multiple: true, value: "STEP", help: "Run this step alone; what it needs is reused" },
  from: { type: "string", value: "STEP", help: "Run this step and all that depends on it" },
  until: { type: "string", value: "STEP", help: "Run this step and all that it needs" },
  require: {
    type: "string",
    choices: ["proved"],
    help: "Reuse a result only if all that its step can reach is known",
  },
} as const satisfies Readonly<Record<string, Flag>>;

const graphFormats = ["tree", "mermaid", "dot", "json"] as const;

export const commands = {
  run: {
    summary: "Run a pipeline; what has not changed is reused",
    group: "run",
    args: [pipelineArg],
    takesParams: true,
    flags: {
      ...choiceFlags,
      name: { type: "string", value: "NAME", help: "Name of the run" },
      tag: { type: "string", multiple: true, value: "K[=V]", help: "Tag the run" },
      jobs: { type: "number", short: "j", value: "N", help: "Steps that run at once" },
      "keep-going": { type: "boolean", help: "After a failure, run what does not depend on it (the default)" },
      bail: { type: "boolean", help: "After a failure, stop everything" },
      reporter: {
        type: "string",
        value: "KIND",
        choices: ["auto", "pretty", "plain", "json", "github"],
        default: "auto",
        help: "How the run is shown",
      },
      "dry-run": dryRunFlag,
    },
    examples: [
      "reprise run first-pipeline.ts --gamma 0.02 --trainer decision_tree",
      "reprise run first_pipeline -p gamma=0.02 --no-cache",
      "reprise run ask.ts --param-env apiKey=OPENAI_API_KEY",
      "reprise run -n",
    ],
    details: "Parameters of the pipeline are flags of this command: put them behind the file.",
  },
  plan: {
    summary: "Show what would run and why; run nothing",
    group: "run",
    args: [pipelineArg],
    takesParams: true,
    flags: choiceFlags,
    examples: ["reprise plan", "reprise plan first-pipeline.ts --gamma 0.02"],
  },
  status: {
    summary: "Which pipelines are fresh, which are stale; runs nothing",
    group: "run",
    args: [pipelineArg],
    flags: { "exit-code": { type: "boolean", help: "Exit with 3 if anything is stale" } },
    examples: ["reprise status", "reprise status --exit-code"],
    details: "Each pipeline is compared with its parameters of last time.",
  },
  verify: {
    summary: "Run cached steps once more, and compare what they give with what is stored",
    group: "run",
    args: [
      { name: "what", help: "A run, or a step of the last run; the last run if nothing is named" },
      { name: "step", help: "A step of the run" },
    ],
    flags: {
      only: { type: "string", multiple: true, value: "STEP", help: "Only this step" },
      ...paramFlags,
      jobs: { type: "number", short: "j", value: "N", help: "Steps that run at once" },
    },
    examples: [
      "reprise verify",
      "reprise verify train",
      "reprise verify last~1 --only train --only embed",
      "reprise verify last --param-env apiKey=OPENAI_API_KEY",
    ],
    details:
      "This executes the steps, with all that they do outside: what they write and send, they write and send again. Their outputs go to a temporary folder; nothing of the store changes but the finding, which why, show, cache ls and cache stats tell. Steps whose cache is off are not executed, nor are those whose code or inputs have changed since. Parameters that were not kept, as secrets are not, are to be given again. Exits with 4 if a step gave other outputs than those that are stored.",
  },
  why: {
    summary: "Why a step ran, or was reused",
    group: "look",
    args: [{ name: "step", required: true, help: "A step of the run" }],
    flags: {
      run: { type: "string", value: "RUN", default: "last", help: "The run to explain" },
      against: { type: "string", value: "RUN", help: "Compare with this run instead of the closest earlier one" },
    },
    examples: ["reprise why embed", "reprise why embed --run last~2 --against last~5"],
  },
  runs: {
    summary: "List runs, newest first",
    group: "look",
    args: [
      { name: "query", many: true, help: "status:failed pipeline:rag tag:baseline since:7d params.k:5 metrics.f1>0.8" },
    ],
    flags: {
      limit: { type: "number", value: "N", default: 20, help: "How many" },
      pipeline: { type: "string", value: "NAME", help: "Of this pipeline" },
      status: {
        type: "string",
        value: "STATUS",
        choices: ["running", "completed", "failed", "cancelled", "interrupted"],
        help: "With this status",
      },
      tag: { type: "string", value: "K[=V]", help: "With this tag" },
    },
    examples: ["reprise runs", "reprise runs status:failed since:7d", "reprise runs 'metrics.test_accuracy>0.9'"],
  },
  show: {
    summary: "Details of a run, a step or an artifact; the last run if nothing is named",
    group: "look",
    args: [
      { name: "what", help: "A run, an artifact (model, model@v3), or a step of the last run" },
      { name: "step", help: "A step of the run" },
    ],
    flags: {},
    examples: ["reprise show", "reprise show last~1", "reprise show last trainer", "reprise show model@v3"],
  },
  logs: {
    summary: "What steps wrote; reused steps show what they wrote when they ran",
    group: "look",
    args: [
      { name: "run", help: "A run; the last one if it is not named" },
      { name: "step", help: "A step of the run" },
    ],
    flags: {},
    examples: ["reprise logs", "reprise logs last:failed", "reprise logs last trainer"],
  },
  diff: {
    summary: "Compare two versions, runs or artifacts; the last two runs if nothing is named",
    group: "look",
    args: [
      { name: "a", help: "v1, a run, or an artifact" },
      { name: "b", help: "v2, a run, or an artifact; the last run if only one is named" },
    ],
    flags: {
      pipeline: { type: "string", value: "NAME", help: "The pipeline that versions belong to" },
      all: { type: "boolean", help: "Equal values too" },
    },
    examples: ["reprise diff", "reprise diff v1 v2", "reprise diff last~3 last", "reprise diff model@v1 model@v2"],
  },
  pipelines: {
    summary: "List pipelines",
    group: "look",
    args: [],
    flags: {},
    examples: ["reprise pipelines"],
  },
  versions: {
    summary: "List the versions of a pipeline",
    group: "look",
    args: [{ name: "pipeline", help: "Its name; not needed when there is only one" }],
    flags: {},
    examples: ["reprise versions first_pipeline"],
  },
  artifacts: {
    summary: "List artifacts, or the versions of one",
    group: "look",
    args: [{ name: "name", help: "An artifact's name; the end of it is enough" }],
    flags: { limit: { type: "number", value: "N", default: 50, help: "How many" } },
    examples: ["reprise artifacts", "reprise artifacts model"],
  },
  get: {
    summary: "Print or save an artifact's value",
    group: "look",
    args: [{ name: "artifact", required: true, help: "model, model@v3, trainer.model@3" }],
    flags: {
      output: { type: "string", short: "o", value: "FILE", help: "Save the bytes to this file or folder" },
      path: { type: "boolean", help: "Print the path of the stored bytes" },
      format: { type: "string", value: "FORMAT", choices: ["json", "csv"], help: "Print the value in this form" },
      head: { type: "number", value: "N", help: "Only the first rows, elements or lines" },
    },
    examples: [
      "reprise get accuracy",
      "reprise get train_set@v1 --format csv --head 5",
      "reprise get model -o model.bin",
    ],
    details:
      "Texts, documents, pictures and files are printed as they are, and all else as JSON: numbers of a tensor, dates, maps. A terminal gets no binary bytes. -o saves the bytes as they are stored, and overwrites nothing.",
  },
  lineage: {
    summary: "What an artifact or run was made from, and what was made from it",
    group: "look",
    args: [{ name: "what", required: true, help: "An artifact or a run" }],
    flags: {
      up: { type: "boolean", help: "Only what it was made from" },
      down: { type: "boolean", help: "Only what was made from it" },
      depth: { type: "number", value: "N", default: 10, help: "How many steps away" },
      graph: { type: "string", choices: ["mermaid", "dot"], help: "Print a graph instead of a tree" },
    },
    examples: ["reprise lineage model", "reprise lineage train_set@v1 --down --graph mermaid"],
  },
  graph: {
    summary: "Draw a pipeline's graph",
    group: "look",
    args: [pipelineArg],
    takesParams: true,
    flags: {
      format: { type: "string", value: "FORMAT", choices: graphFormats, default: "tree", help: "How it is drawn" },
      run: { type: "string", value: "RUN", help: "With the statuses of this run" },
      ...paramFlags,
    },
    examples: ["reprise graph first-pipeline.ts", "reprise graph --run last --format mermaid"],
  },
  tag: {
    summary: "Tag a run, or take tags away",
    group: "keep",
    args: [
      { name: "run", required: true, help: "A run" },
      { name: "tags", required: true, many: true, help: "key or key=value" },
    ],
    flags: { remove: { type: "boolean", help: "Take these tags away" } },
    examples: ["reprise tag last baseline", "reprise tag last~1 dataset=v2", "reprise tag last baseline --remove"],
  },
  invalidate: {
    summary: "Drop the stored results of a step, or the one that made an artifact",
    group: "keep",
    args: [{ name: "what", required: true, help: "A step or an artifact" }],
    flags: {
      downstream: { type: "boolean", help: "And of all that was made from them" },
      "dry-run": dryRunFlag,
      yes: yesFlag,
    },
    examples: ["reprise invalidate trainer -n", "reprise invalidate train_set@v2 --downstream --yes"],
    details: "The next run executes the step again and says that it was invalidated. Nothing is deleted.",
  },
  gc: gcCommand,
  rm: {
    summary: "Remove runs, then the data that nothing refers to any more",
    group: "keep",
    args: [{ name: "runs", required: true, many: true, help: "Runs by id, name or tag; last:failed" }],
    flags: {
      "keep-artifacts": { type: "boolean", help: "Remove the records only" },
      "dry-run": dryRunFlag,
      yes: yesFlag,
    },
    examples: ["reprise rm last:failed", "reprise rm r-7k3f2m r-7k3f2n -n"],
  },
  ...cacheCommands,
  stack: {
    summary: "List, describe or choose stacks",
    group: "project",
    args: [
      { name: "action", choices: ["list", "describe", "set"], help: "list, describe or set; list if it is not said" },
      { name: "name", help: "A stack of the configuration" },
    ],
    flags: {},
    examples: ["reprise stack list", "reprise stack describe default", "reprise stack set team"],
  },
  init: {
    summary: "Add Reprise to a project; never overwrites a file",
    group: "project",
    args: [{ name: "dir", help: "Folder; the current one if it is not named" }],
    flags: {},
    examples: ["reprise init", "reprise init my-project"],
  },
  doctor: {
    summary: "Check Node, the store, the disk and the clock",
    group: "project",
    args: [],
    flags: { deep: { type: "boolean", help: "Read every stored byte, instead of comparing sizes" } },
    examples: ["reprise doctor"],
    details: "Exits with 1 if something is broken.",
  },
  completion: {
    summary: "Print a completion script for a shell",
    group: "project",
    args: [{ name: "shell", required: true, choices: ["bash", "zsh", "fish"], help: "bash, zsh or fish" }],
    flags: {},
    examples: ['eval "$(reprise completion bash)"', "reprise completion fish | source"],
  },
  help: {
    summary: "Print help on a command, or what an error code means",
    group: "project",
    args: [
      { name: "what", help: "A command, or a code such as RPS2104" },
      { name: "command", help: "The second word of a command's name" },
    ],
    flags: {},
    examples: ["reprise help run", "reprise help cache ls", "reprise help RPS2104"],
  },
} as const satisfies Readonly<Record<string, Command>>;

/** What commands whose names begin with the same word have in common. */
export const families: Readonly<Record<string, string>> = { cache: cacheFamily };

export type CommandName = keyof typeof commands;
export type CommandOf<Name extends CommandName> = (typeof commands)[Name];

/** What a process's exit code means. */
export const exitCodes: readonly (readonly [code: number, meaning: string])[] = [
  [0, "done"],
  [1, "the run failed, or something broke"],
  [2, "the command line or the configuration is not understood"],
  [3, "something is stale (status --exit-code)"],
  [4, "a step gave other outputs for equal inputs (verify)"],
  [5, "the run ended well, but the store refused to record all of it (run)"],
  [130, "cancelled"],
];
