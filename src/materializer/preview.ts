/** Previews: small, whatever the size of the value. */
import type { Preview } from "../define/materializer.ts";
import type { JsonValue } from "../hash/json.ts";
import { kindOf } from "../hash/kind.ts";
import { showValue } from "../hash/show-value.ts";

export const maxPreviewRows = 100;
export const maxPreviewColumns = 50;
/** Characters of a text preview, and of the JSON text of a table's. */
export const maxPreviewLength = 32_000;
/** Characters of the JSON text of a value's preview, about. */
const maxJsonLength = 8000;
const maxItemLength = 500;
const maxDepth = 8;

/** A value as JSON, cut to size; what JSON cannot hold is shown as text. */
export function previewValue(value: unknown): Preview {
  const cut: Cut = { left: maxJsonLength, truncated: false };
  const json = toJson(value, cut, 0);
  return { kind: "json", value: json, truncated: cut.truncated };
}

export function previewText(kind: "text" | "markdown", text: string): Preview {
  const start = text.slice(0, maxPreviewLength);
  // A control character takes six characters in JSON.
  const room = JSON.stringify(start).length <= maxPreviewLength * 1.5 ? maxPreviewLength : maxPreviewLength / 6;
  const truncated = text.length > room;
  return { kind, text: truncated ? `${wellFormedStart(text, room - 1)}…` : text, truncated };
}

/** One cell or leaf, shortened. */
export function previewLeaf(value: unknown, maxLength = maxItemLength): JsonValue {
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value) && !Object.is(value, -0)) return value;
  if (typeof value === "string") {
    return value.length <= maxLength ? value.toWellFormed() : `${wellFormedStart(value, maxLength - 1)}…`;
  }
  return showValue(value, maxLength).toWellFormed();
}

interface Cut {
  left: number;
  truncated: boolean;
}

function toJson(value: unknown, cut: Cut, depth: number): JsonValue {
  const kind = typeof value === "object" && value !== null ? kindOf(value) : undefined;
  if (depth < maxDepth && kind === "array") return toJsonArray(value as readonly unknown[], cut, depth);
  if (depth < maxDepth && (kind === "record" || kind === "null-prototype record")) {
    return toJsonRecord(value as object, cut, depth);
  }
  const leaf = previewLeaf(value);
  // Dates, maps and the like stand as text, and are whole unless that was cut.
  const whole = typeof value === "string" ? value : undefined;
  if (typeof leaf === "string" && leaf !== whole && leaf.includes("…")) cut.truncated = true;
  cut.left -= lengthOf(leaf) + 1;
  return leaf;
}

/** Of the JSON text of a leaf. */
function lengthOf(leaf: JsonValue): number {
  if (typeof leaf === "string") return JSON.stringify(leaf).length;
  // To write a fraction takes longer than to store it; most have about so many characters.
  return typeof leaf === "number" && !Number.isInteger(leaf) ? 19 : String(leaf).length;
}

function toJsonArray(value: readonly unknown[], cut: Cut, depth: number): JsonValue {
  const items: JsonValue[] = [];
  for (let index = 0; index < value.length; index++) {
    if (index >= maxPreviewRows || cut.left <= 0) {
      cut.truncated = true;
      break;
    }
    items.push(toJson(Object.getOwnPropertyDescriptor(value, index)?.value, cut, depth + 1));
  }
  return items;
}

function toJsonRecord(value: object, cut: Cut, depth: number): JsonValue {
  const fields: [string, JsonValue][] = [];
  for (const key of Object.keys(value)) {
    if (fields.length >= maxPreviewRows || cut.left <= 0) {
      cut.truncated = true;
      break;
    }
    const name = previewLeaf(key) as string;
    cut.left -= JSON.stringify(name).length + 2;
    fields.push([name, toJson(Object.getOwnPropertyDescriptor(value, key)?.value, cut, depth + 1)]);
  }
  return Object.fromEntries(fields);
}

/** The first characters of a text, without half a surrogate pair at the end. */
function wellFormedStart(text: string, length: number): string {
  return text
    .slice(0, length)
    .toWellFormed()
    .replace(/\ufffd$/u, "");
}

/** A table preview with as many of its rows as may be kept. */
export function fitRows(preview: Extract<Preview, { kind: "table" }>): Preview {
  let left = maxPreviewLength - JSON.stringify(preview.columns).length;
  const rows = preview.rows.slice(0, maxPreviewRows);
  const fitting = rows.findIndex((row) => (left -= JSON.stringify(row).length + 1) < 0);
  if (fitting === -1) return { ...preview, rows };
  return { ...preview, rows: rows.slice(0, fitting), truncated: true };
}
