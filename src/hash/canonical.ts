/**
 * Canonical bytes of a value: equal values give equal bytes, distinct values distinct ones, on every machine.
 *
 * What counts, besides the obvious:
 *
 * - the type: `1`, `1n`, `"1"`, `true` and `new Number(1)` all differ; so do `Int8Array` and `Uint8Array` of equal bytes.
 *   A `Buffer` is a `Uint8Array`.
 * - `0` and `-0` differ; all `NaN`s are equal; a missing key, `undefined` and `null` differ, and so do a hole in an array
 *   and `undefined`.
 * - the order of a record's keys does not count; the order of a `Map`, a `Set` and an array does: iterating shows it.
 * - a record without a prototype differs from one with. `lastIndex` of a regular expression does not count.
 * - whether two equal objects are one and the same does not count, unless a cycle passes through them.
 *
 * Functions, symbols, class instances, errors, promises, proxies, getters and hidden properties are refused: their
 * content cannot be known without running code, or not at all. No code of the value is ever run.
 *
 * The bytes: a record type and version, then the value as a tag, a length where the tag does not tell it, and content.
 */
import { ValueError } from "../error.ts";
import { ByteBuffer } from "./byte-buffer.ts";
import { findCycles } from "./cycle.ts";
import { digestBytes, type Digest } from "./digest.ts";
import { bytesOf, kindOf, refusePrimitive, typedArrayName, unbox, type DataKind, type NotData } from "./kind.ts";
import { formatPath, type PathStep } from "./value-path.ts";

export interface CanonicalOptions {
  /** What error messages call the value, as `params`. */
  readonly name?: string;
}

/** The canonical bytes of a value. Throws a ValueError (RPS2001) with the path of the part that has none. */
export function canonicalBytes(value: unknown, options: CanonicalOptions = {}): Uint8Array {
  return new Uint8Array(encodeAll(value, options));
}

/** The digest of a value's canonical bytes. Throws as {@link canonicalBytes} does. */
export function digestValue(value: unknown, options: CanonicalOptions = {}): Digest {
  return digestBytes(encodeAll(value, options));
}

/** What Reprise itself makes and digests: no getters, no cycles, nothing that is anything else than it seems. */
export type OwnData = string | number | boolean | null | readonly OwnData[] | { readonly [name: string]: OwnData };

/** The digest that {@link digestValue} gives, for data that need not be looked through. */
export function digestOwnData(value: OwnData): Digest {
  shared.clear();
  for (const byte of recordType) shared.byte(byte);
  encodeOwnData(shared, value);
  const digest = digestBytes(shared.view());
  keepSmall(shared.view().byteLength);
  return digest;
}

function encodeOwnData(out: ByteBuffer, value: OwnData): void {
  if (typeof value === "string") {
    encodeText(out, value);
  } else if (typeof value === "number") {
    out.byte(tag.number);
    out.float(value);
  } else if (typeof value === "boolean") {
    out.byte(value ? tag.true : tag.false);
  } else if (value === null) {
    out.byte(tag.null);
  } else if (Array.isArray(value)) {
    out.byte(tag.array);
    out.count(value.length);
    out.count(value.length);
    for (const item of value as readonly OwnData[]) encodeOwnData(out, item);
  } else {
    const record = value as { readonly [name: string]: OwnData };
    const keys = Object.keys(record);
    if (keys.length > 1) keys.sort();
    out.byte(tag.record);
    out.count(keys.length);
    for (const key of keys) {
      encodeText(out, key);
      encodeOwnData(out, record[key] as OwnData);
    }
  }
}

/** What the bytes start with. Another encoding is another number, and empties every cache. */
const recordType = Buffer.from("value/1\0", "latin1");

const maxBytes = 256 * 1024 * 1024;
const maxDepth = 1000;

const tag = {
  null: 0x6e, // n
  undefined: 0x75, // u
  true: 0x54, // T
  false: 0x46, // F
  number: 0x64, // d
  bigint: 0x69, // i
  text: 0x73, // s
  codeUnits: 0x53, // S
  array: 0x61, // a
  hole: 0x68, // h
  record: 0x6f, // o
  bareRecord: 0x4f, // O
  map: 0x4d, // M
  set: 0x45, // E
  date: 0x44, // D
  typedArray: 0x74, // t
  arrayBuffer: 0x62, // b
  dataView: 0x76, // v
  url: 0x55, // U
  searchParams: 0x51, // Q
  regExp: 0x52, // R
  boxed: 0x42, // B
  cycle: 0x63, // c: enters a cycle; the objects of it that follow are numbered from 0
  member: 0x6d, // m: an object of the cycle
  back: 0x72, // r: an object of the cycle again, by number
} as const;

