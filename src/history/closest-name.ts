/** Near misses: which known name was probably meant. */

/** The known names nearest to a word, best first; none when nothing is near. */
export function closestNames(word: string, known: Iterable<string>, limit = 3): readonly string[] {
  const lower = word.toLowerCase();
  const near: { name: string; distance: number }[] = [];
  for (const name of new Set(known)) {
    const other = name.toLowerCase();
    const allowed = Math.max(1, Math.floor(Math.max(lower.length, other.length) / 3));
    const contained = lower.length >= 3 && other.includes(lower);
    const distance = contained ? 0.5 : editDistance(lower, other, allowed);
    if (distance <= allowed) near.push({ name, distance });
  }
  return near
    .sort((a, b) => a.distance - b.distance || (a.name < b.name ? -1 : 1))
    .slice(0, limit)
    .map(({ name }) => name);
}

/** `Did you mean "model"?`, or undefined when nothing is near. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const names = closestNames(word, known);
  return names.length === 0 ? undefined : `Did you mean ${names.map((name) => `"${name}"`).join(" or ")}?`;
}

/**
 * Insertions, deletions, replacements and swaps of neighbours between two texts (optimal string alignment); gives up
 * with Infinity beyond `limit`.
 */
export function editDistance(a: string, b: string, limit = Number.POSITIVE_INFINITY): number {
  if (Math.abs(a.length - b.length) > limit) return Number.POSITIVE_INFINITY;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = (last[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      let best = Math.min(replaced, (last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(best);
    }
    if (Math.min(...row) > limit) return Number.POSITIVE_INFINITY;
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? Number.POSITIVE_INFINITY;
}
