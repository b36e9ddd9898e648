/**
 * A differential fuzz of code identity: random structural edits of random programs.
 *
 * After each edit (a) an index that has followed all edits, and a new one over the state it left, say of every step what
 * a fresh one says; (b) the program is run: a step that returns something else has another digest, against every
 * version seen before; (c) where the digest changed and the output did not, a tree-shaken bundle gives a second opinion.
 *
 * `REPRISE_FUZZ_EDITS` says how many edits, `REPRISE_FUZZ_SEED` from which seed on.
 */
import assert from "node:assert/strict";
import { execFile, fork, type ChildProcess } from "node:child_process";
import { mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { openCodeIndex } from "../../src/code/index.ts";
import type { CodeIdentity, CodeIndex } from "../../src/code/identity.ts";
import type { StepDefinition } from "../../src/define/plan.ts";
import { digestBytes } from "../../src/hash/digest.ts";
import { bundleStep } from "./fuzz-bundle.ts";
import { randomEdits } from "./fuzz-edits.ts";
import type { ExecuteAnswer, ExecuteRequest } from "./fuzz-execute.ts";
import { printedDefinitions, printProgram, type Printed } from "./fuzz-print.ts";
import { makeProgram, seededRandom, type Program, type Random } from "./fuzz-program.ts";
import { childOptions, endChild, openBench, stepNamed, type Bench } from "./rig.ts";

const edits = Number(process.env["REPRISE_FUZZ_EDITS"] ?? 300);
const firstSeed = Number(process.env["REPRISE_FUZZ_SEED"] ?? 20261122);
/** Long enough for state to pile up, short enough that a failing seed is repeated in seconds. */
const editsPerProgram = 50;

/** A process that has evaluated this many programs is replaced: what it has evaluated is never freed. */
const programsPerProcess = 400;

let bench: Bench;
let executor: ChildProcess;
let executed = 0;

before(async () => {
  bench = await openBench();
  executor = startExecutor();
});

after(async () => {
  await endChild(executor);
  await bench[Symbol.asyncDispose]();
});

test("random structural edits never leave a step with the digest of code that returns something else", async (t) => {
  const counts = emptyCounts();
  const failures: string[] = [];
  for (let done = 0, seed = firstSeed; done < edits; done += editsPerProgram, seed++) {
    try {
      await fuzzProgram(seed, Math.min(editsPerProgram, edits - done), counts);
    } catch (error) {
      if (!(error instanceof assert.AssertionError)) throw error;
      failures.push(error.message);
    }
  }
  t.diagnostic(
    `edits ${counts.edits}, of which ${counts.broken} gave programs that cannot be loaded and were passed over`,
  );
  t.diagnostic(`step comparisons ${counts.changed + counts.same}: changed ${counts.changed}, same ${counts.same}`);
  t.diagnostic(`comparisons with versions of long before ${counts.remembered}; reverted programs ${counts.reverted}`);
  t.diagnostic(`not proved ${counts.unproved}; changes that no unit shows ${counts.unexplained}`);
  t.diagnostic(`false hits ${counts.falseHits}; analyses that differ from a fresh one ${counts.differences}`);
  t.diagnostic(
    `same output under another digest ${counts.sameOutput}: the bundle agrees with the digest in ${counts.bundleDiffers}, and in ${counts.bundleEqual} not`,
  );
  for (const [cause, count] of [...counts.causes].toSorted((a, b) => b[1] - a[1]))
    t.diagnostic(`possible false misses after "${cause}": ${count}`);
  for (const [cause, count] of [...counts.silent].toSorted((a, b) => b[1] - a[1]))
    t.diagnostic(`changes that no unit shows after "${cause}": ${count}`);
  if (failures.length > 0)
    assert.fail(
      `${failures.length} programs failed:\n${failures.map((failure) => failure.split("\n")[0]).join("\n")}\n\n${failures[0]}`,
    );
});

test("the programs of the fuzz do under Node what the fuzz takes them to do", async () => {
  for (const seed of [1, 2, 3]) {
    const program = await loadableProgram(seededRandom(seed));
    const outputs = await execute(printProgram(program, "javascript"));
    const { files, steps } = printProgram(program, "typescript");
    const entries = [...new Set(steps.map(({ path }) => path))];
    const project = withoutReprise(files);
    const reports = await bench.load(entries.map((entry) => ({ files: project, entry })));
    const root = await bench.place(`real-${seed}`, project);
    for (const { name, line, column, path } of steps) {
      const output = await runUnderNode(join(root, path), name);
      assert.equal(output, outputs?.[name], "steps return what they return where the fuzz runs them");
      const [site] = stepNamed(reports[entries.indexOf(path)] ?? { steps: [] }, name).sites;
      assert.deepEqual([site?.line, site?.column], [line, column], "steps are made where the fuzz says");
    }
  }
});

/** What a step returns, in a process of its own. */
async function runUnderNode(path: string, step: string): Promise<string> {
  const code = `const [url, step] = process.argv.slice(1);
    const { definition } = (await import(url))[step];
    console.log(await definition.run({}, {}).then(JSON.stringify, (error) => "throws " + error.name));`;
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--input-type=module", "-e", code, pathToFileURL(path).href, step],
    { env: childOptions(bench.folder).env },
  );
  return stdout.trimEnd();
}

