/** What an edit is, and what may be done besides changing the project. */
import type { Random } from "../code-identity/fuzz-program.ts";
import { type Project, type Worlds } from "./project.ts";

/** How the text of a data file gets to its place. */
export type FileChange = "write" | "replace" | "keep-time";

/** What is done besides changing the project. */
export type Deed =
  | { readonly kind: "none" }
  | { readonly kind: "touch"; readonly path: string }
  | { readonly kind: "rewrite"; readonly path: string }
  | { readonly kind: "damage"; readonly way: DamageWay; readonly pick: number }
  | { readonly kind: "empty-blobs" }
  | { readonly kind: "remove-store" }
  | { readonly kind: "remove-code-state" }
  | { readonly kind: "spoil-code-state"; readonly pick: number }
  | { readonly kind: "move-project" }
  | { readonly kind: "spoil-written"; readonly pick: number }
  | { readonly kind: "invalidate"; readonly step: string }
  | { readonly kind: "hours-pass"; readonly hours: number };

export type DamageWay = "delete" | "flip" | "flip-silently" | "truncate" | "swap" | "extend";

export interface Edit {
  readonly name: string;
  readonly deed: Deed;
  readonly change: FileChange;
}

export interface Surroundings {
  readonly random: Random;
  readonly worlds: Worlds;
  /** States of before, oldest first. */
  readonly past: readonly Project[];
}

export type EditFunction = (project: Project, surroundings: Surroundings) => Deed | void | false;

export type Row = readonly [name: string, needs: keyof Worlds | undefined, edit: EditFunction];

/** Named where false misses are counted: validators stand for bytes. */
export const sameBytes = "a URL answers the same under another validator";
/** Named where false misses are counted: what a step declares is part of its key and its code. */
export const otherReads = "a step says what its processes read, or stops to say it";
/** Named where false misses are counted: code identity sees a difference there. */
export const byNamespace = "imports by name or as a namespace";
