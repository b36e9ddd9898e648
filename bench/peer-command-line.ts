/** The command lines of the peers beside that of Reprise: help, and the runs that a local store holds. */
import { runCommand } from "./command.ts";
import { compare, runAlone, type Comparison, type Mode, type Row } from "./harness.ts";
import { arePeersInstalled, openPeer, type PeerSource } from "./peers/peers.ts";
import { makeProject } from "./project.ts";
import { threeStepFiles } from "./three-steps.ts";

export const row: Row = {
  name: "peer-command-line",
  title: "The command lines of Reprise and of its peers",
  measure,
};

/** What fills the store with one run, and what asks it. */
interface CommandPeer extends Pick<PeerSource, "name" | "package" | "first"> {
  readonly help: readonly string[];
  readonly runs: readonly string[];
}

const commandPeers: readonly CommandPeer[] = [
  {
    name: "redun",
    package: "redun",
    first: ["redun", "run", "redun_workflow.py", "main"],
    help: ["redun", "--help"],
    runs: ["redun", "log"],
  },
  {
    name: "Dagster",
    package: "dagster",
    first: ["python", "dagster_assets.py"],
    help: ["dagster", "--help"],
    runs: ["dagster", "run", "list"],
  },
  {
    name: "ZenML",
    package: "zenml",
    first: ["python", "zenml_pipeline.py"],
    help: ["zenml", "--help"],
    runs: ["zenml", "pipeline", "runs", "list"],
  },
  {
    name: "Prefect",
    package: "prefect",
    first: ["python", "prefect_flow.py"],
    help: ["prefect", "--help"],
    runs: ["prefect", "flow-run", "ls"],
  },
];

async function* measure({ quick }: Mode): AsyncGenerator<Comparison> {
  using opened = new DisposableStack();
  const project = opened.use(makeProject(threeStepFiles));
  runCommand(project.reprise("run", "three.pipeline.ts"));
  const sources = arePeersInstalled() && !quick ? commandPeers : [];
  if (sources.length === 0) console.error("The peers are skipped: see bench/peers/setup.ts.");
  const peers = sources.map((source) => ({ source, peer: opened.use(openPeer(source)) }));
  for (const { peer } of peers) runCommand(peer.first);
  for (const [kind, ...command] of [["help", "--help"] as const, ["runs", "runs"] as const]) {
    yield await compare({
      title: kind === "help" ? "Help" : "The runs of a store that holds one",
      limit: `reprise ${command.join(" ")}`,
      contenders: [
        { name: `reprise ${command.join(" ")}`, run: () => void runCommand(project.reprise(...command)) },
        ...peers.map(({ source, peer }) => ({
          name: `${source[kind].join(" ")} (${peer.name})`,
          run: () => void runCommand({ ...peer.first, argv: source[kind] }),
          rounds: 2,
        })),
      ],
      rounds: quick ? 1 : 7,
    });
  }
}

if (import.meta.main) await runAlone(row);
