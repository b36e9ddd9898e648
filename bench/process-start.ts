/** From the start of a process to its end: three steps, all cached. */
import { childProcessorMs, runCommand, type Command } from "./command.ts";
import { atMost, compare, runAlone, type Comparison, type Contender, type Mode, type Row } from "./harness.ts";
import { makeProject } from "./project.ts";
import { threeStepFiles } from "./three-steps.ts";

export const row: Row = {
  name: "process-start",
  title: "Process start to exit, three steps, all cached",
  measure,
};

async function* measure({ quick }: Mode): AsyncGenerator<Comparison> {
  using project = makeProject(threeStepFiles);
  const commands: Readonly<Record<string, Command>> = {
    "node -e 0": project.node("-e", "0"),
    "the same work without Reprise": project.node("plain.ts"),
    "reprise run": project.reprise("run", "three.pipeline.ts"),
    "a script that runs it": project.node("script.ts"),
    'a script that only says import "reprise"': project.node("importing.mjs"),
  };
  const spent = new Map<string, number>();
  const contenders = Object.entries(commands).map(([name, command]): Contender => ({
    name,
    run() {
      const before = childProcessorMs();
      const start = performance.now();
      runCommand(command);
      const wall = performance.now() - start;
      if (before !== undefined) spent.set(name, (spent.get(name) ?? 0) + (childProcessorMs() ?? 0) - before);
      return wall;
    },
  }));
  // The first round executes the steps and fills the compile cache of Node, the second is cached.
  const rounds = quick ? 1 : 31;
  const warmups = quick ? 0 : 2;
  yield await compare({
    title: "3 steps, all cached",
    limit: "node -e 0",
    contenders,
    rounds,
    warmups,
    conclude(median) {
      const ratio = median("reprise run") / median("node -e 0");
      const times = [...spent].map(([name, ms]) => `${name} ${(ms / (rounds + warmups)).toFixed(0)} ms`);
      return {
        goals: [atMost(ratio, 2, "`reprise run` takes at most twice as long as bare Node")],
        notes: times.length === 0 ? [] : [`Processor time (user and system), mean: ${times.join(", ")}.`],
      };
    },
  });
}

if (import.meta.main) await runAlone(row);
