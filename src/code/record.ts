/** What one source file says, apart from any other: plain data, kept on disk by the content of the file. */

/** Grows whenever the way that digests are made changes: every stored result is then out of reach. */
export const codeScheme = 2;

/** Grows whenever what is kept on disk changes and digests do not: older state is then ignored. */
export const stateScheme = 5;

/** A specifier that a file asks for. */
export interface RequestRecord {
  readonly specifier: string;
  /**
   * - `import`: a hoisted `import` or `export … from`, evaluated before the file.
   * - `dynamic`: `import("…")`. `require`: `require("…")` under any name, or `import x = require("…")`.
   * - `asset`: `new URL("…", import.meta.url)`.
   * - `glob`: ``import(`./x/${name}.ts`)``; the specifier holds one `*` for everything that is not fixed.
   */
  readonly kind: "import" | "dynamic" | "require" | "asset" | "glob";
  /** Evaluated for its effects alone: `import "…"`. */
  readonly bare?: true;
  /** `with { … }`, as text. */
  readonly attributes?: string;
  /** Inside `try`: may be absent. */
  readonly optional?: true;
}

export type ExportRecord =
  | { readonly local: string }
  | { readonly request: number; /** `*` for the namespace. */ readonly name: string };

/** What evaluating a piece of code may do, as far as its own text tells. Numbers are indexes into a unit's `refs`. */
export interface Summary {
  /** Does something that cannot be ignored, whatever the names in it stand for. */
  impure: boolean;
  /** Calls something that the text does not tell: a method of an object, a parameter. It may be any of what is used. */
  unknown?: true;
  /** Calls of names that are given functions: what these do, inline, or by their names. */
  given?: { ref: number; inner?: Summary; named?: number[] }[];
  /** Called or constructed directly. */
  calls: number[];
  /**
   * Roots of method calls: `x.a.b()`, `z.object({}).min(1)`. `inner` is what inline callbacks do; `reads` marks methods
   * that leave a value of the language as it is; `stores`, those that take in what they are given; `known`, calls whose
   * answer is part of the code.
   */
  chains: { ref: number; reads?: true; stores?: true; known?: true; inner?: Summary }[];
  /** Read from: `x.a`, `...x`; harmless when `x` is plain. */
  reads: number[];
  /** `x.run(…)`; -1 when `x` is a local variable. */
  runs: number[];
  /** Assigned to, or assigned into; -1 for something global that Node made, -2 for a global of the program's own. */
  writes: number[];
  /** Used in any way. */
  uses: number[];
  /** Reads of the world outside the code: `env NAME`, `argv`, `clock`, `random`, `await` …, each with its line. */
  world: { kind: string; line: number }[];
  /** Requests that are evaluated here. */
  requests: number[];
}

/** Something that a function changes when it is called; `method`: by a method that changes values of the language. */
export interface LateWrite {
  readonly ref: number;
  readonly method?: true;
}

/** A call that is given a function: inline, or under one of these names. */
export interface HandOver {
  readonly ref: number;
  readonly named?: readonly number[];
}

/** What in a unit lives on between calls of the functions in it. Numbers are indexes into the unit's `refs`. */
export interface KeptState {
  /** A function in it changes variables around it, or its `this`. */
  readonly keeps?: true;
  /** A static method in it changes its class. */
  readonly statics?: true;
  /** A function in it sets a global of the program's own. */
  readonly global?: true;
  /** A container with nothing in it. */
  readonly empty?: true;
  /** A value that nothing can be changed in, such as a text. */
  readonly firm?: true;
  /** Names whose values the functions in it assign or change, also by way of local variables and of what a call answers. */
  readonly touched?: readonly number[];
  /** Those of them that are assigned into: also what a package or Node holds can be. */
  readonly assigned?: readonly number[];
  /** What functions are handed to. */
  readonly hands?: readonly HandOver[];
  /** A function in it changes what it is given. */
  readonly fills?: true;
  /** Functions that are given what a function in it is given. */
  readonly passes?: readonly number[];
  /** Functions that are given values from around a function in it. */
  readonly gives?: readonly Gift[];
}

/** A call in a function: of what `ref` leads to, or of a function of the unit itself. */
export interface Gift {
  readonly ref?: number;
  /** Values of the program that it is given. */
  readonly named?: readonly number[];
  /** Whether it is given something that lives in the unit between calls. */
  readonly own?: true;
}

/** Something in a unit's text that cannot be followed. */
export interface NoteRecord {
  readonly kind: string;
  readonly message: string;
  readonly line: number;
  readonly column: number;
}

/** A call expression, for finding the unit of a stack frame. */
export interface CallRecord {
  /** Where the call expression starts, and where its arguments do: the frame's position lies between. */
  readonly start: number;
  readonly end: number;
  /** How many functions are around it in its unit. */
  readonly depth: number;
  /** What it uses of the code around it in its unit: variables of a function, of a block (a loop's), or nothing. */
  readonly captures: "function" | "block" | "nothing";
  /** A call of `require`: frames further out belong to the loader of the module. */
  readonly loads: boolean;
}

/** A top-level declaration or statement. */
export interface UnitRecord {
  /** Unique in its file: a name, or `effect 2`. */
  readonly key: string;
  /** The top-level names that it binds, in the order of its text. */
  readonly names: readonly string[];
  readonly kind: "function" | "class" | "variable" | "statement" | "export";
  /** Of the canonical text. */
  readonly digest: string;
  /** Of the same without the versions of steps that are defined here, where some are: they have them in their keys. */
  readonly unversioned?: string;
  readonly start: number;
  readonly end: number;
  readonly lines: readonly [first: number, last: number];
  /** What the text refers to, by order of first use: `name`, `name.member.member`, or `#3` for a request. */
  readonly refs: readonly string[];
  readonly eval: Summary;
  /** What a call of its name does; absent when that cannot be told. */
  readonly body?: Summary;
  /** A literal without getters: reading members of it runs nothing. */
  readonly plain?: true;
  /** Its value may depend on when it is evaluated. */
  readonly sensitive?: true;
  /** `.run(…)` calls at any depth, as in `Summary.runs`. */
  readonly nestedRuns?: readonly number[];
  /** What the functions in it change when they are called. */
  readonly lateWrites?: readonly LateWrite[];
  /** What in it lives on between calls. */
  readonly state?: KeptState;
  /** `if (import.meta.main) …` and its older forms, without an `else`. */
  readonly guard?: true;
  readonly exported?: true;
  readonly notes?: readonly NoteRecord[];
  readonly calls: readonly CallRecord[];
}

export interface FileRecord {
  readonly format: "module" | "commonjs" | "json" | "asset" | "broken";
  /** Digest of the bytes (of the canonical text for JSON). */
  readonly digest: string;
  readonly requests: readonly RequestRecord[];
  readonly imports: Readonly<Record<string, { readonly request: number; readonly name: string }>>;
  readonly exports: Readonly<Record<string, ExportRecord>>;
  readonly stars: readonly number[];
  readonly units: readonly UnitRecord[];
  /** JSON: the digest of each key of the outermost object. */
  readonly keys?: Readonly<Record<string, string>>;
}
