/** A trace: what a step read of the world while it ran. A result is reused only while all of it still holds. */
import type { Place } from "../error.ts";
import type { Difference, MissCode } from "./reason.ts";

/**
 * - `file`: the bytes of a file.
 * - `stat`: whether something is there, and as far as the step asked, what kind of thing, how large, and when modified.
 * - `link`: the same without following a link, and where it leads.
 * - `realpath`: the path without links.
 * - `directory`: the names in a directory, and where the step asked, what kind of thing each one is.
 * - `tree`: the same, of all directories below it too.
 * - `glob`: which names match a pattern; `name` is the folder it starts from (its spaces as `%20`), a space, and the pattern.
 * - `env`: a variable of the environment.
 * - `variables`: the names of all variables.
 * - `folder`: the folder that relative paths start from, relative to the project.
 * - `http`: what a URL answers.
 */
export type ReadKind =
  | "file"
  | "stat"
  | "link"
  | "realpath"
  | "directory"
  | "tree"
  | "glob"
  | "env"
  | "variables"
  | "folder"
  | "http";

/** One thing that was read, and what was found. Holds no path of the machine where the project is complete in itself. */
export interface ObservedRead {
  readonly kind: ReadKind;
  /** A path relative to the project's root, with `/` (absolute outside of it); a variable's name; a URL without its credentials. */
  readonly name: string;
  /**
   * What was found, for comparison: a digest of bytes or names, `absent`, `there`, `file 1204` (bytes), `directory`; a
   * variable's keyed digest or `unset`; status and validator of a response. Equal texts mean that nothing changed.
   */
  readonly found: string;
}

export interface Trace {
  /** Keys the digests of variables, so that equal values in two stores do not look equal. */
  readonly salt: string;
  /** Ordered by kind and name, each pair once. */
  readonly reads: readonly ObservedRead[];
}

/** What became of a trace since: nothing, or what differs. */
export interface TraceCheck {
  /**
   * What does not hold any more. `from` and `to` are undefined where there was nothing, or is nothing now: no file, no
   * such variable.
   */
  readonly differences: readonly Difference[];
  /** What could not be asked, and is taken to hold: a sentence each. */
  readonly warnings: readonly string[];
}

/** Something about a step run that a person should know, and that decides nothing. */
export interface Notice {
  /** What it is about. */
  readonly kind:
    | "clock"
    | "random"
    | "folder"
    | "locale"
    | "host"
    | "process"
    | "add-on"
    | "network"
    | "write"
    /** It returns a secret. */
    | "secret"
    | "nondeterministic";
  /** A sentence fragment that follows the step's name: `reads the clock`. */
  readonly text: string;
  readonly place?: Place;
}

/** Why what a step gave may be used in its run, and not be taken for a result again. */
export interface Obstacle {
  readonly code: Extract<MissCode, "unstable-input" | "own-output" | "unobserved" | "taken-over" | "store-refused">;
  /** A sentence fragment, as in "not kept because …". */
  readonly text: string;
}
