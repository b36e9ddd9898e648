/** Large values stored and loaded, in Reprise and in its peers: what a process that has loaded them all needs for it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tableFromArrays } from "apache-arrow";
import { file, table, type StoredFile, type StoredValue, type Table } from "../src/materializer/index.ts";
import { makeDocuments, makeFile, makeNumberColumns, Shelf } from "./artifacts.ts";
import { runForNumber } from "./command.ts";
import { compare, runAlone, type Comparison, type Contender, type Mode, type Row } from "./harness.ts";
import { arePeersInstalled, openPeer } from "./peers/peers.ts";
import { artifactMegabytes } from "./sizes.ts";

export const row: Row = {
  name: "peer-artifacts",
  title: "Large artifacts in Reprise and in its peers",
  measure,
};

/** What is stored: by Reprise as it is made here, by the peers as their own programs make it of `amount`. */
interface Subject {
  readonly kind: "file" | "table" | "json" | "small values";
  readonly title: string;
  readonly amount: string;
  readonly make: () => unknown;
  readonly use: (value: unknown) => Promise<unknown>;
}

type Runs = Pick<Contender, "before" | "run">;

const artifactPeers = [
  {
    name: "joblib",
    package: "joblib",
    program: "joblib_artifacts.py",
    kinds: ["file", "table", "json", "small values"],
  },
  { name: "ZenML", package: "zenml", program: "zenml_artifacts.py", kinds: ["file", "table", "json"] },
  { name: "DVC", package: "dvc", program: "dvc_artifacts.py", kinds: ["file"] },
] as const;

async function* measure(mode: Mode): AsyncGenerator<Comparison> {
  if (!arePeersInstalled() || mode.quick) console.error("The peers are skipped: see bench/peers/setup.ts.");
  const root = await mkdtemp(join(tmpdir(), "reprise-bench-artifacts-"));
  try {
    for (const { make, use, ...subject } of await makeSubjects(root, mode)) {
      const shelf = new Shelf(join(root, subject.kind));
      yield* measureBoth(subject, shelf.storing("Reprise", make), shelf.loading("Reprise", use), mode);
    }
    yield* measureSmallValues(root, mode);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

async function makeSubjects(root: string, mode: Mode): Promise<readonly Subject[]> {
  const megabytes = artifactMegabytes(mode);
  const path = join(root, "large.bin");
  await makeFile(path, megabytes);
  const rows = mode.quick ? 100 : 1_000_000;
  const arrow = tableFromArrays(makeNumberColumns(rows));
  const documents = makeDocuments(mode.quick ? 100 : 400_000);
  return [
    {
      kind: "file",
      title: `a file of ${megabytes} MB`,
      amount: path,
      make: () => file(path),
      async use(value) {
        for await (const _ of (value as StoredFile).stream());
      },
    },
    {
      kind: "table",
      title: `a table of ${rows.toLocaleString("en")} × 10 numbers`,
      amount: String(rows),
      make: () => table(arrow),
      use: async (value) => await (value as Table).toArrow(),
    },
    {
      kind: "json",
      title: `${(JSON.stringify(documents).length / 1e6).toFixed(0)} MB of JSON`,
      amount: String(documents.length),
      make: () => documents,
      use: async (value) => value,
    },
  ];
}

async function* measureSmallValues(root: string, mode: Mode): AsyncGenerator<Comparison> {
  const count = mode.quick ? 10 : 10_000;
  const values = Array.from({ length: count }, (_, at) => ({ at, name: `value ${at}`, list: [at, at + 1] }));
  const shelf = new Shelf(join(root, "small"));
  let stored: StoredValue[] = [];
  const storing = {
    before: () => shelf.empty(),
    async run() {
      stored = [];
      for (const value of values) stored.push(await shelf.store(value));
    },
  };
  const loading = {
    async run() {
      for (const each of stored) await shelf.load(each);
    },
  };
  const title = `${count.toLocaleString("en")} small values`;
  yield* measureBoth({ kind: "small values", title, amount: String(count) }, storing, loading, mode);
}

/** A store and then a load, in Reprise and in the peers that know this kind of value. */
async function* measureBoth(
  { kind, title, amount }: Pick<Subject, "kind" | "title" | "amount">,
  storing: Runs,
  loading: Runs,
  mode: Mode,
): AsyncGenerator<Comparison> {
  using opened = new DisposableStack();
  const asked = artifactPeers.filter(({ kinds }) => kinds.some((each) => each === kind));
  const peers = (arePeersInstalled() && !mode.quick ? asked : []).map(({ program, ...peer }) => {
    const toArgv = (action: string): string[] => ["python", program, action, kind, amount];
    return opened.use(openPeer({ ...peer, first: toArgv("store"), again: toArgv("load") }));
  });
  const rounds = mode.quick ? 1 : 5;
  yield await compare({
    title: `Store ${title}`,
    limit: "Reprise",
    contenders: [
      { ...storing, name: "Reprise" },
      ...peers.map((peer): Contender => ({
        name: peer.name,
        before: () => peer.forget(),
        run: () => runForNumber(peer.first),
        rounds: 2,
      })),
    ],
    rounds,
  });
  yield await compare({
    title: `Load ${title}`,
    limit: "Reprise",
    contenders: [
      { ...loading, name: "Reprise" },
      ...peers.map((peer): Contender => ({ name: peer.name, run: () => runForNumber(peer.again), rounds: 2 })),
    ],
    rounds,
  });
}

if (import.meta.main) await runAlone(row);
