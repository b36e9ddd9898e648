/** Numbers that are given out once: of a pipeline's versions and of an artifact's. To be run in a writing transaction. */
import { unnumbered, type Artifact } from "../record/artifact.ts";
import type { ArtifactUse, PipelineVersion } from "../record/run.ts";
import type { NewArtifact } from "../store/metadata-store.ts";
import { fromArtifact, fromVersion, toArtifact } from "./rows.ts";
import { change, execute, type Query } from "./statement.ts";

type NewVersion = Omit<PipelineVersion, "version">;

/** The version with this digest, if it was numbered already. */
export function* findVersion(asked: NewVersion): Query<PipelineVersion | undefined> {
  const [row] = yield* execute(
    "SELECT version, created_at FROM pipeline_versions WHERE pipeline = ? AND digest = ?",
    asked.pipeline,
    asked.digest,
  );
  if (row === undefined) return undefined;
  // Equal digests are equal plans: what was asked with spares reading a plan of thousands of nodes.
  return { ...asked, version: row["version"] as number, createdAt: row["created_at"] as number };
}

export function* numberVersion(asked: NewVersion): Query<PipelineVersion> {
  const known = yield* findVersion(asked);
  if (known !== undefined) return known;
  const [row] = yield* execute(
    "SELECT coalesce(max(version), 0) + 1 AS next FROM pipeline_versions WHERE pipeline = ?",
    asked.pipeline,
  );
  const version: PipelineVersion = { ...asked, version: row?.["next"] as number };
  yield* change(
    "INSERT INTO pipeline_versions (pipeline, version, digest, created_at, record) VALUES (?, ?, ?, ?, ?)",
    ...fromVersion(version),
  );
  return version;
}

/** The artifacts as they are recorded, in the order asked; undefined when one of them is new. */
export function* findArtifacts(asked: readonly NewArtifact[]): Query<readonly Artifact[] | undefined> {
  const found: Artifact[] = [];
  for (const each of asked) {
    const known = yield* findArtifact(each);
    if (known === undefined) return undefined;
    found.push(known);
  }
  return found;
}

/** The artifact as it is recorded, or as it is recorded now. */
export function* numberArtifact(asked: NewArtifact): Query<Artifact> {
  return (yield* findArtifact(asked)) ?? (yield* insertArtifact(asked));
}

function* findArtifact({ name, digest }: NewArtifact): Query<Artifact | undefined> {
  const [row] = yield* execute("SELECT * FROM artifacts WHERE name = ? AND digest = ?", name, digest);
  return row === undefined ? undefined : toArtifact(row);
}

/**
 * The numbers of artifacts that are named without one; those that are not recorded stay without.
 *
 * @param numbers - Those that are known, by name and digest: what is looked up is added.
 */
export function* numberUses(uses: readonly ArtifactUse[], numbers: Map<string, number>): Query<readonly ArtifactUse[]> {
  if (uses.every(({ version }) => version !== unnumbered)) return uses;
  const numbered: ArtifactUse[] = [];
  for (const use of uses) {
    const version = use.version === unnumbered ? yield* findNumber(use, numbers) : use.version;
    numbered.push(version === undefined ? use : { ...use, version });
  }
  return numbered;
}

function* findNumber({ artifact, digest }: ArtifactUse, numbers: Map<string, number>): Query<number | undefined> {
  const known = numbers.get(nameContent(artifact, digest));
  if (known !== undefined) return known;
  const [row] = yield* execute("SELECT version FROM artifacts WHERE name = ? AND digest = ?", artifact, digest);
  if (row !== undefined) numbers.set(nameContent(artifact, digest), row["version"] as number);
  return row?.["version"] as number | undefined;
}

/** What an artifact has a number by. */
export function nameContent(name: string, digest: string): string {
  return `${digest} ${name}`;
}

function* insertArtifact(asked: NewArtifact): Query<Artifact> {
  const [row] = yield* execute(
    `INSERT INTO artifact_names (name, last_version) VALUES (?, 1)
     ON CONFLICT (name) DO UPDATE SET last_version = artifact_names.last_version + 1
     RETURNING last_version`,
    asked.name,
  );
  const artifact: Artifact = { ...asked, version: row?.["last_version"] as number };
  yield* change(
    `INSERT INTO artifacts (name, version, digest, type, created_at, root, parts, record)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    ...fromArtifact(artifact),
  );
  return artifact;
}
