/** Options of a step, and who wins: run, call, step, pipeline (innermost first), default. */
import type { ReadsOption } from "./declared-read.ts";

/**
 * - `true` or `"use"`: take a stored result where its key fits, else execute and record.
 * - `false` or `"refresh"`: execute, and record the result for later runs.
 * - `"off"`: execute, and record nothing that could be reused.
 * - `"require"`: a miss is an error.
 */
export type CacheOption = boolean | "use" | "refresh" | "off" | "require";

/** A {@link CacheOption} without its shorthands. */
export type CacheMode = "use" | "refresh" | "off" | "require";

/** A duration: milliseconds, or a number with a unit, as in `"90s"`, `"15m"`, `"12h"`, `"7d"`, `"2w"`. */
export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d" | "w"}`;

/**
 * What becomes of a result when a URL that its step read by GET may answer otherwise now.
 *
 * - `"revalidate"`: the server is asked, with the validator of the response (its `ETag` or `Last-Modified`).
 * - `{ ttl }`: for so long after the response it is taken to hold; then the step runs again.
 * - `"ignore"`: responses are no input of the step.
 */
export type HttpOption = "revalidate" | "ignore" | { readonly ttl: Duration };

/** An {@link HttpOption} in milliseconds. */
export type HttpPolicy = "revalidate" | "ignore" | { readonly ttlMs: number };

/** What can be set on a step, a pipeline, a call and a run alike. */
export interface StepOptions {
  readonly cache?: CacheOption;
  /** How long a result may be reused after it was made. */
  readonly expires?: Duration;
  /** How often a failed step is tried again; 0 by default. */
  readonly retry?: number;
  readonly timeout?: Duration;
  /** What the answers of URLs that the step reads are to it; `"revalidate"` by default. */
  readonly http?: HttpOption;
}

/**
 * What a secret is to the result of a step.
 *
 * - `"compare"`: a result is reused with the secret that it was made with, and no other.
 * - `"ignore"`: it opens a door and decides nothing: whoever gives another one, today's or another person's, gets the same.
 */
export type SecretUse = "compare" | "ignore";

/** Names of secrets, or what each is to the result; a list says `"compare"` of all. */
export type SecretsOption<Name extends string> = readonly Name[] | { readonly [Secret in Name]?: SecretUse };

/** What only a step, or a call of it, can say. */
export interface StepIdentityOptions {
  /** A change of meaning that the code does not show: another version is another key. Vouches for opaque code. */
  readonly version?: string;
  /** What only the user knows: whatever it returns joins the key. Gets the plain values among the arguments. */
  readonly cacheKey?: (params: Readonly<Record<string, unknown>>) => unknown;
  /** What it reads where that cannot be seen: in a child process, in a native add-on. */
  readonly reads?: ReadsOption;
}
