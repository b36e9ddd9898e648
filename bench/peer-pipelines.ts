/** The three-step pipeline as whole processes, in Reprise and in each peer: run for the first time, and run again. */
import { runCommand, type Command } from "./command.ts";
import { compare, runAlone, type Comparison, type Contender, type Mode, type Row } from "./harness.ts";
import { arePeersInstalled, openPeers } from "./peers/peers.ts";
import { makeProject } from "./project.ts";
import { threeStepFiles } from "./three-steps.ts";

export const row: Row = {
  name: "peer-pipelines",
  title: "The three-step pipeline in Reprise and in its peers",
  measure,
};

async function* measure({ quick }: Mode): AsyncGenerator<Comparison> {
  using project = makeProject(threeStepFiles);
  using opened = new DisposableStack();
  const peers = arePeersInstalled() && !quick ? openPeers() : [];
  if (peers.length === 0) console.error("The peers are skipped: see bench/peers/setup.ts.");
  for (const peer of peers) opened.use(peer);
  const reprise = project.reprise("run", "three.pipeline.ts");
  const rounds = quick ? 1 : 5;
  yield await compare({
    title: "Run again, nothing changed",
    limit: "Reprise",
    contenders: [
      toContender("Reprise", reprise),
      ...peers.map((peer) => toContender(`${peer.name} ${peer.version}`, peer.again, onceBefore(peer.first))),
    ],
    rounds,
    // The first is the run that fills the store.
    warmups: quick ? 0 : 2,
    conclude: (median) => ({
      goals: peers
        .filter(({ name }) => name === "ZenML")
        .map(({ name, version }) => {
          const ratio = median(`${name} ${version}`) / median("Reprise");
          return { text: "at least 50 times as fast as ZenML", met: ratio >= 50 };
        }),
    }),
  });
  yield await compare({
    title: "First run, with an empty store",
    limit: "Reprise",
    contenders: [
      toContender("Reprise", reprise, () => project.forget()),
      ...peers.map((peer) => toContender(`${peer.name} ${peer.version}`, peer.first, () => peer.forget())),
    ],
    rounds: quick ? 1 : 3,
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
