/**
 * How long it takes to know the code of 200 steps in a project of 500 modules, cold and after edits, against reading and
 * hashing the same files.
 */
import { hash } from "node:crypto";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCodeIndex, type ProjectIndex } from "../src/code/index.ts";
import type { StepDefinition } from "../src/define/plan.ts";
import { atMost, compare, runAlone, type Comparison, type Mode, type Row } from "./harness.ts";

export const row: Row = {
  name: "code-identity",
  title: "Code fingerprint of the steps of a project",
  measure,
};

async function* measure({ quick }: Mode): AsyncGenerator<Comparison> {
  for (const modules of quick ? [25] : [50, 150, 500]) {
    const root = mkdtempSync(join(tmpdir(), "reprise-bench-"));
    try {
      yield await compareStates(root, modules, quick ? 1 : 9);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  }
}

async function compareStates(root: string, modules: number, rounds: number): Promise<Comparison> {
  // A copy for each contender that edits, so that no other sees its edits.
  const make = (name: string): Copy => makeCopy(join(root, name), modules);
  const [untouched, leaf, added, other] = [make("untouched"), make("leaf"), make("added"), make("other")];
  // Clocks of file systems are coarse: what was written a moment ago is read again, which is not what is measured.
  await new Promise((resolve) => setTimeout(resolve, 200));
  for (const { open, definitions } of [untouched, other]) await open("kept").identify(definitions);
  const indexes = new Map<Copy, ProjectIndex>();
  for (const copy of [untouched, leaf, added]) {
    const index = copy.open("kept");
    await index.identify(copy.definitions);
    indexes.set(copy, index);
  }
  const again = async (copy: Copy): Promise<void> => void (await indexes.get(copy)?.identify(copy.definitions));
  let states = 0;
  return await compare({
    title: `${modules} modules, ${untouched.definitions.length} steps`,
    limit: "reading and hashing all files",
    contenders: [
      {
        name: "reading and hashing all files",
        run() {
          for (const path of untouched.sources) hash("sha256", readFileSync(path));
        },
      },
      {
        name: "stat of all files",
        run() {
          for (const path of untouched.sources) statSync(path);
        },
      },
      {
        name: "cold",
        run: async () => void (await untouched.open(`fresh ${(states += 1)}`).identify(untouched.definitions)),
      },
      {
        name: "nothing changed, state of another process",
        run: async () => void (await untouched.open("kept").identify(untouched.definitions)),
      },
      { name: "nothing changed, same process", run: () => again(untouched) },
      { name: "a leaf edited, same process", before: () => editLeaf(leaf), run: () => again(leaf) },
      { name: "an export added, same process", before: () => addExport(added), run: () => again(added) },
      {
        name: "a leaf edited, state of another process",
        before: () => editLeaf(other),
        run: async () => void (await other.open("kept").identify(other.definitions)),
      },
    ],
    rounds,
    conclude: (median) => ({
      goals: [atMost(median("a leaf edited, state of another process"), 50, "a leaf edited: less than 50 ms")],
    }),
  });
}

interface Copy {
  readonly sources: readonly string[];
  readonly definitions: readonly StepDefinition[];
  /** A module that imports none. */
  readonly leaf: string;
  readonly open: (state: string) => ProjectIndex;
}

function makeCopy(root: string, modules: number): Copy {
  generateProject(root, modules);
  const sources = readdirSync(join(root, "src")).map((name) => join(root, "src", name));
  return {
    sources,
    definitions: findSteps(sources),
    leaf: join(root, "src", `m${modules - 1}.ts`),
    open: (state) => openCodeIndex({ root, stateDir: join(root, ".state", state), entries: [] }),
  };
}

let edits = 0;

function editLeaf({ leaf }: Copy): void {
  writeFileSync(leaf, readFileSync(leaf, "utf8").replace(/\* \d+ \+ 1/u, `* ${(edits += 1)} + 1`));
}

function addExport({ leaf }: Copy): void {
  appendFileSync(leaf, `export const added${(edits += 1)} = ${edits};\n`);
}

/** Modules of four functions each that call into later ones, barrels over groups of 25, and a step in every other module. */
function generateProject(root: string, modules: number): void {
  mkdirSync(join(root, "src"), { recursive: true });
  writeFileSync(join(root, "package.json"), JSON.stringify({ name: "bench", type: "module" }));
  for (let at = 0; at < modules; at++) writeFileSync(join(root, "src", `m${at}.ts`), moduleText(at, modules));
  for (let group = 0; group < modules / 25; group++) {
    const lines = Array.from(
      { length: 25 },
      (_, index) => `export { f${group * 25 + index}_0 } from "./m${group * 25 + index}.ts";`,
    );
    writeFileSync(join(root, "src", `barrel${group}.ts`), `${lines.join("\n")}\n`);
  }
}

function moduleText(at: number, modules: number): string {
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
  const hasStep = at % 2 === 0 && at / 2 < 200;
  const step = hasStep
    ? `export const step${at} = step({ name: "step${at}", run: ({ x }: { x: number }) => ({ y: f${at}_0(x) }) });\n`
    : "";
  const head = hasStep ? `import { step } from "reprise";\n` : "";
  return `${head}${[...new Set(imports)].join("\n")}\nconst limits${at} = { scale: ${at}, name: "module ${at}" };\n${functions.join("")}${step}`;
}

/** The definitions that the modules would make, by where their calls stand. */
function findSteps(sources: readonly string[]): StepDefinition[] {
  return sources.flatMap((path): StepDefinition[] => {
    const lines = readFileSync(path, "utf8").split("\n");
    const line = lines.findIndex((text) => text.includes("= step({"));
    if (line === -1) return [];
    const column = lines[line]!.indexOf("step({") + 1;
    const name = /name: "(\w+)"/u.exec(lines[line]!)![1]!;
    const sites = [{ script: path, line: line + 1, column, functionName: "" }];
    return [{ name, run: () => ({}), params: undefined, inputs: {}, outputs: undefined, options: {}, sites }];
  });
}

if (import.meta.main) await runAlone(row);
