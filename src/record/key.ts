/** The key: what decides reuse, kept part by part, so that any two can be compared. */
import type { Digest } from "../hash/digest.ts";

export type KeyDigest = Digest;

/** An argument as the key sees it: by value for a parameter, by content for an artifact. */
export type KeyArgument =
  | {
      readonly kind: "value";
      /** Of the canonical bytes. */
      readonly digest: Digest;
      /** For people; shortened when long. Never the value of a secret. */
      readonly shown: string;
    }
  | { readonly kind: "artifact"; readonly digest: Digest }
  | { readonly kind: "list"; readonly items: readonly KeyArgument[] };

export interface KeyRecord {
  /** Version of the way keys are made. */
  readonly scheme: number;
  readonly step: string;
  readonly code: Digest;
  readonly arguments: Readonly<Record<string, KeyArgument>>;
  /** Output declarations that decide the stored bytes: output → materializer name@version, or the digest of nothing. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly version: string | undefined;
  readonly cacheKey: KeyArgument | undefined;
  /** What it is declared to read, as `file prices.csv`, in order; undefined when nothing is declared. What is there is no part of the key. */
  readonly reads?: readonly string[];
  /** What the bytes may depend on: `node 24`, `linux x64`. */
  readonly runtime: string;
}