interface Walk {
  readonly out: ByteBuffer;
  readonly name: string;
  readonly path: PathStep[];
  /** The objects around the current one, outermost first. */
  readonly around: object[];
  /** Object → the cycle it is on; only once one has been met. */
  readonly cycles: ReadonlyMap<object, number> | undefined;
  /** The numbers of the objects met of the cycle that is being written. */
  scope: { readonly cycle: number; readonly numbers: Map<object, number> } | undefined;
}

const cycleMet = Symbol("cycle met");

// Shared by all calls: encoding runs no code of the value, so no call begins within another.
let shared = new ByteBuffer(maxBytes);
const maxKeptBytes = 1024 * 1024;

/** The bytes, valid until the next call. */
function encodeAll(value: unknown, options: CanonicalOptions): Uint8Array {
  const name = options.name ?? "value";
  try {
    return start(value, name, undefined);
  } catch (error) {
    if (error !== cycleMet) throw error;
    return start(value, name, findCycles(value, maxDepth));
  }
}

function start(value: unknown, name: string, cycles: ReadonlyMap<object, number> | undefined): Uint8Array {
  const out = shared;
  out.clear();
  for (const byte of recordType) out.byte(byte);
  const walk: Walk = { out, name, path: [], around: [], cycles, scope: undefined };
  try {
    encode(walk, value);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ValueError(
      "RPS2001",
      `${name} is larger than ${maxBytes / 1024 / 1024} MiB, too large for a plain value.`,
      {
        hint: "Return it from a step instead: artifacts may have any size.",
        data: { path: name },
        cause: error,
      },
    );
  }
  const bytes = out.view();
  keepSmall(bytes.byteLength);
  return bytes;
}

/** A buffer that one large value has made large is not kept for small ones. */
function keepSmall(usedBytes: number): void {
  if (usedBytes > maxKeptBytes) shared = new ByteBuffer(maxBytes);
}

function encode(walk: Walk, value: unknown): void {
  const { out } = walk;
  switch (typeof value) {
    case "string":
      encodeText(out, value);
      return;
    case "number":
      out.byte(tag.number);
      out.float(value);
      return;
    case "boolean":
      out.byte(value ? tag.true : tag.false);
      return;
    case "undefined":
      out.byte(tag.undefined);
      return;
    case "bigint":
      out.byte(tag.bigint);
      out.text(value.toString(16));
      return;
    case "object":
      if (value === null) out.byte(tag.null);
      else encodeObject(walk, value);
      return;
    default:
      refuse(walk, refusePrimitive(value)!);
  }
}

function encodeText(out: ByteBuffer, text: string): void {
  if (text.isWellFormed()) {
    out.byte(tag.text);
    out.text(text);
  } else {
    out.byte(tag.codeUnits);
    out.codeUnits(text);
  }
}

function encodeObject(walk: Walk, value: object): void {
  const kind = kindOf(value);
  if (typeof kind === "object") refuse(walk, kind);
  const { out, around, cycles } = walk;
  const outerScope = walk.scope;
  if (cycles === undefined) {
    if (around.includes(value)) throw cycleMet;
  } else {
    const cycle = cycles.get(value);
    if (cycle !== undefined) {
      if (outerScope?.cycle !== cycle) {
        walk.scope = { cycle, numbers: new Map() };
        out.byte(tag.cycle);
      }
      const { numbers } = walk.scope!;
      const number = numbers.get(value);
      if (number !== undefined) {
        out.byte(tag.back);
        out.count(number);
        return;
      }
      numbers.set(value, numbers.size);
      out.byte(tag.member);
    }
  }
  if (around.length >= maxDepth) {
    refuse(walk, { what: `more than ${maxDepth} levels deep`, hint: "Flatten it, or return it from a step." });
  }
  around.push(value);
  encodeContent(walk, value, kind);
  around.pop();
  walk.scope = outerScope;
}

