/** The part of the metadata store's contract about who executes a key at this moment. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { toStepRunId, type StepRunId } from "../record/id.ts";
import type { Lease, LeaseToken } from "../record/lease.ts";
import { StoreError } from "../error.ts";
import type { Change, MetadataStore } from "../store/metadata-store.ts";
import { sampleDigest, sampleEntry, sampleLine, sparseRun, sparseStepRun, toRunId } from "./sample-records.ts";

export function testLeases(current: () => MetadataStore): void {
  it("grants a lease to one, and tells all others who has it", async () => {
    const store = current();
    const asked = ["one", "two", "three"].map((token) => sampleLease("a", token));
    const answers = await Promise.all(asked.map((each) => store.acquireLease(each)));
    const granted = answers.findIndex(({ kind }) => kind === "granted");
    const lease = { ...asked[granted], beat: 0 };
    assert.deepEqual(
      answers,
      asked.map((_, index) => (index === granted ? { kind: "granted" } : { kind: "held", lease })),
    );
    assert.deepEqual(await store.leases([sampleDigest("a"), sampleDigest("b")]), new Map([[sampleDigest("a"), lease]]));
    assert.deepEqual(await store.leases([]), new Map());
  });

  it("grants leases of several keys to several holders", async () => {
    const store = current();
    for (const key of ["a", "b"]) assert.equal((await store.acquireLease(sampleLease(key, key))).kind, "granted");
    const tokens = [...(await store.leases([sampleDigest("a"), sampleDigest("b")])).values()].map(({ token }) => token);
    assert.deepEqual(tokens.toSorted(), ["a", "b"]);
    assert.deepEqual([...(await store.leases()).keys()].toSorted(), [sampleDigest("a"), sampleDigest("b")].toSorted());
  });

  it("grants no lease to who has not seen an entry that stands under its key", async () => {
    const store = current();
    const [one, two] = ["r-1", "r-2"].map((run) => toStepRunId(toRunId(run), "a")) as [StepRunId, StepRunId];
    const entries = [
      sampleEntry("a", { origin: one }),
      sampleEntry("a", { origin: two, trace: sampleDigest("trace") }),
      sampleEntry("b"),
    ];
    await store.write(entries.map((entry) => ({ kind: "cache-entry", entry })));
    for (const seen of [[], [one]]) {
      assert.deepEqual(await store.acquireLease({ ...sampleLease("a", "one"), seen }), { kind: "unseen" });
    }
    assert.equal((await store.leases()).size, 0);
    assert.deepEqual(await store.acquireLease({ ...sampleLease("a", "one"), seen: [two, one] }), { kind: "granted" });
    const other = await store.acquireLease({ ...sampleLease("a", "two"), seen: [] });
    assert.equal(other.kind, "held");
  });

  it("applies the changes that go with a lease when it is granted, and only then", async () => {
    const store = current();
    const begin = (node: string): readonly Change[] => [
      { kind: "run", run: sparseRun("r-1") },
      { kind: "step-run", stepRun: sparseStepRun("r-1", node) },
    ];
    const first = { ...sampleLease("a", "one"), changes: begin("first") };
    assert.equal((await store.acquireLease(first)).kind, "granted");
    assert.equal((await store.acquireLease({ ...sampleLease("a", "two"), changes: begin("second") })).kind, "held");
    await store.write([{ kind: "cache-entry", entry: sampleEntry("b") }]);
    const third = { ...sampleLease("b", "three"), seen: [], changes: begin("third") };
    assert.equal((await store.acquireLease(third)).kind, "unseen");
    const stranger: Change = { kind: "step-run", stepRun: sparseStepRun("r-9", "a") };
    await assert.rejects(
      store.acquireLease({ ...sampleLease("c", "four"), changes: [...begin("fourth"), stranger] }),
      StoreError,
    );
    assert.deepEqual(await store.stepRuns({}), [sparseStepRun("r-1", "first")]);
    assert.deepEqual([...(await store.leases()).keys()], [sampleDigest("a")]);
  });

  it("applies the changes of who still holds the lease, and grants it to the next", async () => {
    const store = current();
    const { key, token } = sampleLease("a", "one");
    await store.acquireLease(sampleLease("a", "one"));
    const written = await store.write([
      { kind: "run", run: sparseRun("r-1") },
      {
        kind: "end-lease",
        lease: { key, token },
        changes: [
          { kind: "step-run", stepRun: sparseStepRun("r-1", "a") },
          { kind: "cache-entry", entry: sampleEntry("a") },
        ],
        otherwise: [{ kind: "cache-entry", entry: sampleEntry("b") }],
      },
    ]);
    assert.deepEqual(written.lost, new Set());
    assert.deepEqual(await store.cacheEntriesOf({}), [sampleEntry("a")]);
    assert.deepEqual(await store.stepRuns({}), [sparseStepRun("r-1", "a")]);
    assert.equal((await store.leases([key])).size, 0);
    assert.deepEqual(await store.acquireLease(sampleLease("a", "two")), { kind: "granted" });
  });

  it("refuses the changes of who lost the lease, and leaves the new holder alone", async () => {
    const store = current();
    const late = sampleLease("a", "late");
    await store.acquireLease(late);
    await store.acquireLease({ ...sampleLease("a", "new"), insteadOf: { token: late.token, beat: 0 } });
    const written = await store.write([
      {
        kind: "end-lease",
        lease: late,
        changes: [{ kind: "cache-entry", entry: sampleEntry("a") }],
        otherwise: [{ kind: "source", digest: sampleDigest("s"), text: "otherwise" }],
      },
    ]);
    assert.deepEqual(written.lost, new Set([late.token]));
    assert.deepEqual(await store.cacheEntriesOf({}), []);
    assert.equal((await store.sources([sampleDigest("s")])).get(sampleDigest("s")), "otherwise");
    assert.deepEqual((await store.leases([late.key])).get(late.key), { ...sampleLease("a", "new"), beat: 0 });
  });

  it("has a holder replaced only as long as it is as it was seen", async () => {
    const store = current();
    const first = sampleLease("a", "first");
    await store.acquireLease(first);
    const written = await store.write([{ kind: "beat-leases", leases: [first, sampleLease("b", "none")] }]);
    assert.deepEqual(written.lost, new Set(["none"]));
    const second = { ...sampleLease("a", "second"), insteadOf: { token: first.token, beat: 0 } };
    assert.deepEqual(await store.acquireLease(second), { kind: "held", lease: { ...first, beat: 1 } });
    const third = { ...sampleLease("a", "third"), insteadOf: { token: first.token, beat: 1 } };
    assert.equal((await store.acquireLease(third)).kind, "granted");
    assert.equal((await store.acquireLease({ ...second, insteadOf: third.insteadOf })).kind, "held");
    // A beat of who was replaced makes nobody's grow.
    assert.deepEqual((await store.write([{ kind: "beat-leases", leases: [first] }])).lost, new Set([first.token]));
    assert.equal((await store.leases([first.key])).get(first.key)?.beat, 0);
  });

  it("takes a lease that ended meanwhile, whoever was to be replaced", async () => {
    const insteadOf = { token: "gone" as LeaseToken, beat: 4 };
    assert.equal((await current().acquireLease({ ...sampleLease("a", "one"), insteadOf })).kind, "granted");
  });

  it("ends no lease when a change that goes with it cannot be applied", async () => {
    const store = current();
    const lease = sampleLease("a", "one");
    await store.acquireLease(lease);
    const changes = [{ kind: "log" as const, lines: [sampleLine("r-9", "a", 0)] }];
    for (const each of [
      { changes, otherwise: [] },
      { changes: [], otherwise: changes },
    ]) {
      await assert.rejects(store.write([{ kind: "end-lease", lease, ...each }]), StoreError);
    }
    assert.equal((await store.leases([lease.key])).size, 1);
  });
}

function sampleLease(key: string, token: string): Omit<Lease, "beat"> {
  return {
    key: sampleDigest(key),
    token: token as LeaseToken,
    holder: {
      process: { host: "ünï", pid: 12, boot: "b", pidNamespace: "pid:[1]", started: "99" },
      stepRun: toStepRunId(toRunId("r-1"), token),
    },
  };
}
