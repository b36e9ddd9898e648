/** What an object is, found out without running any of its code: no getter, no trap, no `toJSON`. */
import { types } from "node:util";

/** Kinds of objects that are data, and whose content can be read without running code of theirs. */
export type DataKind =
  | "record"
  | "null-prototype record"
  | "array"
  | "date"
  | "map"
  | "set"
  | "typed array"
  | "array buffer"
  | "data view"
  | "url"
  | "url search params"
  | "regular expression"
  | "boxed primitive";

/** Why an object is not data. */
export interface NotData {
  /** With its article, as in "a promise". */
  readonly what: string;
  readonly hint: string;
}

/** Tells what an object is. Subclasses and objects with extra properties are not the data they look like. */
export function kindOf(value: object): DataKind | NotData {
  // First of all: whatever else is asked of a proxy runs its traps.
  if (types.isProxy(value)) return { what: "a proxy", hint: "Pass the object itself, or a copy of it." };
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === Object.prototype) return types.isArgumentsObject(value) ? argumentsObject : "record";
  if (Array.isArray(value)) return isBuiltIn(prototype, "Array") ? "array" : instance(value);
  if (ArrayBuffer.isView(value)) return viewKind(value, prototype);
  if (prototype === null) return types.isModuleNamespaceObject(value) ? moduleNamespace : "null-prototype record";
  if (types.isDate(value)) return bare(value, prototype, "Date", "date");
  if (types.isMap(value)) return bare(value, prototype, "Map", "map");
  if (types.isSet(value)) return bare(value, prototype, "Set", "set");
  if (types.isArrayBuffer(value)) return bare(value, prototype, "ArrayBuffer", "array buffer");
  if (types.isRegExp(value)) return bare(value, prototype, "RegExp", "regular expression");
  if (prototype === URL.prototype) return bare(value, prototype, "URL", "url");
  if (prototype === URLSearchParams.prototype) return bare(value, prototype, "URLSearchParams", "url search params");
  if (types.isBoxedPrimitive(value)) return boxedKind(value, prototype);
  if (!hasBrand(value) && isBuiltIn(prototype, "Object")) return "record";
  return instance(value);
}

/** The name of a typed array's type, as `Float32Array`; undefined for anything else. */
export function typedArrayName(value: ArrayBufferView): string | undefined {
  return typedArrayTag.call(value) as string | undefined;
}

const typedArrayTag = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype) as object,
  Symbol.toStringTag,
)!.get!;

