/** The part of the metadata store's contract about changes as a whole: in order, together or not at all. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { StoreError } from "../error.ts";
import type { StepRunId } from "../record/id.ts";
import type { Change, MetadataStore } from "../store/metadata-store.ts";
import {
  sampleArtifact,
  sampleCode,
  sampleDigest,
  sampleEntry,
  sampleLine,
  samplePoint,
  sampleRun,
  sampleStepRun,
  sparseRun,
  sparseStepRun,
  toRunId,
} from "./sample-records.ts";

export function testWrites(current: () => MetadataStore): void {
  const impossible: readonly Change[] = [
    { kind: "step-run", stepRun: sparseStepRun("r-9", "a") },
    { kind: "log", lines: [sampleLine("r-9", "a", 0)] },
    { kind: "metric", points: [samplePoint("r-9/a")] },
    { kind: "tag-run", run: toRunId("r-9"), tags: { a: "" } },
  ];

  for (const change of impossible) {
    it(`changes nothing when a change of kind ${change.kind} needs a run that is not there`, async () => {
      const store = current();
      await store.write([{ kind: "run", run: sparseRun("r-1") }]);
      const changes: Change[] = [
        { kind: "run", run: sampleRun("r-2") },
        { kind: "tag-run", run: toRunId("r-1"), tags: { a: "" } },
        { kind: "cache-entry", entry: sampleEntry("a") },
        { kind: "code", code: sampleCode("a") },
        change,
        { kind: "source", digest: sampleDigest("a"), text: "a" },
      ];
      await assert.rejects(
        store.write(changes),
        (error) => error instanceof StoreError && error.code === "RPS4005" && error.message.includes("r-9"),
      );
      assert.deepEqual(await store.runs({}), [sparseRun("r-1")]);
      assert.deepEqual(await store.cacheEntriesOf({}), []);
      assert.equal((await store.code([sampleCode("a").digest])).size, 0);
      assert.equal((await store.sources([sampleDigest("a")])).size, 0);
      // What was rolled back leaves no trace in what is written next.
      await store.write([{ kind: "code", code: sampleCode("a") }]);
      assert.deepEqual((await store.code([sampleCode("a").digest])).get(sampleCode("a").digest), sampleCode("a"));
    });
  }

  it("applies changes in order", async () => {
    const store = current();
    await store.write([
      { kind: "run", run: sampleRun("r-1") },
      { kind: "step-run", stepRun: sampleStepRun("r-1", "a") },
      { kind: "remove-runs", runs: [toRunId("r-1")] },
      { kind: "run", run: sampleRun("r-1") },
      { kind: "tag-run", run: toRunId("r-1"), tags: { a: "1" } },
      { kind: "tag-run", run: toRunId("r-1"), tags: { a: "2" } },
    ]);
    assert.deepEqual(await store.runs({}), [sampleRun("r-1", { tags: { a: "2" } })]);
    assert.deepEqual(await store.stepRuns({}), []);
    await assert.rejects(
      store.write([
        { kind: "remove-runs", runs: [toRunId("r-1")] },
        { kind: "step-run", stepRun: sampleStepRun("r-1", "a") },
      ]),
      StoreError,
    );
    assert.equal((await store.runs({})).length, 1);
  });

  it("keeps the order of writes that nobody waits for", async () => {
    const store = current();
    const written = [store.write([{ kind: "run", run: sampleRun("r-1") }])];
    for (let seq = 0; seq < 50; seq++) {
      written.push(store.write([{ kind: "log", lines: [sampleLine("r-1", "a", seq)] }]));
    }
    await Promise.all(written);
    const lines = await store.logs({ stepRuns: ["r-1/a" as StepRunId] });
    assert.deepEqual(
      lines.map((line) => line.seq),
      Array.from({ length: 50 }, (_, seq) => seq),
    );
  });

  it("refuses one of several writes that are asked for at once, and applies the others", async () => {
    const store = current();
    await store.write([{ kind: "run", run: sampleRun("r-1") }]);
    const writes = [
      store.write([
        { kind: "code", code: sampleCode("a") },
        { kind: "artifact", artifact: sampleArtifact("model", "a") },
      ]),
      store.write([
        { kind: "code", code: sampleCode("b") },
        { kind: "artifact", artifact: sampleArtifact("model", "b") },
        { kind: "step-run", stepRun: sparseStepRun("r-9", "a") },
      ]),
      store.write([
        { kind: "code", code: sampleCode("b") },
        { kind: "artifact", artifact: sampleArtifact("model", "c") },
      ]),
    ];
    const settled = await Promise.allSettled(writes);
    assert.deepEqual(
      settled.map((each) => (each.status === "fulfilled" ? each.value.artifacts.map(({ version }) => version) : [])),
      [[1], [], [2]],
    );
    assert.ok(settled[1]?.status === "rejected" && settled[1].reason instanceof StoreError);
    const code = [sampleCode("a"), sampleCode("b")];
    assert.deepEqual([...(await store.code(code.map(({ digest }) => digest))).values()], code);
    assert.deepEqual(await store.stepRuns({}), []);
  });

  it("takes nothing for nothing", async () => {
    await current().write([]);
    assert.deepEqual(await current().runs({}), []);
  });

  it("is not changed by what its caller does with the records later", async () => {
    const store = current();
    const tags: Record<string, string> = { a: "" };
    await store.write([{ kind: "run", run: sampleRun("r-1", { tags }) }]);
    tags["b"] = "";
    assert.deepEqual((await store.runs({}))[0]?.tags, { a: "" });
  });
}
