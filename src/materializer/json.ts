import type { BlobWriter, Description, Materializer, Written } from "../define/materializer.ts";
import { kindOf } from "../hash/kind.ts";
import type { JsonObject } from "../hash/json.ts";
import { ValueError } from "../error.ts";
import { summarizeNumbers } from "./number-statistics.ts";
import { previewValue } from "./preview.ts";
import { cannotStore, textFormOf } from "./storable.ts";

/**
 * Values that JSON holds exactly, as JSON text, keys in their order. Without a declaration, richer values (a Date, a Map,
 * NaN, a cycle) are stored in a richer text; declared, `json()` refuses them, so that any program can read the artifact.
 */
export function json<T = unknown>(): Materializer<T> {
  return materializer as Materializer<T>;
}

const materializer: Materializer = {
  name: "json",
  version: 1,
  mediaType: "application/json",
  extension: "json",
  accepts: isJson,
  async write(value, blobs) {
    if (textFormOf(value) !== "json") {
      throw cannotStore([], {
        what: "no exact JSON (it holds undefined, NaN, -0, a bigint, a Date, a Map, an object twice, or the like)",
        hint: "Leave the json() declaration out: it is then stored in a richer text.",
      });
    }
    return await writeAcceptedJson(value, blobs);
  },
  read: async (root, blobs) => JSON.parse(await blobs.text(root.digest)) as unknown,
  describe: describeValue,
};

/** What can be said of a value that is kept as text. */
export function describeValue(value: unknown): Description {
  return { preview: previewValue(value), metadata: summarize(value) };
}

/** As `write` of {@link json}, of a value that it has accepted a moment ago and that is as it was then: it is not looked through again. */
export async function writeAcceptedJson(value: unknown, blobs: BlobWriter): Promise<Written> {
  return { root: await blobs.put(toText(value)) };
}

function isJson(value: unknown): boolean {
  try {
    return textFormOf(value) === "json";
  } catch (error) {
    if (error instanceof ValueError) return false;
    throw error;
  }
}

function toText(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch (error) {
    throw tooLong(error);
  }
}

/** A text longer than the longest string of V8. */
export function tooLong(cause: unknown): ValueError {
  if (!(cause instanceof RangeError)) throw cause;
  return new ValueError(
    "RPS2104",
    "value is longer than a string can be (512 MiB of text), and cannot be stored as one.",
    {
      hint: "Return table(rows), a typed array, or file(path) for a file that the step has written.",
      data: { path: "value", steps: [], what: "longer than a string can be" },
      cause,
    },
  );
}

function summarize(value: unknown): JsonObject {
  if (typeof value !== "object" || value === null) return { kind: value === null ? "null" : typeof value };
  if (Array.isArray(value)) {
    const items = value as readonly unknown[];
    const numbers = items.every((item) => typeof item === "number") ? (items as readonly number[]) : [];
    return { kind: "array", length: items.length, ...summarizeNumbers(numbers) };
  }
  const kind = kindOf(value);
  if (kind === "map" || kind === "set") return { kind, size: (value as ReadonlySet<unknown>).size };
  if (kind === "record" || kind === "null-prototype record") return { kind: "record", keys: Object.keys(value).length };
  return { kind: typeof kind === "string" ? kind : "object" };
}
