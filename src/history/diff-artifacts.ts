/** What differs between two artifacts, as far as their records and previews tell. */
import type { Preview } from "../define/materializer.ts";
import type { JsonValue } from "../hash/json.ts";
import type { Artifact } from "../record/artifact.ts";
import { diffLines, type LineChange } from "./diff-text.ts";
import type { FactDiff } from "./diff-runs.ts";
import { artifactKey } from "./run-details.ts";

export interface ArtifactDiff {
  readonly from: Artifact;
  readonly to: Artifact;
  /** Equal bytes of an equal type. */
  readonly same: boolean;
  readonly facts: readonly FactDiff[];
  /** Of the previews, line by line; undefined where one has none that is text. */
  readonly lines: readonly LineChange[] | undefined;
  /** A preview does not show all of its value, so more may differ than the lines say. */
  readonly partial: boolean;
}

export function diffArtifacts(from: Artifact, to: Artifact): ArtifactDiff {
  const before = toFacts(from);
  const after = toFacts(to);
  const names = [...new Set([...before.keys(), ...after.keys()])];
  const oldText = toText(from.preview);
  const newText = toText(to.preview);
  return {
    from,
    to,
    same: from.digest === to.digest,
    facts: names.map((name) => {
      const [old, now] = [before.get(name), after.get(name)];
      return { name, from: old, to: now, same: old === now };
    }),
    lines: oldText === undefined || newText === undefined ? undefined : diffLines(oldText, newText),
    partial: isTruncated(from.preview) || isTruncated(to.preview),
  };
}

function toFacts(artifact: Artifact): ReadonlyMap<string, string> {
  const facts = new Map([
    ["artifact", artifactKey(artifact)],
    ["digest", artifact.digest],
    ["type", `${artifact.type} ${artifact.typeVersion}`],
    ["size", String(artifact.size)],
    ["producer", artifact.producer],
  ]);
  flatten("", artifact.metadata, facts);
  return facts;
}

function flatten(path: string, value: JsonValue, facts: Map<string, string>): void {
  if (value !== null && typeof value === "object" && !Array.isArray(value)) {
    for (const [key, each] of Object.entries(value)) flatten(path === "" ? key : `${path}.${key}`, each, facts);
  } else facts.set(path, typeof value === "string" ? value : JSON.stringify(value));
}

function toText(preview: Preview | undefined): string | undefined {
  switch (preview?.kind) {
    case "json":
      return JSON.stringify(preview.value, undefined, 2);
    case "text":
    case "markdown":
      return preview.text;
    case "table":
      return preview.rows.map((row) => row.map((cell) => JSON.stringify(cell)).join(", ")).join("\n");
    case "files":
      return preview.entries.map((entry) => `${entry.path} ${entry.size}`).join("\n");
    default:
      return undefined;
  }
}

function isTruncated(preview: Preview | undefined): boolean {
  return preview !== undefined && "truncated" in preview && preview.truncated;
}
