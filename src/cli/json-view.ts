/** JSON for people: what fits on a line stands on one. */
import type { JsonValue } from "../hash/json.ts";
import { textWidth } from "./print.ts";

/** The lines of a value, still JSON: broken only where a line would be wider than asked, and numbers in full lines. */
export function renderJson(value: JsonValue, width: number): readonly string[] {
  return render(value, "", "", width, 0);
}

function render(value: JsonValue, head: string, tail: string, width: number, depth: number): string[] {
  const indent = "  ".repeat(depth);
  const whole = `${indent}${head}${showInline(value)}${tail}`;
  if (typeof value !== "object" || value === null || textWidth(whole) <= width) return [whole];
  const items = Array.isArray(value)
    ? value.map((item) => ["", item] as const)
    : Object.entries(value).map(([key, item]) => [`${JSON.stringify(key)}: `, item] as const);
  if (items.length === 0) return [whole];
  const [open, close] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  const inner = items.every(([, item]) => typeof item === "number")
    ? fillLines(items, width, depth + 1)
    : items.flatMap(([key, item], at) =>
        render(item as JsonValue, key, at < items.length - 1 ? "," : "", width, depth + 1),
      );
  return [`${indent}${head}${open}`, ...inner, `${indent}${close}${tail}`];
}

/** As many to a line as fit. */
function fillLines(
  items: readonly (readonly [string, JsonValue | undefined])[],
  width: number,
  depth: number,
): string[] {
  const lines: string[] = [];
  let current = "";
  for (const [at, [key, item]] of items.entries()) {
    const text = `${key}${JSON.stringify(item)}${at < items.length - 1 ? "," : ""}`;
    const joined = current === "" ? `${"  ".repeat(depth)}${text}` : `${current} ${text}`;
    if (current !== "" && joined.length > width) {
      lines.push(current);
      current = `${"  ".repeat(depth)}${text}`;
    } else current = joined;
  }
  return [...lines, current];
}

/** `{ "a": 1, "b": [1, 2] }`. */
function showInline(value: JsonValue | undefined): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  if (Array.isArray(value)) return `[${value.map(showInline).join(", ")}]`;
  const fields = Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${showInline(item)}`);
  return fields.length === 0 ? "{}" : `{ ${fields.join(", ")} }`;
}
