/** Commands that look back, on stores with few and with many runs. */
import { join } from "node:path";
import { openSqlite } from "../src/sql/sqlite.ts";
import { toStepRunId, type RunId } from "../src/record/id.ts";
import { runCommand } from "./command.ts";
import { atMost, compare, runAlone, type Comparison, type Mode, type Row } from "./harness.ts";
import { makeProject, type Project } from "./project.ts";
import { threeStepFiles } from "./three-steps.ts";

export const row: Row = {
  name: "command-line",
  title: "Commands on stores with few and with many runs",
  measure,
};

async function* measure({ quick }: Mode): AsyncGenerator<Comparison> {
  using opened = new DisposableStack();
  const projects = new Map<string, Project>();
  for (const runs of quick ? [2, 3] : [10, 1000, 100_000]) {
    const project = opened.use(makeProject(threeStepFiles));
    runCommand(project.reprise("run", "three.pipeline.ts"));
    await multiplyRuns(project, runs);
    projects.set(`${runs.toLocaleString("en")} runs`, project);
  }
  const [smallest, ...larger] = projects.keys();
  for (const command of [["--help"], ["runs"], ["why", "trainer"]]) {
    const line = command.join(" ");
    yield await compare({
      title: `reprise ${line}`,
      limit: "node -e 0",
      contenders: [
        ...[...projects.values()].slice(0, 1).map((project) => ({
          name: "node -e 0",
          run: () => void runCommand(project.node("-e", "0")),
        })),
        ...[...projects].map(([name, project]) => ({
          name,
          run: () => void runCommand(project.reprise(...command)),
        })),
      ],
      rounds: quick ? 1 : 15,
      warmups: quick ? 0 : 2,
      conclude(median) {
        const growth = Math.max(...larger.map(median)) / median(smallest as string);
        return { goals: [atMost(growth, 1.5, `flat within 1.5 times, here ${growth.toFixed(2)}`)] };
      },
    });
  }
}

/** Adds earlier runs like the one that is there, an hour apart, until there are as many as asked for. */
async function multiplyRuns(project: Project, wanted: number): Promise<void> {
  await using metadata = await openSqlite({ path: join(project.path, ".reprise", "metadata.db") });
  const [run] = await metadata.runs({ limit: 1 });
  if (run === undefined) throw new Error("there is no run to multiply");
  const stepRuns = await metadata.stepRuns({ runs: [run.id] });
  const batch = 1000;
  for (let first = 1; first < wanted; first += batch) {
    const numbers = Array.from({ length: Math.min(batch, wanted - first) }, (_, at) => first + at);
    await metadata.write(
      numbers.flatMap((number) => {
        const id = `r-0${number.toString(36).padStart(6, "0")}` as RunId;
        const earlier = number * 3_600_000;
        const shift = <T extends { startedAt: number; finishedAt: number | undefined }>(record: T): T => ({
          ...record,
          startedAt: record.startedAt - earlier,
          finishedAt: record.finishedAt === undefined ? undefined : record.finishedAt - earlier,
        });
        return [
          { kind: "run" as const, run: shift({ ...run, id, name: `${run.name} ${number}` }) },
          ...stepRuns.map((stepRun) => ({
            kind: "step-run" as const,
            stepRun: shift({ ...stepRun, id: toStepRunId(id, stepRun.node), run: id }),
          })),
        ];
      }),
    );
  }
}

if (import.meta.main) await runAlone(row);
