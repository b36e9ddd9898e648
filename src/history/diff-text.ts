/** What differs between two texts, line by line: Myers, "An O(ND) Difference Algorithm and Its Variations" (1986). */

export interface LineChange {
  readonly kind: "same" | "removed" | "added";
  readonly text: string;
}

/** Beyond this many differing lines the middle counts as replaced: the search grows with the square of it. */
const maxEdits = 2000;

/** Every line of both texts, in order; removed ones stand before added ones. */
export function diffLines(from: string, to: string): readonly LineChange[] {
  const a = from.split("\n");
  const b = to.split("\n");
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  return [
    ...a.slice(0, start).map((text) => ({ kind: "same" as const, text })),
    ...diffMiddle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...a.slice(a.length - end).map((text) => ({ kind: "same" as const, text })),
  ];
}

function diffMiddle(a: readonly string[], b: readonly string[]): readonly LineChange[] {
  const trace = searchShortest(a, b);
  if (trace === undefined) {
    return [
      ...a.map((text) => ({ kind: "removed" as const, text })),
      ...b.map((text) => ({ kind: "added" as const, text })),
    ];
  }
  const changes: LineChange[] = [];
  let x = a.length;
  let y = b.length;
  for (let depth = trace.length - 1; depth >= 0; depth -= 1) {
    const reached = trace[depth] as ReadonlyMap<number, number>;
    const diagonal = x - y;
    const isDown = depth > 0 && comesFromAbove(reached, diagonal, depth);
    const previous = isDown ? diagonal + 1 : diagonal - 1;
    const fromX = depth === 0 ? 0 : (reached.get(previous) ?? 0);
    const fromY = depth === 0 ? 0 : fromX - previous;
    while (x > fromX && y > fromY && x > 0 && y > 0) {
      changes.push({ kind: "same", text: a[x - 1] ?? "" });
      x -= 1;
      y -= 1;
    }
    if (depth === 0) break;
    if (isDown) changes.push({ kind: "added", text: b[fromY] ?? "" });
    else changes.push({ kind: "removed", text: a[fromX] ?? "" });
    x = fromX;
    y = fromY;
  }
  return changes.reverse();
}

/** For each number of edits, how far each diagonal reached before that edit; undefined beyond the limit. */
function searchShortest(a: readonly string[], b: readonly string[]): ReadonlyMap<number, number>[] | undefined {
  const reached = new Map<number, number>([[1, 0]]);
  const trace: ReadonlyMap<number, number>[] = [];
  for (let depth = 0; depth <= Math.min(a.length + b.length, maxEdits); depth += 1) {
    trace.push(new Map(reached));
    for (let diagonal = -depth; diagonal <= depth; diagonal += 2) {
      let x = comesFromAbove(reached, diagonal, depth)
        ? (reached.get(diagonal + 1) ?? 0)
        : (reached.get(diagonal - 1) ?? 0) + 1;
      while (x < a.length && x - diagonal < b.length && a[x] === b[x - diagonal]) x += 1;
      reached.set(diagonal, x);
      if (x >= a.length && x - diagonal >= b.length) return trace;
    }
  }
  return undefined;
}

function comesFromAbove(reached: ReadonlyMap<number, number>, diagonal: number, depth: number): boolean {
  if (diagonal === -depth) return true;
  return diagonal !== depth && (reached.get(diagonal - 1) ?? 0) < (reached.get(diagonal + 1) ?? 0);
}

/** The changed lines with a few around them; `undefined` stands for lines that are left out. */
export function toHunks(changes: readonly LineChange[], context = 2): readonly (LineChange | undefined)[] {
  const shown = new Set<number>();
  for (const [at, change] of changes.entries()) {
    if (change.kind === "same") continue;
    for (let near = at - context; near <= at + context; near += 1) shown.add(near);
  }
  const hunks: (LineChange | undefined)[] = [];
  for (const [at, change] of changes.entries()) {
    if (shown.has(at)) hunks.push(change);
    else if (hunks.at(-1) !== undefined) hunks.push(undefined);
  }
  return hunks.at(-1) === undefined ? hunks.slice(0, -1) : hunks;
}
