/** What it costs that reads are observed: each read of a step, and the check of 10,000 files that did not change. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openObserver } from "../src/observe/open-observer.ts";
import type { Observer, Observed, RememberedFile } from "../src/observe/observer.ts";
import { atMost, compare, runAlone, type Comparison, type Mode, type Row } from "./harness.ts";

export const row: Row = {
  name: "observation",
  title: "Reads that are observed",
  measure,
};

/** Long ago, so that no file is digested twice because it was written a moment before. */
const modifiedAt = 1_700_000_000;

async function* measure({ quick }: Mode): AsyncGenerator<Comparison> {
  for (const count of quick ? [100] : [100, 1000, 10_000]) yield* measureFiles(count, quick ? 1 : 15);
}

async function* measureFiles(count: number, rounds: number): AsyncGenerator<Comparison> {
  const files = `${count.toLocaleString("en")} files`;
  const root = realpathSync(mkdtempSync(join(tmpdir(), "reprise-bench-")));
  try {
    const paths = makeFiles(root, count);
    const remembered = new Map<string, RememberedFile>();
    const open = (): Observer =>
      openObserver({ root, storePath: join(root, ".reprise"), salt: () => "", files: memory(remembered) });
    const observe = async (work: () => void): Promise<Observed> => {
      const observation = open().observe({
        memos: [],
        declared: undefined,
        http: "ignore",
        packages: async () => new Set(),
      });
      observation.run(work);
      return await observation.close();
    };
    const inStep = async (work: () => void): Promise<number> => {
      let tookMs = 0;
      await observe(() => {
        const start = performance.now();
        work();
        tookMs = performance.now() - start;
      });
      return tookMs;
    };
    for (const [what, work] of Object.entries({
      [`readFileSync of ${files} of 1 kB`]: () => paths.forEach((path) => readFileSync(path, "utf8")),
      [`existsSync of ${files}`]: () => paths.forEach((path) => existsSync(path)),
    })) {
      const [bare, observed] = ["outside of a step", "in a step"];
      yield await compare({
        title: what,
        limit: bare,
        rounds,
        contenders: [
          { name: bare, run: work },
          { name: observed, run: () => inStep(work) },
        ],
        conclude(median) {
          const eachUs = ((median(observed) - median(bare)) / count) * 1000;
          return { goals: [atMost(eachUs, 5, `at most 5 µs more a call: ${eachUs.toFixed(1)} µs`)] };
        },
      });
    }
    const { trace } = await observe(() => paths.forEach((path) => readFileSync(path)));
    if (trace === undefined) throw new Error("nothing was observed");
    const [stats, check] = ["a stat each", "a check"];
    yield await compare({
      title: `${files}, nothing changed`,
      limit: stats,
      rounds,
      contenders: [
        { name: stats, run: () => paths.forEach((path) => statSync(path)) },
        { name: check, run: async () => void (await open().check(new Map([[trace.digest, trace.content]]))) },
      ],
    });
  } finally {
    rmSync(root, { recursive: true });
  }
}

function makeFiles(root: string, count: number): readonly string[] {
  mkdirSync(join(root, "data"));
  return Array.from({ length: count }, (_, index) => {
    const path = join(root, "data", `${index}.txt`);
    writeFileSync(path, `${index} `.padEnd(1000, "x"));
    utimesSync(path, modifiedAt, modifiedAt);
    return path;
  });
}

function memory(remembered: Map<string, RememberedFile>): Parameters<typeof openObserver>[0]["files"] {
  return {
    find: async (paths) => new Map(paths.flatMap((path) => [[path, remembered.get(path)] as const].filter(hasFile))),
    keep: (files) => files.forEach((file) => remembered.set(file.path, file)),
  };
}

function hasFile(pair: readonly [string, RememberedFile | undefined]): pair is readonly [string, RememberedFile] {
  return pair[1] !== undefined;
}

if (import.meta.main) await runAlone(row);
