/** Why a step ran or did not: a closed list of stable codes, and what changed from what to what. */

/** Reasons to run. */
export type MissCode =
  | "first-run"
  | "code"
  | "import"
  | "package"
  | "param"
  | "input"
  /** A file that it read, or looked for, changed, came or went. */
  | "file"
  /** So did the names in a directory that it listed. */
  | "directory"
  /** A variable of the environment that it read. */
  | "env"
  /** What a URL answers. */
  | "http"
  | "version"
  | "cache-key"
  | "runtime"
  | "expired"
  | "missing-output"
  | "corrupt-output"
  | "previous-failed"
  | "invalidated"
  | "forced"
  | "cache-off"
  | "opaque-code"
  /** Its last result was not kept: something that it read changed while it ran. */
  | "unstable-input"
  /** Its last result was not kept: it reads what it writes itself, or the store. */
  | "own-output"
  /** Its last result was not kept: something read on its behalf where nobody sees it. */
  | "unobserved"
  /** Its last result was not kept: its process gave no sign of life for so long that another one took over. */
  | "taken-over"
  /** Its last result was not kept: the store refused to be written, for want of room or rights. */
  | "store-refused";

/** Reasons not to run. */
export type HitCode =
  /** Every part of the key is as it was. */
  | "same-fingerprint"
  /** The same, though a step above ran again: it gave the same bytes. */
  | "same-output-upstream"
  /** Somebody else was executing it at the same key: this one waited, and took the result. */
  | "made-meanwhile";

/** Reasons why a step was not even asked. */
export type SkipCode = "upstream-failed" | "cancelled" | "not-selected";

export type ReasonCode = MissCode | HitCode | SkipCode;

/** One part of a key that differs. `from` and `to` are short texts for people; undefined: it was not there. */
export interface Difference {
  readonly code: MissCode;
  /** Which one: a unit's id, a package, a parameter's or an input's name. */
  readonly part: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
  /** Where to look: `src/score.ts:12`. */
  readonly place?: string;
  /** More, in words: what produced the input, which lines changed. */
  readonly detail?: string;
}

export interface Reason {
  readonly code: ReasonCode;
  /** One sentence fragment, as in "ran because …". */
  readonly text: string;
  /** Everything that differs, most telling first; `code` is that of the first. */
  readonly differences: readonly Difference[];
  /** The step run it was compared with, or whose result is reused. */
  readonly against?: string;
}
