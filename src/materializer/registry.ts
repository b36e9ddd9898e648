import type { Materializer } from "../define/materializer.ts";
import { ValueError } from "../error.ts";
import { kindOf, refusePrimitive, type NotData } from "../hash/kind.ts";
import { arrayBuffer, buffer, bytes } from "./bytes.ts";
import { directory } from "./directory.ts";
import { documentMaterializers } from "./document.ts";
import { file } from "./file.ts";
import { imageMaterializers } from "./image.ts";
import { json } from "./json.ts";
import { richValue } from "./rich-value.ts";
import { recordsMaterializer, tableMaterializer } from "./table.ts";
import { tensor } from "./tensor.ts";
import { text } from "./text.ts";
import { typedArray } from "./typed-array.ts";

/** The materializers that a store is used with. */
export interface Registry {
  /** In the order in which they are asked about an undeclared value. */
  readonly materializers: readonly Materializer[];
  /** The one for an undeclared value: the first that accepts it. Throws a ValueError (RPS2101) when none does. */
  findFor(value: unknown): Materializer;
  /** The one that reads artifacts of a type. Throws a ValueError (RPS2103) when it is unknown, or older than the bytes. */
  findByType(type: string, version: number): Materializer;
  /** This registry and more: those that steps declare, so that what they wrote can be read. */
  with(more: readonly Materializer[]): Registry;
}

/** A registry of the given materializers, which are asked first, and of all that come with Reprise. */
export function createRegistry(materializers: readonly Materializer[] = []): Registry {
  return toRegistry([...materializers, ...builtIn]);
}

/** Whether a value is a materializer: what an output may be declared as. */
export function isMaterializer(value: unknown): value is Materializer {
  if (typeof value !== "object" || value === null) return false;
  const { name, read, write } = value as Partial<Record<keyof Materializer, unknown>>;
  return typeof name === "string" && typeof read === "function" && typeof write === "function";
}

// Values that say what they are come first, then bytes and numbers, and what any data can be stored as comes last.
const builtIn: readonly Materializer[] = [
  file(),
  directory(),
  tableMaterializer,
  recordsMaterializer,
  tensor(),
  ...documentMaterializers,
  ...imageMaterializers,
  text(),
  bytes(),
  buffer,
  arrayBuffer,
  typedArray,
  json(),
  richValue,
] as readonly Materializer[];

function toRegistry(materializers: readonly Materializer[]): Registry {
  return {
    materializers,
    findFor: (value) => materializers.find((materializer) => materializer.accepts(value)) ?? refuse(value),
    findByType: (type, version) => findByType(materializers, type, version),
    with: (more) => toRegistry([...more.filter((one) => !materializers.includes(one)), ...materializers]),
  };
}

function refuse(value: unknown): never {
  const { what, hint } = whyNot(value);
  throw new ValueError("RPS2101", `value is ${what}, which no materializer takes.`, {
    // What is said of parameters names a materializer already.
    hint: `${/materializer/u.test(hint) ? "Return its plain fields instead (toJSON is never called)." : hint} Or write a materializer for it and declare the output with it.`,
    data: { path: "value", steps: [], what },
  });
}

function whyNot(value: unknown): NotData {
  const reason = typeof value === "object" && value !== null ? kindOf(value) : refusePrimitive(value);
  return typeof reason === "object" ? reason : { what: `of type ${typeof value}`, hint: "Return plain data." };
}

function findByType(materializers: readonly Materializer[], type: string, version: number): Materializer {
  const known = materializers.filter(({ name }) => name === type);
  const [newest] = known.toSorted((one, other) => other.version - one.version);
  if (newest === undefined) {
    throw new ValueError("RPS2103", `Nothing reads artifacts of type "${type}".`, {
      hint: `Add the materializer named "${type}" to materializers in reprise.config.ts.`,
      data: { type, version },
    });
  }
  if (newest.version < version) {
    throw new ValueError(
      "RPS2103",
      `The artifact was written by version ${version} of "${type}", and version ${newest.version} is the newest known.`,
      {
        hint: "Update the package that the materializer comes from, or run the step again with --no-cache.",
        data: { type, version, known: newest.version },
      },
    );
  }
  return known.find((one) => one.version === version) ?? newest;
}
