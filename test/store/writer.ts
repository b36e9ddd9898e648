/** A process that writes to a store. Says `ready`, waits for `go`, and tells each round after it was committed. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { openFolder } from "../../src/blob/folder.ts";
import { openSqlite } from "../../src/sql/sqlite.ts";
import { openContentStore } from "../../src/store/content-store.ts";
import type { Change } from "../../src/store/metadata-store.ts";
import {
  sampleArtifact,
  sampleCode,
  sampleDigest,
  sampleEntry,
  sampleLine,
  sampleRun,
  sampleVersion,
  sparseStepRun,
} from "../../src/testing/sample-records.ts";
import { stepsPerRun, type Round } from "./round.ts";

const [folder, name, rounds] = process.argv.slice(2) as [string, string, string];

await new Promise<void>((go) => {
  process.once("message", () => go());
  process.send?.("ready");
});
await using metadata = await openSqlite({ path: join(folder, "store.db") });
await using blobs = await openFolder({ path: join(folder, "blobs") });
const content = openContentStore(blobs);
for (let round = 0; round < Number(rounds); round++) process.send?.(await play(round));
process.disconnect();

async function play(round: number): Promise<Round> {
  const run = `r-${name}-${round}`;
  // Everybody makes the same versions and the same shared artifacts, at about the same time.
  const version = await metadata.versionOf(sampleVersion(`version ${round}`));
  const root = await content.put(randomBytes(1 + Math.floor(Math.random() * 300_000)));
  const artifacts = await metadata.recordArtifacts([
    sampleArtifact("shared", `shared ${round}`, { parts: [] }),
    sampleArtifact("shared", `${run} alone`, { root, parts: [] }),
  ]);
  const uses = artifacts.map((artifact, index) => ({ ...artifact, artifact: artifact.name, slot: `output${index}` }));
  const changes: Change[] = [
    { kind: "run", run: sampleRun(run, { version: version.version }) },
    { kind: "code", code: sampleCode(`code ${round}`) },
    { kind: "cache-entry", entry: sampleEntry(`shared key ${round}`) },
    { kind: "cache-entry", entry: sampleEntry(run) },
  ];
  for (let step = 0; step < stepsPerRun; step++) {
    const outputs = uses.map(({ slot, artifact, version, digest }) => ({ slot, artifact, version, digest }));
    changes.push({ kind: "step-run", stepRun: sparseStepRun(run, `step_${step}`, { outputs }) });
    changes.push({ kind: "log", lines: [sampleLine(run, `step_${step}`, 0)] });
  }
  changes.push({ kind: "source", digest: sampleDigest(run), text: "the last change" });
  await metadata.write(changes);
  return {
    run,
    version: { digest: version.digest, number: version.version },
    artifacts: artifacts.map((artifact) => ({ digest: artifact.digest, number: artifact.version })),
    blob: root,
  };
}
