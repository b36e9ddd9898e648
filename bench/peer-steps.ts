/** Many trivial steps as whole processes, in Reprise and in its peers: run for the first time, and run again. */
import { runCommand } from "./command.ts";
import { compare, formatNumber, runAlone, type Comparison, type Contender, type Mode, type Row } from "./harness.ts";
import { arePeersInstalled, openPeer, type Peer, type PeerSource } from "./peers/peers.ts";
import { makeProject } from "./project.ts";
import { shapeFiles, shapes } from "./shapes.ts";

export const row: Row = {
  name: "peer-steps",
  title: "Many trivial steps in Reprise and in its peers",
  measure,
};

interface StepPeer extends Pick<PeerSource, "name" | "package" | "setting"> {
  /** Something else than a pipeline that keeps its results, which the goal is about. */
  readonly is?: "no pipeline" | "not kept";
  readonly shapes: readonly string[];
  /** The most steps that it is asked for: more would take minutes. */
  readonly most: number;
  readonly rounds: number;
  readonly first: (shape: string, size: number) => readonly string[];
  /** As `first` where it says nothing. */
  readonly again?: readonly string[];
}

const quick = { shapes, most: 10_000, rounds: 3 } as const;
const slow = { shapes, most: 1000, rounds: 1 } as const;

const stepPeers: readonly StepPeer[] = [
  { ...quick, name: "joblib", package: "joblib", is: "no pipeline", first: python("joblib_steps.py") },
  { ...quick, name: "Hamilton", package: "sf-hamilton", first: python("hamilton_steps.py", "cached") },
  {
    ...quick,
    name: "Hamilton",
    package: "sf-hamilton",
    setting: "uncached",
    is: "not kept",
    first: python("hamilton_steps.py", "uncached"),
  },
  {
    ...slow,
    name: "redun",
    package: "redun",
    // It writes an output with the tree of all that leads to it: twice as much with each diamond.
    shapes: ["chain", "fan-out"],
    first: (shape, size) => ["redun", "run", "redun_steps.py", "main", "--shape", shape, "--size", String(size)],
  },
  { ...slow, name: "Prefect", package: "prefect", first: python("prefect_steps.py") },
  { ...slow, name: "Dagster", package: "dagster", first: python("dagster_steps.py") },
  { ...slow, name: "ZenML", package: "zenml", most: 100, first: python("zenml_steps.py") },
  {
    ...slow,
    name: "Metaflow",
    package: "metaflow",
    // A chain of a hundred would be a class of a hundred methods.
    shapes: ["fan-out"],
    most: 100,
    first: (_, size) => ["python", "metaflow_steps.py", "run", "--size", String(size)],
    again: ["python", "metaflow_steps.py", "resume"],
  },
];

async function* measure(mode: Mode): AsyncGenerator<Comparison> {
  const asked = arePeersInstalled() && !mode.quick ? stepPeers : [];
  if (asked.length === 0) console.error("The peers are skipped: see bench/peers/setup.ts.");
  if (mode.quick) {
    yield* measureGraph("fan-out", 7, asked, mode);
    return;
  }
  for (const shape of shapes) yield* measureGraph(shape, 100, asked, mode);
  for (const size of [1000, 10_000]) yield* measureGraph("fan-out", size, asked, mode);
}

/** The first runs leave the stores that the second ones find. */
async function* measureGraph(
  shape: string,
  size: number,
  asked: readonly StepPeer[],
  mode: Mode,
): AsyncGenerator<Comparison> {
  using opened = new DisposableStack();
  const project = opened.use(makeProject(shapeFiles));
  const reprise = project.reprise("run", "shaped.ts", "--shape", shape, "--size", String(size), "--quiet");
  const peers = asked
    .filter(({ most, shapes: known }) => size <= most && known.includes(shape))
    .map((peer) => ({ ...peer, opened: opened.use(open(peer, shape, size)) }));
  const toContenders = (turn: "first" | "again"): Contender[] =>
    peers.map(({ opened: peer, rounds }) => ({
      name: peer.name,
      ...(turn === "first" ? { before: () => peer.forget() } : {}),
      run: () => void runCommand(peer[turn]),
      rounds: size < 10_000 ? rounds : 1,
    }));
  const note = (median: (name: string) => number): string => {
    const each = ["Reprise", ...peers.map(({ opened: { name } }) => name)];
    return `A step: ${each.map((name) => `${name}: ${formatNumber(median(name) / size)} ms`).join("; ")}.`;
  };
  const kept = peers.filter(({ is }) => is === undefined).map(({ opened: { name } }) => name);
  const steps = `${size.toLocaleString("en")} steps, ${shape}`;
  yield await compare({
    title: `${steps}, all executed`,
    limit: "Reprise",
    contenders: [
      { name: "Reprise", before: () => project.forget(), run: () => void runCommand(reprise) },
      ...toContenders("first"),
    ],
    rounds: mode.quick ? 1 : 3,
    warmups: 0,
    conclude(median) {
      if (size < 10_000 || kept.length === 0) return { notes: [note(median)] };
      const ratio = Math.min(...kept.map(median)) / median("Reprise");
      const text = `at least 10 times as fast as the fastest pipeline that keeps its results, here ${ratio.toFixed(1)}`;
      return { notes: [note(median)], goals: [{ text, met: ratio >= 10 }] };
    },
  });
  yield await compare({
    title: `${steps}, nothing changed`,
    limit: "Reprise",
    contenders: [{ name: "Reprise", run: () => void runCommand(reprise) }, ...toContenders("again")],
    rounds: mode.quick ? 1 : 5,
    conclude: (median) => ({ notes: [note(median)] }),
  });
}

function open({ first, again, ...peer }: StepPeer, shape: string, size: number): Peer {
  return openPeer({ ...peer, first: first(shape, size), ...(again === undefined ? {} : { again }) });
}

function python(file: string, ...more: readonly string[]): StepPeer["first"] {
  return (shape, size) => ["python", file, shape, String(size), ...more];
}

if (import.meta.main) await runAlone(row);
