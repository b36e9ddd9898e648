/**
 * Measures the rows and writes their figures into docs/benchmarks.md; the paragraphs there are written by hand and stay.
 *
 *     npm run bench                       all rows
 *     npm run bench -- memory artifacts   these
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import {
  describeLoad,
  describeMachine,
  formatComparison,
  formatNumber,
  formatRatio,
  readMode,
  type Comparison,
  type Row,
} from "./harness.ts";
import { row as artifacts } from "./artifacts.ts";
import { row as buildTools } from "./build-tools.ts";
import { row as codeIdentity } from "./code-identity.ts";
import { row as commandLine } from "./command-line.ts";
import { row as executedSteps } from "./executed-steps.ts";
import { row as memory } from "./memory.ts";
import { row as observation } from "./observation.ts";
import { row as peerArtifacts } from "./peer-artifacts.ts";
import { row as peerCommandLine } from "./peer-command-line.ts";
import { row as peerPipelines } from "./peer-pipelines.ts";
import { row as peerSteps } from "./peer-steps.ts";
import { row as processStart } from "./process-start.ts";
import { row as stepOverhead } from "./step-overhead.ts";
import { row as unchangedSteps } from "./unchanged-steps.ts";

/** In the order of the page. */
export const rows: readonly Row[] = [
  processStart,
  peerPipelines,
  stepOverhead,
  unchangedSteps,
  executedSteps,
  peerSteps,
  buildTools,
  codeIdentity,
  observation,
  artifacts,
  peerArtifacts,
  commandLine,
  peerCommandLine,
  memory,
];

/** Measures these rows and puts the figures of each into the page as soon as they are there. */
async function renewPage(path: string, wanted: readonly Row[]): Promise<void> {
  for (const row of wanted) {
    console.log(`\n# ${row.title}`);
    const comparisons: Comparison[] = [];
    const load = describeLoad();
    for await (const comparison of row.measure(readMode())) {
      comparisons.push(comparison);
      console.log(`\n${formatComparison(comparison)}`);
    }
    // Read anew: the paragraphs may have been edited in the meantime.
    const page = replaceFigures(readFileSync(path, "utf8"), row, formatFigures(row, comparisons, load));
    if (!readMode().quick) writeFileSync(path, page);
  }
}

/** Puts figures between the marks of their row. A row that the page does not have yet comes at its end. */
export function replaceFigures(page: string, { name, title }: Pick<Row, "name" | "title">, figures: string): string {
  const [first, last] = [`<!-- figures: ${name} -->`, "<!-- end of figures -->"];
  const start = page.indexOf(first);
  if (start === -1) return `${page.trimEnd()}\n\n## ${title}\n\n${first}\n${figures}\n${last}\n`;
  const end = page.indexOf(last, start);
  if (end === -1) throw new Error(`docs/benchmarks.md: no "${last}" follows "${first}"`);
  return `${page.slice(0, start)}${first}\n${figures}\n${page.slice(end)}`;
}

function formatFigures({ name }: Row, comparisons: readonly Comparison[], load: string): string {
  const date = new Date().toISOString().slice(0, 10);
  const taken = `${date}, \`node bench/${name}.ts\`, ${describeMachine()}, load ${load} at the start.`;
  return [taken, ...comparisons.map(formatTable)].join("\n\n");
}

function formatTable({ title, unit, measured, goals, notes }: Comparison): string {
  const lines = measured.map(({ name, statistics: { median, min, max, rounds }, ratio }) => {
    const range = `${formatNumber(min)} – ${formatNumber(max)}`;
    return `| ${name} | ${formatNumber(median)} | ${range} | ${rounds} | ${formatRatio(ratio)} |`;
  });
  const said = goals.map(({ text, met }) => `- goal ${met ? "met" : "**missed**"}: ${text}`);
  const below = [...notes.map((note) => `- ${note}`), ...said];
  return [
    `| ${title} | median, ${unit} | min – max | rounds | ratio |`,
    "| --- | ---: | ---: | ---: | ---: |",
    ...lines,
    ...(below.length === 0 ? [] : ["", ...below]),
  ].join("\n");
}

if (import.meta.main) {
  const names = process.argv.slice(2);
  const unknown = names.filter((name) => !rows.some((row) => row.name === name));
  if (unknown.length > 0) {
    console.error(`No row ${unknown.join(", ")}; there are ${rows.map(({ name }) => name).join(", ")}`);
    process.exitCode = 2;
  } else {
    const path = join(import.meta.dirname, "..", "docs", "benchmarks.md");
    await renewPage(
      path,
      rows.filter(({ name }) => names.length === 0 || names.includes(name)),
    );
  }
}