interface Counts {
  edits: number;
  broken: number;
  changed: number;
  same: number;
  remembered: number;
  reverted: number;
  unproved: number;
  unexplained: number;
  falseHits: number;
  differences: number;
  sameOutput: number;
  readonly silent: Map<string, number>;
  bundleEqual: number;
  bundleDiffers: number;
  readonly causes: Map<string, number>;
}

function emptyCounts(): Counts {
  const none = {
    edits: 0,
    broken: 0,
    changed: 0,
    same: 0,
    remembered: 0,
    reverted: 0,
    unproved: 0,
    unexplained: 0,
    falseHits: 0,
    differences: 0,
  };
  return { ...none, sameOutput: 0, bundleEqual: 0, bundleDiffers: 0, causes: new Map(), silent: new Map() };
}

interface Snapshot {
  readonly typed: Printed;
  readonly plain: Printed;
  readonly outputs: Readonly<Record<string, string>>;
  readonly digests: ReadonlyMap<string, string>;
  readonly units: ReadonlyMap<string, string>;
}

async function fuzzProgram(seed: number, count: number, counts: Counts): Promise<void> {
  const random = seededRandom(seed);
  const root = join(bench.folder, `fuzz-${seed}`);
  await mkdir(root);
  const follower = await openCodeIndex({ root, stateDir: join(bench.folder, `follower-${seed}`) });
  const seen = new Map<string, { readonly output: string; readonly edit: number }>();
  const digestsOfText = new Map<string, ReadonlyMap<string, string>>();
  const past: Program[] = [];
  let program = await loadableProgram(random);
  let last: Snapshot | undefined;
  let written: Readonly<Record<string, string>> = {};
  for (let number = 0; number <= count; number++) {
    const { next, name } = number === 0 ? { next: program, name: "no edit" } : editProgram(program, past, random);
    const plain = printProgram(next, "javascript");
    const outputs = await execute(plain);
    if (number > 0) counts.edits++;
    if (outputs === undefined) {
      counts.broken++;
      continue;
    }
    past.push(program);
    program = next;
    const typed = printProgram(program, "typescript");
    const where = `seed ${seed}, edit ${number} (${name}); repeat with REPRISE_FUZZ_SEED=${seed} REPRISE_FUZZ_EDITS=${editsPerProgram}`;
    await writeChanges(root, written, typed.files, number);
    const followed = await identify(follower, typed, root);
    const warm = await identify(
      await openCodeIndex({ root, stateDir: join(bench.folder, `warm-${seed}`) }),
      typed,
      root,
    );
    const fresh = await identify(
      await openCodeIndex({ root, stateDir: join(bench.folder, `fresh-${seed}-${number}`) }),
      typed,
      root,
    );
    await rm(join(bench.folder, `fresh-${seed}-${number}`), { recursive: true, force: true });
    const digests = toDigests(fresh);
    expectSame(toDigests(followed), digests, `an index that followed the edits differs from a fresh one: ${where}`);
    expectSame(toDigests(warm), digests, `an index over warm state differs from a fresh one: ${where}`);
    const units = await toUnits(fresh);
    expectSame(await toUnits(followed), units, `the units of an index that followed the edits differ: ${where}`);
    expectSame(await toUnits(warm), units, `the units of an index over warm state differ: ${where}`);

    const text = digestBytes(JSON.stringify(Object.entries(typed.files).toSorted()));
    const before = digestsOfText.get(text);
    if (before !== undefined) {
      counts.reverted++;
      expectSame(digests, before, `a program that came back has other digests than it had: ${where}`);
    }
    digestsOfText.set(text, digests);

    const unmoved: string[] = [];
    for (const [step, digest] of digests) {
      const output: string = outputs[step] ?? "nothing";
      if (fresh.get(step)?.verdict !== "proved") counts.unproved++;
      const known = seen.get(`${step} ${digest}`);
      if (known !== undefined && fresh.get(step)?.verdict !== "opaque") {
        counts.remembered++;
        if (known.output !== output) {
          counts.falseHits++;
          assert.fail(
            `a false hit: ${step} returned ${known.output} at edit ${known.edit}, and returns ${output} under the same digest: ${where}\n${changedText(last?.typed.files ?? {}, typed.files)}`,
          );
        }
      }
      seen.set(`${step} ${digest}`, { output, edit: number });
      const previous = last?.digests.get(step);
      if (last === undefined || previous === undefined) continue;
      if (previous === digest) counts.same++;
      else {
        counts.changed++;
        if (last.units.get(step) === units.get(step)) {
          counts.unexplained++;
          counts.silent.set(name, (counts.silent.get(name) ?? 0) + 1);
        }
        if (last.outputs[step] === output) unmoved.push(step);
      }
    }
    counts.sameOutput += unmoved.length;
    // One opinion an edit: bundling is what takes long here, and the steps of one edit have one cause.
    if (last !== undefined && unmoved.length > 0)
      await judgeMiss(random.pick(unmoved), last.plain, plain, name, counts);
    written = typed.files;
    last = { typed, plain, outputs, digests, units };
  }
  await rm(root, { recursive: true, force: true });

  function expectSame(is: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>, message: string): void {
    const other = [...expected.keys()].filter((step) => is.get(step) !== expected.get(step));
    if (other.length === 0) return;
    counts.differences++;
    assert.fail(`${message}, in ${other.join(", ")}`);
  }
}

