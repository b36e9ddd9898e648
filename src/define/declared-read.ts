/** Declared reads: what a step says it reads, for what cannot be seen while it runs. */
import { showValue } from "../hash/show-value.ts";
import { suggestName } from "./suggest-name.ts";

/**
 * What a step reads where nobody sees it: in a child process, in a native add-on. Paths are relative to the project's root.
 *
 * - `file`: the bytes of a file.
 * - `dir`: all that is below a directory: names, and the bytes of files.
 * - `glob`: the files that match a pattern, as in `"data/**\/*.csv"`: names and bytes.
 * - `env`: a variable of the environment.
 * - `url`: what a URL answers to a GET, by the step's `http` policy.
 */
export type ReadDeclaration =
  | OneOf<"file", string>
  | OneOf<"dir", string>
  | OneOf<"glob", string>
  | OneOf<"env", string>
  | OneOf<"url", `http://${string}` | `https://${string}`>;

type OneOf<Kind extends DeclarationKind, Name> = { readonly [Key in Kind]: Name } & {
  readonly [Key in Exclude<DeclarationKind, Kind>]?: never;
};

type DeclarationKind = keyof typeof kinds;

/**
 * A list of what is read, or a function that makes one from the plain values among the arguments. An empty list says that
 * what is seen is all there is: it vouches for child processes and add-ons.
 */
export type ReadsOption =
  | readonly ReadDeclaration[]
  | ((params: Readonly<Record<string, unknown>>) => readonly ReadDeclaration[]);

/** A {@link ReadDeclaration} as plain data. A `directory` stands for all that is below it, a `glob` for the bytes of what matches. */
export interface DeclaredRead {
  readonly kind: (typeof kinds)[DeclarationKind];
  /** As it was written: a path or pattern relative to the project's root, a variable's name, a URL. */
  readonly name: string;
}

const kinds = { file: "file", dir: "directory", glob: "glob", env: "env", url: "http" } as const;

/** What is wrong with declared reads: a fragment that follows "expected", and a hint. */
export interface ReadsFault {
  readonly expected: string;
  readonly hint: string;
}

/** Reads as plain data, each once, ordered by kind and name; or what is wrong with them. */
export function toDeclaredReads(given: unknown): readonly DeclaredRead[] | ReadsFault {
  if (!Array.isArray(given)) return { expected: "a list of what is read", hint: `Write a list: [${sample}]` };
  const reads = new Map<string, DeclaredRead>();
  for (const [index, declaration] of given.entries()) {
    const read = toDeclaredRead(declaration);
    if ("hint" in read) {
      return { ...read, hint: `Item ${index} of it is ${showValue(declaration, 60)}: ${read.hint}` };
    }
    reads.set(`${read.kind} ${read.name}`, read);
  }
  return [...reads.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, read]) => read);
}

/** What `file()` and `directory()` give bears it, in every copy of this package. */
const outputMark = Symbol.for("reprise.materializer");

const sample = '{ file: "prices.csv" }';
const names: readonly string[] = Object.keys(kinds);

function toDeclaredRead(declaration: unknown): DeclaredRead | ReadsFault {
  const expected = `a list of records with one of ${names.join(", ")}`;
  const fault = (hint: string): ReadsFault => ({ expected, hint });
  if (typeof declaration === "string") return fault(`write { file: ${JSON.stringify(declaration)} }`);
  if (typeof declaration !== "object" || declaration === null) return fault(`write it as ${sample}`);
  if (outputMark in declaration) {
    return fault(`file() and directory() are for what a step returns, and what it reads is a record: write ${sample}`);
  }
  const given = Object.entries(declaration).filter(([, value]) => value !== undefined);
  const [only, ...others] = given;
  if (only === undefined) return fault(`write it as ${sample}`);
  if (others.length > 0) return fault("write a record of its own for each");
  const [key, name] = only;
  if (!Object.hasOwn(kinds, key)) {
    const near = suggestName(key, names);
    return fault(near === undefined ? `"${key}" is none of them` : `did you mean "${near}"?`);
  }
  if (typeof name !== "string" || name === "" || name.includes("\0")) return fault(`"${key}" takes a text`);
  const kind = kinds[key as DeclarationKind];
  if (kind === "http" && !isHttp(name)) return fault('"url" takes an address that starts with http:// or https://');
  return { kind, name };
}

function isHttp(address: string): boolean {
  return URL.canParse(address) && ["http:", "https:"].includes(new URL(address).protocol);
}
