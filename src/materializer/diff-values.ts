/** Where two loaded values differ: the paths of the first parts that do, with both sides in short. */
import { digestValue } from "../hash/canonical.ts";
import { kindOf } from "../hash/kind.ts";
import { showValue } from "../hash/show-value.ts";
import { formatPath, type PathStep } from "../hash/value-path.ts";
import { isTagged } from "./tagged.ts";
import type { StoredDirectory } from "./stored-directory.ts";
import type { StoredFile } from "./stored-file.ts";
import type { Cell, Table } from "./table.ts";
import type { Tensor } from "./tensor.ts";

/** One place where two values differ. A side that has nothing there is undefined. */
export interface ValueDifference {
  /** `rows[3].score`, `byte 17`, `line 3`, `pages/a.txt, byte 0`; empty where the whole value differs. */
  readonly path: string;
  readonly from: string | undefined;
  readonly to: string | undefined;
}

const shownLength = 60;
/** So many parts of two values are compared one by one; what lies behind is told by its digest alone. */
const maxFound = 3;

/** The first differences, at most three. None where both are equal as data. */
export async function diffValues(from: unknown, to: unknown): Promise<readonly ValueDifference[]> {
  const found: ValueDifference[] = [];
  await compare({ found, path: [] }, from, to);
  return found;
}

interface Walk {
  readonly found: ValueDifference[];
  readonly path: PathStep[];
}

async function compare(walk: Walk, from: unknown, to: unknown): Promise<void> {
  if (isTagged(from, "file") && isTagged(to, "file")) {
    return await compareFiles(walk, "", from as StoredFile, to as StoredFile);
  }
  if (isTagged(from, "directory") && isTagged(to, "directory")) {
    return await compareDirectories(walk, from as StoredDirectory, to as StoredDirectory);
  }
  if (isTagged(from, "table") && isTagged(to, "table")) {
    return compareTables(walk, from as unknown as Table, to as unknown as Table);
  }
  if (isTagged(from, "tensor") && isTagged(to, "tensor")) return compareTensors(walk, from as Tensor, to as Tensor);
  const texts = [textOf(from), textOf(to)] as const;
  if (texts[0] !== undefined && texts[1] !== undefined) return compareTexts(walk, texts[0], texts[1]);
  comparePart(walk, from, to);
}

/** The text of a string or a document. */
function textOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  for (const format of ["markdown", "html", "svg", "csv"]) {
    if (isTagged(value, format)) return (value as { readonly text: string }).text;
  }
  return undefined;
}

function add(
  { found, path }: Walk,
  from: unknown,
  to: unknown,
  where = formatPath("", path).replace(/^\./u, ""),
): void {
  if (found.length < maxFound) found.push({ path: where, from: showSide(from), to: showSide(to) });
}

/** What is not there. */
const nothing = Symbol("nothing");

function showSide(side: unknown): string | undefined {
  return side === nothing ? undefined : showValue(side, shownLength);
}

function comparePart(walk: Walk, from: unknown, to: unknown): void {
  if (walk.found.length >= maxFound || Object.is(from, to)) return;
  if (typeof from !== "object" || typeof to !== "object" || from === null || to === null) return add(walk, from, to);
  const kind = kindOf(from);
  if (typeof kind === "object" || kind !== kindOf(to)) return add(walk, from, to);
  switch (kind) {
    case "record":
    case "null-prototype record":
      return compareMembers(walk, new Map(Object.entries(from)), new Map(Object.entries(to)), (key) => key);
    case "array":
      return compareItems(walk, from as readonly unknown[], to as readonly unknown[]);
    case "map":
      return compareMembers(walk, from as Map<unknown, unknown>, to as Map<unknown, unknown>, (at) => ({
        map: "value",
        at,
      }));
    case "set":
      return compareItems(walk, [...(from as Set<unknown>)], [...(to as Set<unknown>)], (at) => ({ map: "item", at }));
    case "typed array":
      return compareItems(walk, from as unknown as ArrayLike<unknown>, to as unknown as ArrayLike<unknown>);
    case "array buffer":
      return compareBytes(walk, "", new Uint8Array(from as ArrayBuffer), new Uint8Array(to as ArrayBuffer));
    default:
      if (digestValue(from) !== digestValue(to)) add(walk, from, to);
  }
}

function compareMembers<K>(
  walk: Walk,
  from: ReadonlyMap<K, unknown>,
  to: ReadonlyMap<K, unknown>,
  toStep: (key: K) => PathStep,
): void {
  for (const key of new Set([...from.keys(), ...to.keys()])) {
    walk.path.push(toStep(key));
    if (from.has(key) && to.has(key)) comparePart(walk, from.get(key), to.get(key));
    else add(walk, from.has(key) ? from.get(key) : nothing, to.has(key) ? to.get(key) : nothing);
    walk.path.pop();
  }
  // The same members in another order are another value to whoever iterates.
  const orders = [[...from.keys()], [...to.keys()]] as const;
  if (walk.found.length > 0) return;
  const at = orders[0].findIndex((key, index) => !Object.is(key, orders[1][index]));
  if (at !== -1)
    add(walk, orders[0][at], orders[1][at], `${formatPath("", walk.path)}.keys()[${at}]`.replace(/^\./u, ""));
}

