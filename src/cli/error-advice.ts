/** What each error code asks of whoever reads it. */
import type { ErrorCode } from "../error.ts";

/** What the first digit of a code says. */
export const errorGroups: Readonly<Record<string, string>> = {
  "1": "Mend the definition",
  "2": "Mend the value",
  "3": "Look at the run",
  "4": "Try again, or repair the store",
  "5": "Reload and try again",
  "6": "Call again with other words",
  "9": "A bug in Reprise",
};

/** By code, so that the compiler names one that is missing. */
export const errorAdvice: Readonly<Record<ErrorCode, string>> = {
  RPS1001: "The error lists every problem with its place. Mend them one by one; each has a code of its own.",
  RPS1002: "Call steps inside the `build` of a pipeline. To try a step alone, call `yourStep.run(inputs)`.",
  RPS1003: "Make `build` a plain function without `await`: it only connects steps. Let a step do what takes time.",
  RPS1004:
    "While a pipeline is built, an output is only a reference to what will be there later. Pass it on to a step, and read the value inside that step.",
  RPS1005: "Two steps wait for each other, through data or `after`. Take one of the edges that the error names away.",
  RPS1006:
    'Give one of them another name: in the definition, or where it is called (`train({ … }, { name: "train_small" })`).',
  RPS1007: "Correct the spelling of the option; the error names the nearest one, or those that there are.",
  RPS1008:
    "Use letters, digits, `_` and `-`, with a letter, a digit or `_` first; the error suggests a name that is usable.",
  RPS1009:
    "Use the outputs of a step only in the `build` that called it, and hand them to nested pipelines as arguments.",
  RPS1010: "Use a schema that answers at once, without asynchronous refinements. Check what needs time in a step.",
  RPS1011:
    "Return that output from the step, or ask for one that it returns. What is declared in `outputs` must be returned.",
  RPS1012: "Give the option a value of the kind that the error names.",
  RPS1013:
    "Arguments of a step are plain data or outputs of steps. Pass the fields of a class instance; make functions and clients inside the step. An output is stored in clear, so it cannot be an argument that is marked secret.",
  RPS2001:
    "Params are compared by content, which functions, symbols and class instances do not have. Pass plain data, a date, a map, a set or a typed array.",
  RPS2002: "Change the parameter that the error names; `reprise run FILE --help` lists all with their types.",
  RPS2003:
    "Mend what the step returns or gets, or the schema in `outputs` or `inputs`: the error has the path and what was found.",
  RPS2004:
    'A metric is a number, at a number where it is a point of a series: `metric("loss", 0.1, epoch)`. The data of a log line and metadata are records of what JSON can hold. It is checked when the step says it, and the step fails there unless it catches the error.',
  RPS2101:
    "Return plain data, or declare the output with a materializer for its class. The error has the path of the part.",
  RPS2102: "Install the package with the command in the error. Reprise installs only what everybody needs.",
  RPS2103:
    "Run the step that made it again with `--no-cache`. If a materializer of yours has written it, keep it in `materializers` of the configuration.",
  RPS2104:
    "Return data: the error has the path of the field that holds none. Rebuild functions and instances in the next step.",
  RPS3001:
    "Read the step's error and its line: `reprise show last:failed`, `reprise logs last:failed`. What has finished is kept.",
  RPS3002: "Run it again: it goes on behind the last finished step.",
  RPS3003: "Raise the step's `timeout`, or make it faster. A step hears of it through its `signal`.",
  RPS3004:
    "Something differs from all stored results, as the error says. Run once without `--cache require`, or undo what changed.",
  RPS3005: "Ask for results after looking at the run's status; `reprise show RUN` says which steps finished.",
  RPS4001:
    "Check that the folder exists, is writable and on a disk with space; `reprise doctor` says what is wrong with it. Damaged records are moved away: what is stored as files stays.",
  RPS4002: "Update Reprise in this project, or name another store with `--store`.",
  RPS4003:
    "Bytes were removed behind the store's back. The step that made them runs again by itself; `reprise doctor` finds all such places.",
  RPS4004:
    "Bytes in the store were changed. `reprise doctor --deep` finds all such places; steps that made them run again. If the error names an input, a step wrote to the file that it was given: let it work on a copy, which `await file.copyTo(path)` makes.",
  RPS4005: "Check that the disk has space and that the store's folder is writable, and run again.",
  RPS4006:
    "The archive is cut off, altered, or of a newer Reprise, as the error says. Nothing of it was imported: export it again, or update.",
  RPS5001: "Somebody else was faster. Look at what is there now, and repeat the command.",
  RPS6001: "Correct the command; `reprise help COMMAND` lists its arguments and flags.",
  RPS6002:
    "Correct the name: the error has the nearest one. `reprise runs`, `reprise artifacts` and `reprise pipelines` list what there is.",
  RPS6003: "Correct the configuration file that the error names. It may also be missing altogether.",
  RPS6004:
    "Name the pipeline behind the file (`FILE#NAME`), define one at the top level of the file, or name the file itself.",
  RPS6005: "Install Node 24 or newer. `node --version` says which one is first on the path.",
  RPS9001: "Please report it, with what the error says and the output of `reprise doctor`.",
};
