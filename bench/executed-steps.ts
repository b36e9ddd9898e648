/** Runs of 100, 1,000 and 10,000 trivial steps that are all executed, against a bare loop that writes as much. */
import { runForNumber } from "./command.ts";
import { compare, runAlone, type Comparison, type Mode, type Row } from "./harness.ts";
import { makeProject } from "./project.ts";
import { shapeFiles } from "./shapes.ts";

export const row: Row = {
  name: "executed-steps",
  title: "Many trivial steps, all executed, from the call of run() in a new process",
  measure,
};

async function* measure({ quick }: Mode): AsyncGenerator<Comparison> {
  for (const size of quick ? [7] : [100, 1000, 10_000]) {
    using project = makeProject(shapeFiles);
    yield await compare({
      title: `${size.toLocaleString("en")} steps, fan-out`,
      limit: "a bare loop, flushing each file",
      contenders: [
        {
          name: "a bare loop, flushing each file",
          run: () => runForNumber(project.node("writes.ts", String(size))),
        },
        {
          name: "a bare loop, flushing none",
          run: () => runForNumber(project.node("writes.ts", String(size), "keep")),
        },
        {
          name: "Reprise",
          before: () => project.forget(),
          run: () => runForNumber(project.node("run.ts", "fan-out", String(size))),
        },
      ],
      rounds: quick ? 1 : size < 10_000 ? 5 : 2,
      warmups: size < 10_000 && !quick ? 1 : 0,
      conclude: (median) => ({ notes: [`${((median("Reprise") / size) * 1000).toFixed(0)} µs a step.`] }),
    });
  }
}

if (import.meta.main) await runAlone(row);
