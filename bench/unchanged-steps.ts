/** Runs of 100, 1,000 and 10,000 steps of which nothing changed, against the least that could tell so. */
import { runCommand, runForNumber } from "./command.ts";
import { atMost, compare, runAlone, type Comparison, type Mode, type Row } from "./harness.ts";
import { makeProject } from "./project.ts";
import { shapeFiles, shapes } from "./shapes.ts";

export const row: Row = {
  name: "unchanged-steps",
  title: "Many steps, nothing changed, from the call of run() in a new process",
  measure,
};

async function* measure({ quick }: Mode): AsyncGenerator<Comparison> {
  for (const shape of quick ? shapes.slice(2) : shapes) {
    for (const size of quick ? [7] : [100, 1000, 10_000]) {
      using project = makeProject(shapeFiles);
      const run = project.node("run.ts", shape, String(size));
      runCommand(run);
      yield await compare({
        title: `${size.toLocaleString("en")} steps, ${shape}`,
        limit: "stat of the sources, one indexed read a step",
        contenders: [
          {
            name: "stat of the sources, one indexed read a step",
            run: () => runForNumber(project.node("reads.ts", String(size))),
          },
          { name: "Reprise", run: () => runForNumber(run) },
        ],
        rounds: quick ? 1 : size < 10_000 ? 7 : 3,
        conclude: (median) => ({
          goals: size < 10_000 ? [] : [atMost(median("Reprise"), 150, "10,000 steps in less than 150 ms")],
          notes: [`${((median("Reprise") / size) * 1000).toFixed(0)} µs a step.`],
        }),
      });
    }
  }
}

if (import.meta.main) await runAlone(row);
