/** The three-step pipeline as whole processes, in Reprise and in each peer: run for the first time, and run again. */
import { runCommand, type Command } from "./command.ts";
import { compare, runAlone, type Comparison, type Contender, type Mode, type Row } from "./harness.ts";
import { arePeersInstalled, openPeer, type PeerSource } from "./peers/peers.ts";
import { makeProject } from "./project.ts";
import { threeStepFiles } from "./three-steps.ts";

export const row: Row = {
  name: "peer-pipelines",
  title: "The three-step pipeline in Reprise and in its peers",
  measure,
};

const sources: readonly PeerSource[] = [
  { name: "joblib", package: "joblib", first: ["python", "joblib_script.py"] },
  { name: "Hamilton", package: "sf-hamilton", first: ["python", "hamilton_dag.py"] },
  {
    name: "Metaflow",
    package: "metaflow",
    first: ["python", "metaflow_flow.py", "run"],
    again: ["python", "metaflow_flow.py", "resume"],
  },
  { name: "redun", package: "redun", first: ["redun", "run", "redun_workflow.py", "main"] },
  { name: "Dagster", package: "dagster", first: ["python", "dagster_assets.py"] },
  { name: "ZenML", package: "zenml", first: ["python", "zenml_pipeline.py"] },
  { name: "Prefect", package: "prefect", first: ["python", "prefect_flow.py"] },
];

async function* measure({ quick }: Mode): AsyncGenerator<Comparison> {
  using project = makeProject(threeStepFiles);
  using opened = new DisposableStack();
  const peers = arePeersInstalled() && !quick ? sources.map((source) => opened.use(openPeer(source))) : [];
  if (peers.length === 0) console.error("The peers are skipped: see bench/peers/setup.ts.");
  const reprise = project.reprise("run", "three.pipeline.ts");
  const rounds = quick ? 1 : 5;
  yield await compare({
    title: "Run again, nothing changed",
    limit: "Reprise",
    contenders: [
      toContender("Reprise", reprise),
      ...peers.map((peer) => ({ ...toContender(peer.name, peer.again, onceBefore(peer.first)), rounds: 3 })),
    ],
    rounds,
    // The first is the run that fills the store.
    warmups: quick ? 0 : 2,
    conclude: (median) => ({
      goals: peers
        .filter(({ name }) => name.startsWith("ZenML"))
        .map(({ name }) => ({
          text: "at least 50 times as fast as ZenML",
          met: median(name) / median("Reprise") >= 50,
        })),
    }),
  });
  yield await compare({
    title: "First run, with an empty store",
    limit: "Reprise",
    contenders: [
      toContender("Reprise", reprise, () => project.forget()),
      ...peers.map((peer) => ({ ...toContender(peer.name, peer.first, () => peer.forget()), rounds: 2 })),
    ],
    rounds: quick ? 1 : 5,
  });
}

function toContender(name: string, command: Command, before?: () => unknown): Contender {
  return { name, ...(before === undefined ? {} : { before }), run: () => void runCommand(command) };
}

function onceBefore(command: Command): () => void {
  let done = false;
  return () => {
    if (!done) runCommand(command);
    done = true;
  };
}

if (import.meta.main) await runAlone(row);
