/**
 * The types that flow from a step's signature to the calls in a build, so that nothing is declared twice and a mistake is
 * underlined where it is made. Every type here looks at one step alone, so that the cost of a build grows with its length.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Mistake } from "./mistake.ts";
import type { Declaration } from "./plan.ts";
import type { NodeResult, Ref } from "./reference.ts";

/** No arguments, no params, no outputs. */
// oxlint-disable-next-line typescript/no-empty-object-type
export type None = {};

/** The schema of a definition that has none. */
export type NoSchema = StandardSchemaV1<None, None>;

/** What a caller may write where a step takes a `T`: the value, a reference to it, or for a list a mixture of both. */
export type Argument<T> = 0 extends 1 & T ? T : T | Ref<T> | FanIn<T>;

type FanIn<T> = T extends readonly unknown[]
  ? number extends T["length"]
    ? readonly Argument<T[number]>[]
    : { readonly [Index in keyof T]: Argument<T[Index]> }
  : never;

/** The value that a declaration hands to the step or to the next one. */
export type DeclaredOutput<D> = D extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<D> : MaterializedValue<D>;

/** The value that a declaration takes. */
export type DeclaredInput<D> = D extends StandardSchemaV1 ? StandardSchemaV1.InferInput<D> : MaterializedValue<D>;

type MaterializedValue<D> = D extends { read(...args: never): Promise<infer T> } ? T : never;

export type Declarations = Readonly<Record<string, Declaration>>;

/** What a step's function gets when its argument is not annotated: what its params and declared inputs say. */
export type DeclaredArguments<P extends StandardSchemaV1, D> = StandardSchemaV1.InferOutput<P> & {
  [Name in keyof D]: DeclaredOutput<D[Name]>;
};

/** The inputs that a call may give as values or as references: all that the params schema does not give. */
export type EdgeInputs<I, P extends StandardSchemaV1, D> = Flatten<
  {
    [Name in keyof I as Exclude<Name, keyof StandardSchemaV1.InferOutput<P> | keyof D>]: I[Name];
  } & { [Name in keyof D]: DeclaredInput<D[Name]> }
>;

/** The first argument of a call in a build. */
export type CallArguments<Inputs, Params> = Flatten<{ [Name in keyof Inputs]: Argument<Inputs[Name]> } & Params>;

/** The same type, written out in messages instead of named. */
type Flatten<T> = T extends infer Whole ? { [Name in keyof Whole]: Whole[Name] } : never;

/** Arguments that may be left out altogether when each of them may. */
export type CallParameters<Arguments, Options> = [keyof Arguments] extends [never]
  ? [args?: NoArguments, options?: Options]
  : None extends Arguments
    ? [args?: Arguments, options?: Options]
    : [args: Arguments, options?: Options];

/** Takes `{}` alone, where the empty type would take anything. */
interface NoArguments {
  readonly [name: string]: Mistake<"There is no argument of this name: it takes none">;
}

/** A step's outputs as values: what its function returns, or what its output declarations make of that. */
export type StepResult<R, O> = [O] extends [undefined]
  ? Awaited<R>
  : O extends Declaration
    ? DeclaredOutput<O>
    : { [Name in keyof O]: DeclaredOutput<O[Name]> };

/**
 * What a call in a build yields: a reference for each member of a record, one reference for anything else. As at run
 * time, a record is a plain object: what has methods (a list, a date, a map, a typed array, a class's instance) is one
 * value.
 */
export type CallResult<T> = 0 extends 1 & T
  ? T
  : [T] extends [void]
    ? NodeResult
    : [T] extends [object]
      ? HasMethod<T> extends true
        ? Ref<T>
        : { readonly [Name in keyof T]-?: Ref<T[Name]> } & NodeResult
      : Ref<T>;

type HasMethod<T> = T extends readonly unknown[] | Error
  ? true
  : true extends { [Name in keyof T]-?: T[Name] extends (...args: never) => unknown ? true : false }[keyof T]
    ? true
    : false;

/** A name as a literal is checked where it is written; one that is computed, when the definition is made. */
export type CheckedName<Name extends string> = Name extends ""
  ? Mistake<"A name cannot be empty">
  : Name extends `${string}${"/" | "." | " "}${string}`
    ? Mistake<"A name holds letters, digits, _ and - alone">
    : Name;

/** A step's function takes its inputs by name. */
export type CheckedInputs<I> = I extends readonly unknown[]
  ? Mistake<"A step takes one object of named inputs: run: ({ rows }: { rows: Row[] }) => …">
  : unknown;

/** What the params schema yields must be what the function takes. */
export type CheckedParams<P extends StandardSchemaV1, I> = [
  Pick<I, keyof I & keyof StandardSchemaV1.InferOutput<P>>,
] extends [infer Taken]
  ? StandardSchemaV1.InferOutput<P> extends Taken
    ? unknown
    : Mistake<"The params schema yields another type than run takes">
  : never;

/** Each declared input must yield what the function takes under that name. */
export type CheckedDeclarations<D, I> = {
  readonly [Name in keyof D]: Name extends keyof I
    ? [DeclaredOutput<D[Name]>] extends [I[Name]]
      ? D[Name]
      : Mistake<"The declared input yields another type than run takes">
    : Mistake<"run takes no input of this name">;
};

/** What a function may return whose outputs are declared. */
export type DeclaredReturn<O> = [O] extends [undefined] ? unknown : Declared<O> | Promise<Declared<O>>;

type Declared<O> = O extends Declaration ? DeclaredInput<O> : { readonly [Name in keyof O]: DeclaredInput<O[Name]> };

/** A build is synchronous and returns references, not whole results beside other things. */
export type CheckedBuild<B> = 0 extends 1 & B
  ? unknown
  : B extends PromiseLike<unknown>
    ? Mistake<"A build is synchronous: call steps without await and do the waiting inside of them">
    : B extends NodeResult | void
      ? unknown
      : Extract<B[keyof B], NodeResult> extends never
        ? unknown
        : Mistake<"An output of a build is a single output of a step: take one by destructuring the call's result">;

/** What a pipeline may be given for what its build declares: a reference is also given as its value. */
export type Given<T> =
  T extends Ref<infer V> ? Argument<V> : T extends readonly (infer E)[] ? T | readonly Given<E>[] : T;

/** The first argument of a pipeline, as its build and its params schema tell. */
export type PipelineArguments<I, P extends StandardSchemaV1> = {
  [Name in keyof I as Exclude<Name, keyof StandardSchemaV1.InferOutput<P>>]: Given<I[Name]>;
} & StandardSchemaV1.InferInput<P>;

/** What is left to give after some has been given. */
export type Remaining<Arguments, Names extends PropertyKey> = {
  [Name in keyof Arguments as Exclude<Name, Names>]: Arguments[Name];
};
