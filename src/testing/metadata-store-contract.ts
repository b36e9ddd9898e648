/** What every metadata store must do: an adapter's own test calls this and is done. */
import { afterEach, beforeEach, describe } from "node:test";
import type { MetadataStore } from "../store/metadata-store.ts";
import { testCollection } from "./metadata-collection-contract.ts";
import {
  testArtifacts,
  testCacheEntries,
  testKeysAndCode,
  testPipelines,
  testUses,
} from "./metadata-content-contract.ts";
import { testLeases } from "./metadata-leases-contract.ts";
import { testRepeats } from "./metadata-repeats-contract.ts";
import { testLogsAndMetrics, testRuns, testStepRuns } from "./metadata-runs-contract.ts";
import { testWrites } from "./metadata-writes-contract.ts";

/**
 * Declares the tests of a metadata store.
 *
 * @param open - Opens a new, empty store. It is disposed of after each test.
 */
export function testMetadataStore(name: string, open: () => Promise<MetadataStore>): void {
  describe(`${name} as a metadata store`, () => {
    let store: MetadataStore;
    beforeEach(async () => {
      store = await open();
    });
    afterEach(async () => {
      await store[Symbol.asyncDispose]();
    });
    const current = (): MetadataStore => store;
    describe("runs", () => testRuns(current));
    describe("step runs", () => testStepRuns(current));
    describe("runs that repeat another one", () => testRepeats(current));
    describe("cache entries", () => testCacheEntries(current));
    describe("keys and code", () => testKeysAndCode(current));
    describe("pipelines and versions", () => testPipelines(current));
    describe("artifacts", () => testArtifacts(current));
    describe("uses", () => testUses(current));
    describe("logs and metrics", () => testLogsAndMetrics(current));
    describe("leases", () => testLeases(current));
    describe("what is kept", () => testCollection(current));
    describe("a write", () => testWrites(current));
  });
}
