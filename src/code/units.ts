/** The units of a closure as the answer lists them, from the graph or from the state on disk. */
import { hash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { digestBytes, type Digest } from "../hash/digest.ts";
import type { StepAnalysis } from "./analysis.ts";
import { unitKind, type GraphNode } from "./graph.ts";
import type { CodeUnit } from "./identity.ts";
import type { StoredFile, StoredUnit, UnitsState, WarmState } from "./state.ts";

/** Names of variables, and digests of their values. */
export type Environment = readonly (readonly [name: string, digest: Digest])[];

/** Where a file is and which bytes of it were fingerprinted. */
interface Source {
  readonly path: string;
  readonly content: string;
}

/** The units of nodes, with their texts. */
export function toUnits(nodes: readonly GraphNode[], environment: Environment): CodeUnit[] {
  const texts = new Texts();
  const units = nodes.flatMap((node): CodeUnit[] => {
    const described = describe(node);
    if (described === undefined) return [];
    const { unit, file } = node;
    const text = unit === undefined || file === undefined ? undefined : texts.cut(file, unit.start, unit.end);
    return [text === undefined ? described : { ...described, text }];
  });
  return inOrder([...units, ...environmentUnits(environment)]);
}

/** The names of packages among nodes. */
export function packagesIn(nodes: readonly GraphNode[]): ReadonlySet<string> {
  return new Set(nodes.filter((node) => unitKind(node) === "package").map(({ id }) => id));
}

/** As {@link packagesIn}, of a step from the state. */
export function readPackages({ units, steps }: UnitsState, key: string): ReadonlySet<string> {
  const reached = (steps[key] ?? []).map((index) => units[index]!);
  return new Set(reached.filter(({ kind }) => kind === "package").map(({ id }) => id));
}

/** The units of a step from the state. */
export function readUnits(
  root: string,
  { files }: Pick<WarmState, "files">,
  { units, steps }: UnitsState,
  key: string,
  environment: Environment,
): CodeUnit[] {
  const texts = new Texts();
  const sources = new Map<number, Source>();
  const found = (steps[key] ?? []).map((index): CodeUnit => {
    const { span, ...unit } = units[index]!;
    if (span === undefined) return unit;
    const [at, start, end] = span;
    let source = sources.get(at);
    if (source === undefined) {
      source = { path: join(root, files[at]!.name), content: files[at]!.content };
      sources.set(at, source);
    }
    const text = texts.cut(source, start, end);
    return text === undefined ? unit : { ...unit, text };
  });
  return inOrder([...found, ...environmentUnits(environment)]);
}

/** The records of steps, for the state. */
export function toWarmSteps(
  files: readonly StoredFile[],
  analyses: ReadonlyMap<string, StepAnalysis>,
): WarmState["steps"] {
  const numbers = new Map(files.map((file, index) => [file.name, index]));
  const steps: Record<string, WarmState["steps"][string]> = {};
  for (const [key, { record }] of analyses) {
    steps[key] = { ...record, files: record.files.map((name) => numbers.get(name)!) };
  }
  return steps;
}

/** The units of all steps, for the state. */
export function toStored(files: readonly StoredFile[], analyses: ReadonlyMap<string, StepAnalysis>): UnitsState {
  const fileNumbers = new Map(files.map((file, index) => [file.name, index]));
  const numbers = new Map<GraphNode, number>();
  const units: StoredUnit[] = [];
  const steps: Record<string, number[]> = {};
  for (const [key, { nodes }] of analyses) {
    const reached: number[] = [];
    for (const node of nodes) {
      let index = numbers.get(node);
      if (index === undefined) {
        const described = describe(node);
        if (described === undefined) continue;
        index = units.length;
        numbers.set(node, index);
        const { unit, file } = node;
        const spanned = unit !== undefined && file !== undefined;
        units.push(spanned ? { ...described, span: [fileNumbers.get(file.name)!, unit.start, unit.end] } : described);
      }
      reached.push(index);
    }
    steps[key] = reached;
  }
  return { units, steps };
}

function describe(node: GraphNode): CodeUnit | undefined {
  const kind = unitKind(node);
  if (kind === undefined) return undefined;
  const { id, unit, version } = node;
  return {
    id,
    kind,
    digest: digestOf(node),
    ...(version === undefined ? {} : { version }),
    ...(unit === undefined ? {} : { lines: unit.lines }),
  };
}

function digestOf(node: GraphNode): Digest {
  if (node.kind !== "unit") return digestBytes(node.own);
  return `sha256:${Buffer.from(node.own, "base64url").toString("hex")}` as Digest;
}

function environmentUnits(environment: Environment): CodeUnit[] {
  return environment.map(([name, digest]) => ({ id: `process.env.${name}`, kind: "file", digest }));
}

function inOrder(units: CodeUnit[]): CodeUnit[] {
  return units.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
}

/** Cuts texts out of files, as long as a file's bytes are those that were fingerprinted. */
class Texts {
  readonly #known = new Map<string, string | undefined>();

  cut(source: Source, start: number, end: number): string | undefined {
    if (!this.#known.has(source.path)) this.#known.set(source.path, this.#read(source));
    return this.#known.get(source.path)?.slice(start, end);
  }

  #read({ path, content }: Source): string | undefined {
    try {
      const bytes = readFileSync(path);
      if (!content.startsWith(hash("sha256", bytes, "base64url"))) return undefined;
      return bytes.toString("utf8").replace(/^\uFEFF/u, "");
    } catch {
      return undefined;
    }
  }
}
