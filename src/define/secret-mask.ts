/** The secrets of one plan: found in values, and hidden in texts. */
import type { JsonValue } from "../hash/json.ts";
import { bytesOf, kindOf, unbox } from "../hash/kind.ts";

/** What stands where a secret would. */
export const hiddenSecret = "***";

/** A shorter text is not sought inside of others: it would be found everywhere. */
const soughtLength = 6;
/** A number of fewer digits is not followed to where it goes. */
const followedDigits = 4;

/** Knows secrets, and shows none: neither `inspect` nor `JSON.stringify` finds anything in it. */
export class SecretMask {
  /** Texts that are a secret as a whole. */
  readonly #whole = new Set<string>();
  /** Texts that are hidden wherever they stand: secrets, and the forms that they take in URLs, in JSON and as base64. */
  readonly #sought = new Set<string>();
  /** Lengths of secrets that are bytes. */
  readonly #lengths = new Set<number>();
  #ordered: readonly string[] | undefined;
  #isUsed = false;
  readonly #outer: SecretMask | undefined;

  /** `outer` knows other secrets, which count here as well. */
  constructor(outer?: SecretMask) {
    this.#outer = outer;
  }

  /** Whether there are secrets at all; they may be too short to be sought. */
  get isUsed(): boolean {
    return this.#isUsed || this.#outer?.isUsed === true;
  }