/** The bytes of a view, not copied. */
export function bytesOf(view: ArrayBufferView): Uint8Array {
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

/** What a boxed primitive holds. */
export function unbox(value: object): string | number | boolean | bigint {
  if (types.isNumberObject(value)) return Number.prototype.valueOf.call(value);
  if (types.isStringObject(value)) return String.prototype.valueOf.call(value);
  if (types.isBooleanObject(value)) return Boolean.prototype.valueOf.call(value);
  return BigInt.prototype.valueOf.call(value as unknown as bigint);
}

/** Why a primitive is not data; undefined when it is. */
export function refusePrimitive(value: unknown): NotData | undefined {
  if (typeof value === "function") {
    const isClass = /^class\b/u.test(Function.prototype.toString.call(value));
    return {
      what: isClass ? "a class" : "a function",
      hint: "Pass the data that the function needs, and make the function inside the step.",
    };
  }
  if (typeof value === "symbol") return { what: "a symbol", hint: "Use a string instead." };
  return undefined;
}

const argumentsObject: NotData = { what: "an arguments object", hint: "Pass [...arguments] instead." };
const moduleNamespace: NotData = { what: "a module namespace", hint: "Pass the exported values that are needed." };

function viewKind(value: ArrayBufferView, prototype: unknown): DataKind | NotData {
  if (types.isSharedArrayBuffer(value.buffer)) {
    return { what: "a view of shared memory", hint: "Copy it first: new Uint8Array(view) has memory of its own." };
  }
  const name = typedArrayName(value);
  if (name === undefined) return bare(value, prototype, "DataView", "data view");
  return prototype === Buffer.prototype || isBuiltIn(prototype, name) ? "typed array" : instance(value);
}

function boxedKind(value: object, prototype: unknown): DataKind | NotData {
  if (types.isSymbolObject(value)) return { what: "a symbol", hint: "Use a string instead." };
  const inner = unbox(value);
  const name = { string: "String", number: "Number", boolean: "Boolean", bigint: "BigInt" }[
    typeof inner as "string" | "number" | "boolean" | "bigint"
  ];
  if (!isBuiltIn(prototype, name)) return instance(value);
  // A boxed string owns its characters and its length.
  const ownKeys = typeof inner === "string" ? inner.length + 1 : 0;
  return Reflect.ownKeys(value).length === ownKeys ? "boxed primitive" : withExtraProperties(`a boxed ${typeof inner}`);
}

/** A built-in object proper: neither of a subclass nor with properties of its own besides. */
function bare(value: object, prototype: unknown, name: string, kind: DataKind): DataKind | NotData {
  if (!isBuiltIn(prototype, name)) return instance(value);
  const ownKeys = Reflect.ownKeys(value);
  const expected = kind === "regular expression" ? 1 : 0;
  return ownKeys.length === expected ? kind : withExtraProperties(`a ${name}`);
}

function withExtraProperties(what: string): NotData {
  return { what: `${what} with properties of its own`, hint: "Put the properties into a plain object beside it." };
}

/** Whether a prototype is the built-in of this name, of this realm or another (a test runner's sandbox is one). */
function isBuiltIn(prototype: unknown, name: string): boolean {
  if (prototype === (globalThis as unknown as Record<string, { prototype?: unknown }>)[name]?.prototype) return true;
  const constructor = constructorOf(prototype);
  return (
    constructor !== undefined &&
    constructorName(prototype) === name &&
    Function.prototype.toString.call(constructor).includes("[native code]") &&
    Object.getOwnPropertyDescriptor(constructor, "prototype")?.value === prototype
  );
}

/** Whether the engine knows the object as more than its properties. */
function hasBrand(value: object): boolean {
  return types.isNativeError(value) || types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value);
}

const plainFieldsHint =
  "Pass its plain fields instead (toJSON is never called), or return it from a step that declares a materializer for it.";

const hints: Readonly<Record<string, string>> = {
  Promise: "Await it first.",
  Error: "Pass its message: an error holds a stack trace, which differs between machines.",
  SharedArrayBuffer: "Copy it first: shared memory can change at any time.",
};

function instance(value: object): NotData {
  if (types.isPromise(value)) return { what: "a promise", hint: hints["Promise"]! };
  if (types.isNativeError(value)) return { what: "an error", hint: hints["Error"]! };
  if (types.isGeneratorObject(value)) return { what: "a generator", hint: "Collect its items into an array first." };
  if (types.isSharedArrayBuffer(value)) return { what: "shared memory", hint: hints["SharedArrayBuffer"]! };
  const name = constructorName(Object.getPrototypeOf(value)) ?? "an unnamed class";
  if (/Stream$|^(?:Readable|Writable|Duplex|Transform|Socket)$/u.test(name)) {
    return { what: `a stream (${name})`, hint: "Read it to its end first, or return file(path) from a step." };
  }
  if (name.startsWith("Weak")) return { what: `a ${name}`, hint: "Its content cannot be listed; use a Map or a Set." };
  if (isPlainTagged(value)) return { what: "an object with a prototype of its own", hint: plainFieldsHint };
  return { what: `an instance of ${name}`, hint: plainFieldsHint };
}

/** Made by Object.create from some object: its prototype is no class's. */
function isPlainTagged(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return typeof prototype === "object" && prototype !== null && !Object.hasOwn(prototype, "constructor");
}

function constructorOf(prototype: unknown): object | undefined {
  if (typeof prototype !== "object" || prototype === null || types.isProxy(prototype)) return undefined;
  const constructor: unknown = Object.getOwnPropertyDescriptor(prototype, "constructor")?.value;
  return typeof constructor === "function" && !types.isProxy(constructor) ? constructor : undefined;
}

function constructorName(prototype: unknown): string | undefined {
  const constructor = constructorOf(prototype);
  if (constructor === undefined) return undefined;
  const name: unknown = Object.getOwnPropertyDescriptor(constructor, "name")?.value;
  return typeof name === "string" && name !== "" ? name : undefined;
}
