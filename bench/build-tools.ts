/** A graph of trivial tasks of which nothing changed, in Reprise and in build tools, as whole processes. */
import { runCommand } from "./command.ts";
import { compare, formatNumber, runAlone, type Comparison, type Mode, type Row } from "./harness.ts";
import { openBuildTools, type Graph } from "./peers/build-tools.ts";
import { makeProject } from "./project.ts";
import { shapeFiles, shapes } from "./shapes.ts";

export const row: Row = {
  name: "build-tools",
  title: "A graph of which nothing changed, in Reprise and in build tools",
  measure,
};

async function* measure({ quick }: Mode): AsyncGenerator<Comparison> {
  const small = shapes.map((shape) => [shape, 100] as const);
  const sizes = quick
    ? [["diamond", 7] as const]
    : [...small, ["diamond", 1000] as const, ["fan-out", 10_000] as const];
  for (const [shape, size] of sizes) {
    using opened = new DisposableStack();
    const { tools, missing } = quick
      ? { tools: [], missing: ["the build tools"] }
      : openBuildTools(toGraph(shape, size));
    if (missing.length > 0) console.error(`Skipped: ${missing.join(", ")}; see bench/peers/setup.ts.`);
    for (const tool of tools) opened.use(tool);
    const project = opened.use(makeProject(shapeFiles));
    const run = project.reprise("run", "shaped.ts", "--shape", shape, "--size", String(size), "--quiet");
    runCommand(run);
    for (const tool of tools) tool.fill();
    yield await compare({
      title: `${size.toLocaleString("en")} tasks, ${shape}`,
      limit: "Reprise",
      contenders: [
        { name: "Reprise", run: () => void runCommand(run) },
        // Each has just run once.
        ...tools.map(({ name, command }) => ({ name, run: () => void runCommand(command), rounds: 3 })),
      ],
      rounds: quick ? 1 : 5,
      conclude: (median) => ({
        notes: [
          `A task: ${["Reprise", ...tools.map(({ name }) => name)]
            .map((name) => `${name}: ${formatNumber((median(name) / size) * 1000)} µs`)
            .join("; ")}.`,
        ],
      }),
    });
  }
}

/** The graphs of bench/shapes.ts: for each task, those before it that it takes. */
function toGraph(shape: (typeof shapes)[number], size: number): Graph {
  return Array.from({ length: size }, (_, at) => {
    if (at === 0) return [];
    if (shape === "chain") return [at - 1];
    if (shape === "fan-out") return [0];
    const place = (at - 1) % 3;
    return place === 2 ? [at - 2, at - 1] : [at - 1 - place];
  });
}

if (import.meta.main) await runAlone(row);
