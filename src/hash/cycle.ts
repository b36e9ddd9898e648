import { kindOf } from "./kind.ts";

/**
 * The objects of a value that lie on cycles: object → number of the cycle. Objects that can reach one another are on the
 * same one (strongly connected components, R. Tarjan, 1972). Runs no code of the value.
 */
export function findCycles(root: unknown, maxDepth: number): ReadonlyMap<object, number> {
  const cycles = new Map<object, number>();
  const entries = new Map<object, { order: number; low: number; open: boolean }>();
  const open: object[] = [];
  let count = 0;

  const visit = (value: object, depth: number): number => {
    const entry = { order: entries.size, low: entries.size, open: true };
    entries.set(value, entry);
    open.push(value);
    let pointsAtItself = false;
    // What is deeper is refused by whoever writes the value.
    for (const child of depth < maxDepth ? children(value) : []) {
      if (child === value) pointsAtItself = true;
      const known = entries.get(child);
      if (known === undefined) entry.low = Math.min(entry.low, visit(child, depth + 1));
      else if (known.open) entry.low = Math.min(entry.low, known.order);
    }
    if (entry.low === entry.order) {
      const members = open.splice(open.lastIndexOf(value));
      for (const member of members) {
        entries.get(member)!.open = false;
        if (members.length > 1 || pointsAtItself) cycles.set(member, count);
      }
      count++;
    }
    return entry.low;
  };

  if (isObject(root)) visit(root, 0);
  return cycles;
}

function children(value: object): readonly object[] {
  switch (kindOf(value)) {
    case "record":
    case "null-prototype record":
    case "array":
      return Reflect.ownKeys(value)
        .map((key): unknown => Object.getOwnPropertyDescriptor(value, key)?.value)
        .filter(isObject);
    case "map":
      return [...(Map.prototype.entries.call(value) as MapIterator<[unknown, unknown]>)].flat().filter(isObject);
    case "set":
      return [...(Set.prototype.values.call(value) as SetIterator<unknown>)].filter(isObject);
    default:
      return [];
  }
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
