/** Parameters of a pipeline from words of a command line. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { UsageError } from "../error.ts";
import { didYouMean } from "../history/did-you-mean.ts";
import type { ExtraFlag } from "./command.ts";

/** What is known of one parameter. */
export interface ParamInfo {
  readonly name: string;
  /** JSON Schema's types; empty when it does not say. */
  readonly types: readonly string[];
  readonly choices: readonly unknown[] | undefined;
  readonly description: string | undefined;
  readonly initial: unknown;
  readonly required: boolean;
}

export interface ParsedParams {
  readonly params: Readonly<Record<string, unknown>>;
  /** Words that stood behind a switch, and are no values. */
  readonly loose: readonly string[];
}

/**
 * Reads `--param k=v` and `--k v`. A value becomes what the schema takes: `5` a number, or a text where only a text
 * fits. What comes from `sources` is a text, or something else where no text fits. Throws a UsageError for a parameter that
 * the schema does not have.
 */
export async function parseParams(
  schema: StandardSchemaV1 | undefined,
  pairs: readonly string[],
  extra: readonly ExtraFlag[],
  sources: ReadonlyMap<string, string> = new Map(),
): Promise<ParsedParams> {
  const infos = describeParams(schema);
  const texts = new Map<string, string | boolean>();
  const loose: string[] = [];
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) {
      throw new UsageError("RPS6001", `--param takes name=value, but got "${pair}"`, { hint: "Write -p gamma=0.02" });
    }
    texts.set(toKnownName(pair.slice(0, at), infos), pair.slice(at + 1));
  }
  for (const flag of extra) {
    const negated = negatedName(flag, infos);
    const name = negated ?? toKnownName(flag.name, infos);
    const info = infos?.find((each) => each.name === name);
    const isSwitch = info?.types.length === 1 && info.types[0] === "boolean";
    const isValue = flag.value === "true" || flag.value === "false";
    if (flag.loose && flag.value !== undefined && isSwitch && !isValue) loose.push(flag.value);
    texts.set(
      name,
      flag.value === undefined || (flag.loose && isSwitch && !isValue) ? negated === undefined : flag.value,
    );
  }
  const read = new Map([...sources].map(([name, text]) => [toKnownName(name, infos), text] as const));
  const doubled = [...read.keys()].find((name) => texts.has(name));
  if (doubled !== undefined) {
    throw new UsageError("RPS6001", `Parameter "${doubled}" is given twice`, { hint: "Give it in one way" });
  }
  return { params: await coerce(schema, texts, read), loose };
}

/** The parameters as the schema's JSON form lists them; undefined when it has none. */
export function describeParams(schema: StandardSchemaV1 | undefined): readonly ParamInfo[] | undefined {
  const json = toJsonSchema(schema);
  if (json?.properties === undefined) return undefined;
  const required = new Set(json.required ?? []);
  return Object.entries(json.properties).map(([name, property]) => ({
    name,
    types: [property.type ?? []].flat(),
    choices: property.enum,
    description: property.description,
    initial: property.default,
    required: required.has(name) && property.default === undefined,
  }));
}

interface JsonSchema {
  readonly properties?: Readonly<
    Record<
      string,
      {
        readonly type?: string | readonly string[];
        readonly enum?: readonly unknown[];
        readonly description?: string;
        readonly default?: unknown;
      }
    >
  >;
  readonly required?: readonly string[];
}

/** By the Standard JSON Schema interface, which zod, arktype and others have. */
function toJsonSchema(schema: StandardSchemaV1 | undefined): JsonSchema | undefined {
  const standard = schema?.["~standard"] as
    | { readonly jsonSchema?: { input(options: { readonly target: string }): unknown } }
    | undefined;
  try {
    return standard?.jsonSchema?.input({ target: "draft-2020-12" }) as JsonSchema | undefined;
  } catch {
    // A schema may hold what JSON Schema has no words for; the values are checked all the same.
    return undefined;
  }
}

function toKnownName(word: string, infos: readonly ParamInfo[] | undefined): string {
  if (infos === undefined || infos.some((info) => info.name === word)) return word;
  const camel = word.replace(/-(?<letter>[a-z])/gu, (_, letter: string) => letter.toUpperCase());
  if (infos.some((info) => info.name === camel)) return camel;
  const names = infos.map((info) => info.name);
  throw new UsageError("RPS6001", `The pipeline has no parameter "${word}", and the command no flag --${word}`, {
    hint: didYouMean(word, names) ?? (names.length === 0 ? "It takes none" : `It takes: ${names.join(", ")}`),
  });
}

/** `--no-shuffle`, where `shuffle` is a parameter. */
function negatedName(flag: ExtraFlag, infos: readonly ParamInfo[] | undefined): string | undefined {
  if (!flag.name.startsWith("no-") || flag.value !== undefined) return undefined;
  const name = flag.name.slice(3);
  return infos?.some((info) => info.name === name && info.types.includes("boolean")) ? name : undefined;
}

/** Each word is read as JSON first, and taken as it is where the schema refuses that; what comes from a source, the other way round. */
async function coerce(
  schema: StandardSchemaV1 | undefined,
  words: ReadonlyMap<string, string | boolean>,
  read: ReadonlyMap<string, string>,
): Promise<Readonly<Record<string, unknown>>> {
  const values: Record<string, unknown> = Object.fromEntries([
    ...[...words].map(([name, text]) => [name, readValue(text)]),
    ...read,
  ]);
  if (schema === undefined) return values;
  const others: Record<string, unknown> = { ...values };
  for (const name of await refusedNames(schema, values)) {
    const text = words.get(name);
    if (typeof text === "string") others[name] = text;
    if (read.has(name)) others[name] = readValue(read.get(name) as string);
  }
  const stillRefused = new Set(await refusedNames(schema, others));
  // Where neither fits, the error tells of the value as it was read.
  return Object.fromEntries(
    Object.entries(others).map(([name, value]) => [name, stillRefused.has(name) ? values[name] : value]),
  );
}

async function refusedNames(schema: StandardSchemaV1, values: object): Promise<readonly string[]> {
  const result = await schema["~standard"].validate(values);
  return (result.issues ?? []).flatMap((issue) => {
    const [first] = issue.path ?? [];
    const key = typeof first === "object" ? first.key : first;
    return key === undefined ? [] : [String(key)];
  });
}

function readValue(text: string | boolean): unknown {
  if (typeof text === "boolean") return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
