/**
 * How long it takes to know the code of 200 steps in a project of 500 modules, cold and after edits, against reading and
 * hashing the same files. Run with `node bench/code-identity.ts`.
 */
import { hash } from "node:crypto";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCodeIndex } from "../src/code/index.ts";
import type { StepDefinition } from "../src/define/plan.ts";

const modules = 500;
const steps = 200;
const rounds = 9;

const root = mkdtempSync(join(tmpdir(), "reprise-bench-"));
try {
  generateProject();
  const definitions = findSteps();
  let states = 0;
  const open = (stateDir: string): ReturnType<typeof openCodeIndex> => openCodeIndex({ root, stateDir, entries: [] });
  const fresh = (): string => join(root, ".state", String(states++));
  // Clocks of file systems are coarse: what was written a moment ago is read again, which is not what is measured.
  await new Promise((resolve) => setTimeout(resolve, 200));

  const reading = await median(() => {
    for (const path of sources()) hash("sha256", readFileSync(path));
  });
  const first = await time(() => open(fresh()).identify(definitions));
  const cold = await median(() => open(fresh()).identify(definitions));
  const kept = fresh();
  await open(kept).identify(definitions);
  const unchangedProcess = await median(() => open(kept).identify(definitions));
  const index = open(kept);
  await index.identify(definitions);
  const unchanged = await median(() => index.identify(definitions));
  const leaf = join(root, "src", "m499.ts");
  let edits = 0;
  const leafEdit = await median(
    () => index.identify(definitions),
    () => writeFileSync(leaf, readFileSync(leaf, "utf8").replace(/\* \d+ \+ 1/u, `* ${(edits += 1)} + 1`)),
  );
  const exportAdded = await median(
    () => index.identify(definitions),
    () => appendFileSync(leaf, `export const added${(edits += 1)} = ${edits};\n`),
  );
  const afterEdit = await median(
    () => open(kept).identify(definitions),
    () => writeFileSync(leaf, readFileSync(leaf, "utf8").replace(/\* \d+ \+ 1/u, `* ${(edits += 1)} + 1`)),
  );

  console.log(`${modules} modules, ${steps} steps; medians of ${rounds}`);
  show("reading and hashing all files", reading, reading);
  show("cold, with the parser's import", first, reading);
  show("cold", cold, reading);
  show("unchanged, another process's state", unchangedProcess, reading);
  show("unchanged, same process", unchanged, reading);
  show("after a leaf edit, same process", leafEdit, reading);
  show("after an added export, same process", exportAdded, reading);
  show("after a leaf edit, another process", afterEdit, reading);
} finally {
  rmSync(root, { recursive: true, force: true });
}

function show(name: string, milliseconds: number, reading: number): void {
  console.log(
    `${name.padEnd(40)} ${milliseconds.toFixed(1).padStart(8)} ms  ${(milliseconds / reading).toFixed(2)} × reading`,
  );
}

async function time(work: () => unknown): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function median(work: () => unknown, prepare: () => void = () => undefined): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    prepare();
    times.push(await time(work));
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)]!;
}

function sources(): string[] {
  return readdirSync(join(root, "src")).map((name) => join(root, "src", name));
}

/** Modules of four functions each that call into later ones, barrels over groups of 25, and a step in every other module. */
function generateProject(): void {
  mkdirSync(join(root, "src"), { recursive: true });
  writeFileSync(join(root, "package.json"), JSON.stringify({ name: "bench", type: "module" }));
  for (let at = 0; at < modules; at++) writeFileSync(join(root, "src", `m${at}.ts`), moduleText(at));
  for (let group = 0; group < modules / 25; group++) {
    const lines = Array.from(
      { length: 25 },
      (_, index) => `export { f${group * 25 + index}_0 } from "./m${group * 25 + index}.ts";`,
    );
    writeFileSync(join(root, "src", `barrel${group}.ts`), `${lines.join("\n")}\n`);
  }
}

function moduleText(at: number): string {
  const imports: string[] = [];
  const callees: string[] = [];
  // Numbers that look scattered, and are the same every time.
  for (let reach = 0; reach < 3; reach++) {
    const target = at + 1 + ((at * 7 + reach * 131) % 97);
    if (target >= modules) continue;
    callees.push(`f${target}_0`);
    const from = reach === 0 ? `./barrel${Math.floor(target / 25)}.ts` : `./m${target}.ts`;
    imports.push(`import { f${target}_0 } from "${from}";`);
  }
  const functions = Array.from({ length: 4 }, (_, index) => {
    const call = callees.length > 0 && index < 3 ? `${callees[index % callees.length]}(total)` : "total";
    return `
/** Function ${index} of module ${at}. */
export function f${at}_${index}(x: number, options: { scale?: number } = {}): number {
  // It adds, scales and calls on.
  let total = x * ${at + index} + 1;
  for (const step of [1, 2, 3]) {
    if (step % 2 === 0) total += step * (options.scale ?? limits${at}.scale);
    else total -= Math.round(step / 3);
  }
  return ${call};
}
`;
  });
  const hasStep = at % 2 === 0 && at / 2 < steps;
  const step = hasStep
    ? `export const step${at} = step({ name: "step${at}", run: ({ x }: { x: number }) => ({ y: f${at}_0(x) }) });\n`
    : "";
  const head = hasStep ? `import { step } from "reprise";\n` : "";
  return `${head}${[...new Set(imports)].join("\n")}\nconst limits${at} = { scale: ${at}, name: "module ${at}" };\n${functions.join("")}${step}`;
}

/** The definitions that the modules would make, by where their calls stand. */
function findSteps(): StepDefinition[] {
  return sources().flatMap((path): StepDefinition[] => {
    const lines = readFileSync(path, "utf8").split("\n");
    const line = lines.findIndex((text) => text.includes("= step({"));
    if (line === -1) return [];
    const column = lines[line]!.indexOf("step({") + 1;
    const name = /name: "(\w+)"/u.exec(lines[line]!)![1]!;
    const sites = [{ script: path, line: line + 1, column, functionName: "" }];
    return [{ name, run: () => ({}), params: undefined, inputs: {}, outputs: undefined, options: {}, sites }];
  });
}