function compareItems(
  walk: Walk,
  from: ArrayLike<unknown>,
  to: ArrayLike<unknown>,
  toStep: (index: number) => PathStep = (index) => index,
): void {
  const length = Math.max(from.length, to.length);
  for (let index = 0; index < length && walk.found.length < maxFound; index += 1) {
    if (Object.is(from[index], to[index]) && index < from.length && index < to.length) continue;
    walk.path.push(toStep(index));
    if (index < from.length && index < to.length) comparePart(walk, from[index], to[index]);
    else add(walk, index < from.length ? from[index] : nothing, index < to.length ? to[index] : nothing);
    walk.path.pop();
    // The rest of a longer one is no news.
    if (index >= Math.min(from.length, to.length)) return;
  }
}

function compareTables(walk: Walk, from: Table, to: Table): void {
  const columns = [from, to].map((each) => each.columns.map(({ name, type }) => `${name}: ${type}`));
  if (columns[0]?.join() !== columns[1]?.join()) return add(walk, columns[0], columns[1], "columns");
  const cells = from.columns.map(({ name }) => [name, from.column(name) ?? [], to.column(name) ?? []] as const);
  const length = Math.max(from.rowCount, to.rowCount);
  for (let row = 0; row < length && walk.found.length < maxFound; row += 1) {
    if (row >= from.rowCount || row >= to.rowCount) {
      return add(walk, `${from.rowCount} rows`, `${to.rowCount} rows`, `rows[${row}]`);
    }
    for (const [name, old, now] of cells) {
      if (isSameCell(old[row] as Cell, now[row] as Cell)) continue;
      add(walk, old[row], now[row], formatPath("rows", [row, name]));
    }
  }
}

function isSameCell(from: Cell, to: Cell): boolean {
  return from instanceof Date && to instanceof Date ? from.getTime() === to.getTime() : Object.is(from, to);
}

function compareTensors(walk: Walk, from: Tensor, to: Tensor): void {
  const facts = [from, to].map(({ dtype, shape }) => `${dtype} (${shape.join(", ")})`);
  if (facts[0] !== facts[1]) return add(walk, facts[0], facts[1], "shape");
  for (let index = 0; index < from.data.length && walk.found.length < maxFound; index += 1) {
    if (Object.is(from.data[index], to.data[index])) continue;
    add(walk, from.data[index], to.data[index], placeIn(from.shape, index));
  }
}

/** `[1, 0]`: where an item lies in a shape, row by row. */
function placeIn(shape: readonly number[], index: number): string {
  let rest = index;
  const place = shape.toReversed().map((length) => {
    const at = rest % length;
    rest = Math.floor(rest / length);
    return at;
  });
  return `[${place.reverse().join(", ")}]`;
}

function compareTexts(walk: Walk, from: string, to: string): void {
  if (from === to) return;
  const [old, now] = [from.split("\n"), to.split("\n")];
  const isOneLine = old.length === 1 && now.length === 1;
  for (let line = 0; line < Math.max(old.length, now.length); line += 1) {
    if (old[line] === now[line]) continue;
    return add(walk, old[line] ?? nothing, now[line] ?? nothing, isOneLine ? "" : `line ${line + 1}`);
  }
}

async function compareFiles(walk: Walk, name: string, from: StoredFile, to: StoredFile): Promise<void> {
  const label = name === "" ? "" : `${name}, `;
  if (from.name !== to.name) add(walk, from.name, to.name, `${label}name`);
  if (from.executable !== to.executable) add(walk, from.executable, to.executable, `${label}executable`);
  const [old, now] = [from.stream()[Symbol.asyncIterator](), to.stream()[Symbol.asyncIterator]()];
  // Both come in pieces, which need not be of one size.
  let [a, b] = [new Uint8Array(), new Uint8Array()] as Uint8Array[] as [Uint8Array, Uint8Array];
  for (let at = 0; ;) {
    if (a.byteLength === 0) a = ((await old.next()).value as Uint8Array | undefined) ?? a;
    if (b.byteLength === 0) b = ((await now.next()).value as Uint8Array | undefined) ?? b;
    const length = Math.min(a.byteLength, b.byteLength);
    const isSame = length > 0 && Buffer.compare(a.subarray(0, length), b.subarray(0, length)) === 0;
    if (!isSame) {
      if (a.byteLength + b.byteLength > 0) compareBytes(walk, label, a, b, at);
      await old.return?.();
      await now.return?.();
      return;
    }
    at += length;
    [a, b] = [a.subarray(length), b.subarray(length)];
  }
}

function compareBytes(walk: Walk, label: string, from: Uint8Array, to: Uint8Array, start = 0): void {
  const length = Math.max(from.byteLength, to.byteLength);
  for (let at = 0; at < length; at += 1) {
    if (from[at] === to[at]) continue;
    return add(walk, from[at] ?? nothing, to[at] ?? nothing, `${label}byte ${start + at}`);
  }
}

async function compareDirectories(walk: Walk, from: StoredDirectory, to: StoredDirectory): Promise<void> {
  const [old, now] = [new Set(await from.paths()), new Set(await to.paths())];
  for (const path of [...new Set([...old, ...now])].sort()) {
    if (walk.found.length >= maxFound) return;
    if (old.has(path) && now.has(path)) await compareFiles(walk, path, from.file(path), to.file(path));
    else add(walk, old.has(path) ? `a file` : nothing, now.has(path) ? `a file` : nothing, path);
  }
}