  /** The length of the longest text that is sought, in bytes. */
  get longest(): number {
    return Math.max(this.#outer?.longest ?? 0, ...[...this.#sought].map((text) => Buffer.byteLength(text)));
  }

  /** Takes a secret: of a record, a list, a map or a set, every text in it is one. */
  add(secret: unknown): void {
    if (secret === undefined || secret === null) return;
    this.#isUsed = true;
    visitLeaves(secret, (leaf) => {
      this.#addLeaf(leaf);
      return false;
    });
    this.#ordered = undefined;
  }

  /** Whether a value is a secret, or has one in it. */
  holds(value: unknown): boolean {
    if (this.#outer?.holds(value) === true) return true;
    if (this.#whole.size === 0) return false;
    return visitLeaves(value, (leaf) => {
      if (typeof leaf === "string") return this.#whole.has(leaf) || this.#holdsPart(leaf);
      return (this.#lengths.has(leaf.length) && this.#whole.has(toHex(leaf))) || this.holdsBytes(leaf);
    });
  }

  /** Whether there is the text of a secret in bytes. */
  holdsBytes(bytes: Uint8Array): boolean {
    if (this.#outer?.holdsBytes(bytes) === true) return true;
    const buffer = toBuffer(bytes);
    for (const text of this.#sought) if (buffer.includes(text)) return true;
    return false;
  }

  /** A text without its secrets. */
  hide(text: string): string {
    const rest = this.#outer?.hide(text) ?? text;
    if (this.#whole.has(rest)) return hiddenSecret;
    this.#ordered ??= inOrder(this.#sought);
    // One by one: in a regular expression there is no room for a long one.
    return this.#ordered.reduce((left, secret) => left.replaceAll(secret, hiddenSecret), rest);
  }

  /** Data without its secrets; names of members count. */
  hideIn<T extends JsonValue | undefined>(data: T): T {
    if (typeof data === "string") return this.hide(data) as T;
    if (typeof data === "number") return (this.holds(data) ? hiddenSecret : data) as T;
    if (typeof data !== "object" || data === null) return data;
    if (Array.isArray(data)) return data.map((item: JsonValue) => this.hideIn(item)) as unknown as T;
    return Object.fromEntries(Object.entries(data).map(([name, item]) => [this.hide(name), this.hideIn(item)])) as T;
  }

  #addLeaf(leaf: string | Uint8Array): void {
    if (leaf instanceof Uint8Array) {
      if (leaf.length === 0) return;
      this.#lengths.add(leaf.length);
      this.#whole.add(toHex(leaf));
      const text = toBuffer(leaf).toString("utf8");
      for (const form of [toHex(leaf), ...toBase64(leaf)]) this.#seek(form);
      if (!text.includes("\uFFFD")) this.#seek(text);
      return;
    }
    if (leaf === "") return;
    this.#whole.add(leaf);
    if (leaf.length < soughtLength) return;
    const bytes = Buffer.from(leaf);
    for (const form of [leaf, JSON.stringify(leaf).slice(1, -1), ...toBase64(bytes)]) this.#seek(form);
    for (const form of inUrls(leaf)) this.#seek(form);
    // Logs are kept line by line.
    for (const line of leaf.split("\n")) this.#seek(line.trim());
    // Credentials often come as a file of JSON, and are logged by their fields.
    const parsed = parseRecord(leaf);
    if (parsed !== undefined) this.add(parsed);
    const password = URL.canParse(leaf) ? new URL(leaf).password : "";
    this.#seek(password);
    this.#seek(decode(password));
  }

  #seek(text: string): void {
    if (text.length >= soughtLength) this.#sought.add(text);
  }

  #holdsPart(text: string): boolean {
    for (const part of this.#sought) if (text.includes(part)) return true;
    return false;
  }
}

/** The longest first: a secret may begin like another one. */
function inOrder(texts: ReadonlySet<string>): readonly string[] {
  return [...texts].toSorted((a, b) => b.length - a.length);
}

function parseRecord(text: string): object | undefined {
  if (!/^\s*[{[]/u.test(text)) return undefined;
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function toHex(bytes: Uint8Array): string {
  return toBuffer(bytes).toString("hex");
}

/** As parts of a path, of a query, and of a form. */
function inUrls(text: string): readonly string[] {
  if (!text.isWellFormed()) return [];
  const form = new URLSearchParams([["", text]]).toString().slice(1);
  return [encodeURI(text), encodeURIComponent(text), form, form.replaceAll("+", "%20")];
}

/** Alone, and where something stands before and behind it, as the user does in `Authorization: Basic`. */
function toBase64(bytes: Uint8Array): readonly string[] {
  const whole = toBuffer(bytes).toString("base64");
  const inner = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString("base64");
    // Groups of three bytes that hold nothing else.
    return text.slice(before === 0 ? 0 : 4, Math.floor((before + bytes.length) / 3) * 4);
  });
  const forms = [whole, whole.replace(/=+$/u, ""), ...inner];
  return [...forms, ...forms.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))];
}

/** The same memory. */
function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** Visits texts, numbers as texts, and bytes, until one is found. Runs no code of the value. */
function visitLeaves(value: unknown, found: (leaf: string | Uint8Array) => boolean, seen = new Set<object>()): boolean {
  if (typeof value === "string") return found(value);
  if (typeof value === "number" || typeof value === "bigint") {
    const text = String(value);
    return text.replaceAll(/\D/gu, "").length >= followedDigits && found(text);
  }
  if (typeof value !== "object" || value === null || seen.has(value)) return false;
  seen.add(value);
  const visit = (part: unknown): boolean => visitLeaves(part, found, seen);
  switch (kindOf(value)) {
    case "map":
      return [...(value as ReadonlyMap<unknown, unknown>)].some(([key, item]) => visit(key) || visit(item));
    case "set":
      return [...(value as ReadonlySet<unknown>)].some(visit);
    case "typed array":
    case "data view":
      return found(bytesOf(value as ArrayBufferView));
    case "array buffer":
      return found(new Uint8Array(value as ArrayBuffer));
    case "url":
      return found((value as URL).href);
    case "url search params":
      return found(URLSearchParams.prototype.toString.call(value));
    case "boxed primitive":
      return visit(unbox(value));
    case "record":
    case "null-prototype record":
    case "array":
      return Reflect.ownKeys(value).some((key) => {
        if (typeof key === "symbol" || (key === "length" && Array.isArray(value))) return false;
        return visit(Object.getOwnPropertyDescriptor(value, key)?.value);
      });
    default:
      return false;
  }
}