function encodeContent(walk: Walk, value: object, kind: DataKind): void {
  const { out } = walk;
  switch (kind) {
    case "record":
      out.byte(tag.record);
      encodeRecord(walk, value);
      return;
    case "null-prototype record":
      out.byte(tag.bareRecord);
      encodeRecord(walk, value);
      return;
    case "array":
      encodeArray(walk, value as readonly unknown[]);
      return;
    case "map":
      encodeMap(walk, value as ReadonlyMap<unknown, unknown>);
      return;
    case "set":
      encodeSet(walk, value as ReadonlySet<unknown>);
      return;
    case "date":
      out.byte(tag.date);
      out.float(Date.prototype.getTime.call(value));
      return;
    case "typed array":
      out.byte(tag.typedArray);
      out.text(typedArrayName(value as ArrayBufferView)!);
      out.bytes(bytesOf(value as ArrayBufferView));
      return;
    case "array buffer":
      out.byte(tag.arrayBuffer);
      out.bytes(new Uint8Array(value as ArrayBuffer));
      return;
    case "data view":
      out.byte(tag.dataView);
      out.bytes(bytesOf(value as DataView));
      return;
    case "url":
      out.byte(tag.url);
      out.text((value as URL).href);
      return;
    case "url search params":
      out.byte(tag.searchParams);
      out.text(URLSearchParams.prototype.toString.call(value));
      return;
    case "regular expression":
      out.byte(tag.regExp);
      encodeText(out, (value as RegExp).source);
      out.text((value as RegExp).flags);
      return;
    case "boxed primitive":
      out.byte(tag.boxed);
      encode(walk, unbox(value));
  }
}

function encodeRecord(walk: Walk, value: object): void {
  const keys = Reflect.ownKeys(value);
  const { out, path } = walk;
  for (const key of keys) {
    if (typeof key === "symbol") refuse(walk, { what: "an object with a symbol as key", hint: "Use a string as key." });
  }
  if (keys.length > 1) keys.sort();
  out.count(keys.length);
  for (const key of keys as string[]) {
    path.push(key);
    const property = Object.getOwnPropertyDescriptor(value, key)!;
    if (!property.enumerable || property.get !== undefined || property.set !== undefined)
      refuseProperty(walk, property);
    encodeText(out, key);
    encode(walk, property.value);
    path.pop();
  }
}

function encodeArray(walk: Walk, value: readonly unknown[]): void {
  const { out, path } = walk;
  const keys = Reflect.ownKeys(value);
  // The own keys of an array are its indices in ascending order, `length`, and whatever else somebody has put there.
  const indices = keys.indexOf("length");
  if (indices !== keys.length - 1 || (indices > 0 && !isIndexBelow(keys[indices - 1]!, value.length))) {
    refuse(walk, {
      what: "an array with properties besides its items",
      hint: "Pass [...array], or a record that holds the items and the properties.",
    });
  }
  out.byte(tag.array);
  out.count(value.length);
  out.count(indices);
  const isDense = indices === value.length;
  for (let at = 0; at < indices; at++) {
    const index = isDense ? at : Number(keys[at]);
    if (!isDense) {
      out.byte(tag.hole);
      out.count(index);
    }
    path.push(index);
    const property = Object.getOwnPropertyDescriptor(value, index)!;
    if (!property.enumerable || property.get !== undefined || property.set !== undefined)
      refuseProperty(walk, property);
    encode(walk, property.value);
    path.pop();
  }
}

/** Whether a key is an index of an array of this length. As keys ascend, the last one tells for all before it. */
function isIndexBelow(key: string | symbol, length: number): boolean {
  if (typeof key === "symbol") return false;
  const index = Number(key);
  return Number.isInteger(index) && index >= 0 && index < length && String(index) === key;
}

function encodeMap(walk: Walk, value: ReadonlyMap<unknown, unknown>): void {
  const { out, path } = walk;
  out.byte(tag.map);
  out.count(value.size);
  let at = 0;
  for (const [key, item] of Map.prototype.entries.call(value) as MapIterator<[unknown, unknown]>) {
    path.push({ map: "key", at: at++ });
    encode(walk, key);
    path[path.length - 1] = { map: "value", at: key };
    encode(walk, item);
    path.pop();
  }
}

function encodeSet(walk: Walk, value: ReadonlySet<unknown>): void {
  const { out, path } = walk;
  out.byte(tag.set);
  out.count(value.size);
  let at = 0;
  for (const item of Set.prototype.values.call(value) as SetIterator<unknown>) {
    path.push({ map: "item", at: at++ });
    encode(walk, item);
    path.pop();
  }
}

function refuseProperty(walk: Walk, property: PropertyDescriptor): never {
  const isAccessor = property.get !== undefined || property.set !== undefined;
  refuse(walk, {
    what: isAccessor ? "a getter" : "a hidden (non-enumerable) property",
    hint: isAccessor ? "Pass its value instead: getters are never run." : "Make it enumerable, or leave it out.",
  });
}

function refuse(walk: Walk, reason: NotData): never {
  const path = formatPath(walk.name, walk.path);
  throw new ValueError("RPS2001", `${path} is ${reason.what}, which has no canonical form.`, {
    hint: reason.hint,
    data: { path, what: reason.what },
  });
}
