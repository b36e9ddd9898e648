/**
 * The errors that Reprise throws, and the list of their codes.
 *
 * The class says what whoever catches it can do: mend the definition, mend the value, look at the run, repair the
 * store, reload after a conflict, or call again with other words. The code is stable and has a page in the docs.
 */

/** A place in a user's source: `line` and `column` count from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
  readonly column?: number;
}

export interface RepriseErrorOptions {
  /** What to do about it, in the imperative. */
  readonly hint?: string;
  readonly place?: Place;
  /** The facts behind the sentence, for programs. */
  readonly data?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** Every code, its class by its first digit, and what it stands for. */
export const errorCodes = {
  // 1: mend the definition
  RPS1001: "the definition of a step or pipeline has problems",
  RPS1002: "a step was called outside a build",
  RPS1003: "a build is asynchronous",
  RPS1004: "a reference was used as a value",
  RPS1005: "the plan has a cycle",
  RPS1006: "two things share a name",
  RPS1007: "an option is unknown",
  RPS1008: "a name is not usable",
  RPS1009: "a reference belongs to another build",
  RPS1010: "a schema is asynchronous",
  RPS1011: "an output was asked for that the step does not return",
  RPS1012: "an option has a value it cannot have",
  RPS1013: "an argument is neither a plain value nor an output of a step",
  // 2: mend the value
  RPS2001: "a value has no canonical form",
  RPS2002: "parameters do not fit their schema",
  RPS2003: "an input or output does not fit its schema",
  RPS2004: "a step said something of itself that cannot be recorded",
  RPS2101: "no materializer takes a value",
  RPS2102: "an optional package is not installed",
  RPS2103: "stored bytes cannot be read back as a value",
  RPS2104: "a step returned a value that cannot be stored",
  // 3: look at the run
  RPS3001: "a step failed",
  RPS3002: "a run was cancelled",
  RPS3003: "a step timed out",
  RPS3004: "a required cache hit is missing",
  RPS3005: "a result is not there because its step did not finish",
  // 4: retry, or repair the store
  RPS4001: "the store cannot be opened",
  RPS4002: "the store was written by a newer Reprise",
  RPS4003: "a blob is missing",
  RPS4004: "a blob does not have the bytes its digest says",
  RPS4005: "the store refused a write",
  RPS4006: "an archive cannot be imported",
  // 5: reload after a conflict
  RPS5001: "another process changed the same record",
  // 6: call again with other words
  RPS6001: "the command line is not understood",
  RPS6002: "nothing has that name",
  RPS6003: "the configuration is not understood",
  RPS6004: "a file has no pipeline, or several",
  RPS6005: "the Node version is too old",
  // 9: ours
  RPS9001: "a promise inside Reprise was broken",
} as const;

export type ErrorCode = keyof typeof errorCodes;

/** What every error of Reprise has in common. */
export abstract class RepriseError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly place: Place | undefined;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: RepriseErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.place = options.place;
    this.data = options.data ?? {};
  }
}

/** One of the problems that a {@link DefinitionError} lists. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly place?: Place;
}

/** The definition of a step or pipeline is wrong: mend the source. Lists all problems found at once. */
export class DefinitionError extends RepriseError {
  readonly problems: readonly Problem[];

  constructor(problems: readonly [Problem, ...Problem[]], options: Pick<RepriseErrorOptions, "cause"> = {}) {
    const [first] = problems;
    const message =
      problems.length === 1
        ? first.message
        : `${problems.length} problems:\n${problems.map((problem) => `  - ${problem.message}`).join("\n")}`;
    super(problems.length === 1 ? first.code : "RPS1001", message, {
      ...options,
      ...(first.hint === undefined ? {} : { hint: first.hint }),
      ...(first.place === undefined ? {} : { place: first.place }),
      data: { problems },
    });
    this.problems = problems;
  }
}

/** A value is wrong: mend the value. */
export class ValueError extends RepriseError {}

/** A run did not end well: look at the run. */
export class RunError extends RepriseError {}

/** The store cannot do what was asked: try again, or repair it. */
export class StoreError extends RepriseError {}

/** Somebody else changed the same record: reload and try again. */
export class ConflictError extends RepriseError {}

/** The call itself is wrong (command line, configuration, an unknown name): call again. */
export class UsageError extends RepriseError {}

/** A promise inside Reprise was broken. Reaching one is a bug in Reprise. */
export class InternalError extends RepriseError {
  constructor(message: string, options: RepriseErrorOptions = {}) {
    super("RPS9001", `${message} (this is a bug in Reprise)`, options);
  }
}

/** Asserts what Reprise promises itself. */
export function assertInternal(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InternalError(message);
}
