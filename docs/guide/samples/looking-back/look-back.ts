import { reprise } from "reprise";

const [newest, ...earlier] = await reprise.runs("pipeline:squares metrics.sum>10");
console.log(newest?.run.status, newest?.metrics, earlier.length);

const run = await reprise.run("last");
const add = run.step("add");
console.log(run.version, run.params["limit"]?.shown, add.status, add.reason?.code, add.metrics[0]?.value);
console.log((await run.step("square").log()).map(({ text }) => text));
console.log(await run.outputs["sum"]?.load<number>());

const artifact = await reprise.artifact("square.squares@v1");
console.log(artifact.type, artifact.size, artifact.metadata, await artifact.load<number[]>());

const why = await reprise.why("square", { run: "last~1" });
console.log(why.differences.map(({ part, from, to }) => `${part}: ${from} → ${to}`));

const lineage = await reprise.lineage("add.sum", { direction: "up" });
console.log(lineage.nodes.length);
