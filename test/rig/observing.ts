/** Steps under observation in a folder, without a store: what was seen of them, and whether it still holds. */
import assert from "node:assert/strict";
import type { FileMemory, ObservationParts, Observed, Observer } from "../../src/observe/observer.ts";
import type { TraceCheck } from "../../src/record/trace.ts";
import { openObserver } from "../../src/observe/open-observer.ts";

export interface Observing {
  observe(work: () => unknown, parts?: Partial<ObservationParts>): Promise<Observed>;
  checkOf(observed: Observed): Promise<TraceCheck>;
  differencesOf(observed: Observed): Promise<readonly string[]>;
}

const noFiles: FileMemory = { find: async () => new Map(), keep: () => {} };

/** @param files - What is remembered of files from one step to the next; nothing by default. */
export function observeIn(root: string, files = noFiles): Observing {
  const open = (): Observer => openObserver({ root, storePath: `${root}/.reprise`, salt: () => "pepper", files });
  const checkOf = async ({ trace }: Observed): Promise<TraceCheck> => {
    assert.ok(trace, "nothing was read");
    const check = (await open().check(new Map([[trace.digest, trace.content]]))).get(trace.digest);
    assert.ok(check, "nothing was checked");
    return check;
  };
  return {
    async observe(work, parts = {}) {
      const observation = open().observe({
        memos: [],
        declared: undefined,
        http: "revalidate",
        packages: async () => new Set(),
        ...parts,
      });
      await observation.run(work);
      return await observation.close();
    },
    checkOf,
    async differencesOf(observed) {
      return (await checkOf(observed)).differences.map(({ code, part }) => `${code} ${part}`);
    },
  };
}

export const readsOf = ({ trace }: Observed): string[] =>
  (trace?.content.reads ?? []).map(({ kind, name }) => `${kind} ${name}`);

export const toldOf = ({ notices }: Observed): string[] => notices.map(({ text }) => text);