/** Counts a digest that changed while the output did not, with the bundle's opinion. */
async function judgeMiss(step: string, was: Printed, is: Printed, name: string, counts: Counts): Promise<void> {
  if ((await bundleStep(was, step)) !== (await bundleStep(is, step))) {
    counts.bundleDiffers++;
    return;
  }
  counts.bundleEqual++;
  counts.causes.set(name, (counts.causes.get(name) ?? 0) + 1);
}

async function loadableProgram(random: Random): Promise<Program> {
  for (;;) {
    const program = makeProgram(random);
    if ((await execute(printProgram(program, "javascript"))) !== undefined) return program;
  }
}

function editProgram(
  program: Program,
  past: readonly Program[],
  random: Random,
): { readonly next: Program; readonly name: string } {
  if (past.length > 3 && random.chance(0.04)) return { next: random.pick(past), name: "go back to an earlier version" };
  const next = structuredClone(program);
  const names = Object.keys(randomEdits);
  for (;;) {
    const name = random.pick(names);
    if (randomEdits[name]?.(next, random) === true) return { next, name };
  }
}

function startExecutor(): ChildProcess {
  return fork(fileURLToPath(new URL("./fuzz-execute.ts", import.meta.url)), [], {
    ...childOptions(bench.folder),
    execArgv: ["--experimental-vm-modules"],
  });
}

/** What each step returns, or nothing where a module does not load. */
async function execute(printed: Printed): Promise<Readonly<Record<string, string>> | undefined> {
  executed += 1;
  if (executed % programsPerProcess === 0) {
    await endChild(executor);
    executor = startExecutor();
  }
  const answer = await new Promise<ExecuteAnswer>((resolve, reject) => {
    executor.once("message", (message) => resolve(message as ExecuteAnswer));
    executor.once("exit", (code) => reject(new Error(`the process that runs programs ended with code ${code}`)));
    executor.send({ id: 0, files: printed.files, steps: printed.steps } satisfies ExecuteRequest);
  });
  executor.removeAllListeners("exit");
  return "broken" in answer ? undefined : answer.outputs;
}

async function identify(index: CodeIndex, printed: Printed, root: string): Promise<ReadonlyMap<string, CodeIdentity>> {
  const definitions: readonly StepDefinition[] = printedDefinitions(printed, pathToFileURL(root).href);
  const identities = await index.identify(definitions);
  return new Map(definitions.map((definition) => [definition.name, identities.get(definition) as CodeIdentity]));
}

function toDigests(identities: ReadonlyMap<string, CodeIdentity>): ReadonlyMap<string, string> {
  return new Map([...identities].map(([name, { digest, verdict }]) => [name, `${digest} ${verdict}`]));
}

/** What each step reaches, and where it is. */
async function toUnits(identities: ReadonlyMap<string, CodeIdentity>): Promise<ReadonlyMap<string, string>> {
  const units = new Map<string, string>();
  for (const [name, identity] of identities) {
    const reached = (await identity.units()).map(({ id, kind, digest }) => `${kind} ${id} ${digest}`);
    units.set(name, [...identity.own, ...reached].join("\n"));
  }
  return units;
}

/** Writes what differs, as an editor would, with modification times that move on from one edit to the next. */
async function writeChanges(
  root: string,
  was: Readonly<Record<string, string>>,
  is: Readonly<Record<string, string>>,
  edit: number,
): Promise<void> {
  for (const path of Object.keys(was)) if (!(path in is)) await rm(join(root, path));
  const time = new Date(Date.UTC(2026, 0, 1) + edit * 1000);
  for (const [path, text] of Object.entries(is)) {
    if (was[path] === text) continue;
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
    await utimes(join(root, path), time, time);
  }
}

/** The projects that Node loads get their `reprise` from the bench. */
function withoutReprise(files: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith("node_modules/reprise/")));
}

function changedText(was: Readonly<Record<string, string>>, is: Readonly<Record<string, string>>): string {
  const paths = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((path) => was[path] !== is[path]);
  return paths.map((path) => `--- ${path} before\n${was[path] ?? ""}\n--- ${path} after\n${is[path] ?? ""}`).join("\n");
}
