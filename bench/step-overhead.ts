/** What Reprise adds to steps that execute: three steps for the first time, and with one param changed. */
import { runCommand, runForNumber } from "./command.ts";
import { atMost, compare, runAlone, type Comparison, type Mode, type Row } from "./harness.ts";
import { makeProject } from "./project.ts";
import { threeStepFiles } from "./three-steps.ts";

export const row: Row = {
  name: "step-overhead",
  title: "Three steps that execute",
  measure,
};

/** Prints the median of many rounds in one process, which has run the pipeline before. */
const insideSource = `import { mkdirSync, writeFileSync } from "node:fs";
import { evaluate, split, train } from "./work.ts";
import { three } from "./three.pipeline.ts";

const [who, rounds] = process.argv.slice(2);
mkdirSync("out", { recursive: true });
const keep = (name: string, value: unknown) => writeFileSync(\`out/\${name}.json\`, JSON.stringify(value));
const plain = (seed: number) => {
  const { trainSet, testSet } = split(seed);
  keep("trainSet", trainSet);
  keep("testSet", testSet);
  const model = train(trainSet, 0.01);
  keep("model", model);
  keep("accuracy", evaluate(model, testSet));
};
const started = Date.now();
const times: number[] = [];
for (let round = -5; round < Number(rounds); round += 1) {
  const seed = (started + round) % 1_000_000_007;
  const start = performance.now();
  if (who === "plain") plain(seed);
  else await three.run({ seed }, { reporter: "silent" });
  if (round >= 0) times.push(performance.now() - start);
}
console.log(times.sort((a, b) => a - b)[Math.floor(times.length / 2)]);
`;

async function* measure({ quick }: Mode): AsyncGenerator<Comparison> {
  using project = makeProject({ ...threeStepFiles, "inside.ts": insideSource });
  const rounds = quick ? 1 : 15;
  let shrink = 0;
  const plain = "the same work without Reprise";
  const executed = "reprise run, empty store";
  const changed = "reprise run, one param changed";
  yield await compare({
    title: "Whole processes",
    limit: plain,
    contenders: [
      { name: plain, run: () => void runCommand(project.node("plain.ts")) },
      {
        name: executed,
        before: () => project.forget(),
        run: () => void runCommand(project.reprise("run", "three.pipeline.ts")),
      },
      {
        name: changed,
        run: () => void runCommand(project.reprise("run", "three.pipeline.ts", "--shrink", `0.${(shrink += 1)}1`)),
      },
      { name: "reprise run, nothing changed", run: () => void runCommand(project.reprise("run", "three.pipeline.ts")) },
    ],
    rounds,
    conclude: (median) => ({
      notes: [
        `More than without Reprise: ${(median(executed) - median(plain)).toFixed(0)} ms for the first run, ` +
          `${(median(changed) - median(plain)).toFixed(0)} ms with a changed param.`,
      ],
    }),
  });
  const inside = (who: string): number => runForNumber(project.node("inside.ts", who, quick ? "1" : "30"));
  yield await compare({
    title: "In a process that runs the pipeline again and again, all three steps executed",
    limit: plain,
    contenders: [
      { name: plain, run: () => inside("plain") },
      { name: "three.run()", run: () => inside("reprise") },
    ],
    rounds: quick ? 1 : 5,
    conclude(median) {
      const overhead = (median("three.run()") - median(plain)) / 3;
      return {
        goals: [atMost(overhead, 1, "less than 1 ms a step more")],
        notes: [`${overhead.toFixed(2)} ms a step more than without Reprise.`],
      };
    },
  });
}

if (import.meta.main) await runAlone(row);
