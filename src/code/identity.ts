/** What is known of a step's code: the answer of this room. */
import type { Place } from "../error.ts";
import type { StepDefinition } from "../define/plan.ts";
import type { Digest } from "../hash/digest.ts";

/**
 * - `proved`: everything that the step can reach is known.
 * - `assumed`: something outside was declared away; what, stands in the notes.
 * - `opaque`: something cannot be known (`import(expr)`, `eval`, a step that cannot be found in its source …). Such a
 *   step is not reused unless its author gives a `version`.
 */
export type Verdict = "proved" | "assumed" | "opaque";

/** Why a verdict is not `proved`. */
export interface CodeNote {
  readonly verdict: Exclude<Verdict, "proved">;
  /** A stable word: `dynamic-import`, `eval`, `unmapped-step`, `edited-since-load` … */
  readonly kind: string;
  /** One sentence for people. */
  readonly message: string;
  readonly place?: Place;
}

/** One thing that a step's code reaches. */
export interface CodeUnit {
  /** Readable and stable: `src/score.ts#cosine`, `src/setup.ts#effect 2`, `data/labels.json`, `zod`. Paths are relative to the project, with `/`. */
  readonly id: string;
  readonly kind: "declaration" | "effect" | "file" | "package";
  /** Of this unit alone, not of what it reaches. */
  readonly digest: Digest;
  /** A package's version. */
  readonly version?: string;
  /** First and last line in its file, from 1. */
  readonly lines?: readonly [first: number, last: number];
  /** The source text, of the project's own declarations and effects. */
  readonly text?: string;
}

/** A step's code, as far as it can be told. */
export interface CodeIdentity {
  readonly digest: Digest;
  readonly verdict: Verdict;
  readonly notes: readonly CodeNote[];
  /** Where `step()` was called; `file` relative to the project. */
  readonly place: Place | undefined;
  /** The ids of the units that hold the step itself (not what they reach): an edit there is `code`, elsewhere `import`. */
  readonly own: readonly string[];
  /** Ids of state in modules that its code changes while it runs, such as a memo: what one step has put there, another may take. */
  readonly memos: readonly string[];
  /** A file of it that this process has loaded meanwhile, and that had been edited by then: what ran is not this code. */
  findEdited(): string | undefined;
  /** Everything reached, ordered by id. Read from disk when first asked for on the warm path. */
  units(): Promise<readonly CodeUnit[]>;
  /** Names of the installed packages among the units. No source is read for them. */
  packages(): Promise<ReadonlySet<string>>;
}

/** Tells what each step's code is. */
export interface CodeIndex {
  /** Of all steps at once. Checks files first: after an edit the answer is the new one. */
  identify(steps: readonly StepDefinition[]): Promise<ReadonlyMap<StepDefinition, CodeIdentity>>;
}
