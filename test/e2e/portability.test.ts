/** The same project elsewhere: keys are the same, so results that travel are reused. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { hostname, tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test, type TestContext } from "node:test";
import { makeProject, repository, type Project } from "../rig/project.ts";

const files = {
  "scores.pipeline.ts": `
import { readFileSync } from "node:fs";
import { pipeline, step } from "reprise";
import { z } from "zod";
import { mean } from "./lib/mean.ts";

const load = step({
  name: "load",
  cacheKey: () => readFileSync(new URL("data/prices.csv", import.meta.url), "utf8"),
  run: ({ region }: { region: string }, { log }) => {
    log("reading");
    const lines = readFileSync(new URL("data/prices.csv", import.meta.url), "utf8").trim().split("\\n");
    return { prices: lines.filter((line) => line.startsWith(region)).map((line) => Number(line.split(",")[1])) };
  },
});
const score = step({
  name: "score",
  params: z.object({ weight: z.number().default(1.5) }),
  run: ({ prices, weight }: { prices: number[]; weight: number }) => ({ score: weight * mean(prices) }),
});

export const scores = pipeline({
  name: "scores",
  params: z.object({ region: z.string().default("zürich"), since: z.coerce.date().default(new Date("2026-10-25T01:30:00Z")) }),
  build({ region, since }) {
    const { prices } = load({ region });
    return score({ prices: dated({ prices, since }).prices, weight: 2 });
  },
});

const dated = step({
  name: "dated",
  run: ({ prices, since }: { prices: number[]; since: Date }) => ({ prices: prices.map((price) => price + since.getTime() % 7) }),
});
`,
  "lib/mean.ts":
    "export const mean = (values: number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;\n",
  "data/prices.csv": "zürich,12.5\nzürich,13.25\nbern,11\n",
};

interface Where {
  readonly env?: Readonly<Record<string, string>>;
  /** Runs as another user of the machine. */
  readonly uid?: number;
  /** Runs under another name of the machine. */
  readonly host?: string;
}

/** Runs the command line in a project, somewhere. Answers with the data of its answer. */
async function reprise<T>(project: Project, args: readonly string[], where: Where = {}): Promise<T> {
  const node = [process.execPath, ...project.bin, ...args, "--json"];
  const asUser = where.uid === undefined ? [] : ["setpriv", `--reuid=${where.uid}`, "--clear-groups"];
  const inHost =
    where.host === undefined ? [] : ["unshare", "--uts", "sh", "-c", 'hostname "$0" && exec "$@"', where.host];
  const [program = "", ...rest] = [...inHost, ...asUser, ...node];
  const { PATH, HOME } = process.env;
  const child = spawn(program, rest, {
    cwd: project.path,
    env: { PATH, HOME, NO_COLOR: "1", ...where.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  await new Promise((done) => child.once("close", done));
  const answer = JSON.parse(stdout.trim().split("\n").at(-1) ?? "null") as { ok: boolean; data: T } | null;
  if (answer?.ok !== true) throw new Error(`${args.join(" ")} failed: ${stdout}${stderr}`);
  return answer.data;
}

interface Listed {
  readonly hits: number;
  readonly entry: { readonly step: string; readonly key: string; readonly outputs: readonly { digest: string }[] };
}

/** Runs the pipeline, and answers with each step's key and outputs. */
async function keysOf(project: Project, where: Where): Promise<Readonly<Record<string, string>>> {
  await reprise(project, ["run"], where);
  const listed = await reprise<Listed[]>(project, ["cache", "ls"], where);
  return Object.fromEntries(
    listed
      .map(({ entry }) => [entry.step, `${entry.key} ${entry.outputs.map(({ digest }) => digest).join(" ")}`] as const)
      .sort(),
  );
}

/** Everybody may go there, and the user alone may write there. */
async function giveTo(project: Project, uid: number): Promise<void> {
  await chmod(project.path, 0o755);
  for (const entry of await readdir(project.path, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) await chown(join(entry.parentPath, entry.name), uid, uid);
  }
  await chown(project.path, uid, uid);
}

const nobody = 65_534;

function whyNoOtherUser(): string | undefined {
  if (process.getuid?.() !== 0) return "only root can run as another user";
  const can = spawnSync("setpriv", [`--reuid=${nobody}`, "--clear-groups", process.execPath, "--version"]);
  if (can.status !== 0) return "there is no setpriv, or another user may not run this Node";
  const reads = spawnSync("setpriv", [`--reuid=${nobody}`, "--clear-groups", "ls", join(repository, "dist")]);
  return reads.status === 0 ? undefined : "another user may not read the repository";
}

function whyNoOtherHost(): string | undefined {
  return spawnSync("unshare", ["--uts", "hostname", "elsewhere"]).status === 0
    ? undefined
    : "the machine cannot be given another name";
}

const strange: Readonly<Record<string, string>> = {
  LANG: "tr_TR.UTF-8",
  LC_ALL: "tr_TR.UTF-8",
  TZ: "Pacific/Kiritimati",
  HOME: "/nowhere/ünknown",
  USER: "somebody",
  LOGNAME: "somebody",
  HOSTNAME: "elsewhere",
  TMPDIR: tmpdir(),
};

test("keys and results are the same in another folder, locale and time zone, and for another home and user name", async () => {
  await using here = await makeProject(files);
  await using there = await makeProject(files);
  const plain = await keysOf(here, { env: { LANG: "C", TZ: "UTC" } });
  assert.deepEqual(Object.keys(plain), ["dated", "load", "score"]);
  await using store = await temporaryFolder();
  const elsewhere = { ...strange, REPRISE_STORE: join(store.path, "a store elsewhere") };
  assert.deepEqual(await keysOf(there, { env: elsewhere }), plain);
});

test("keys are the same for another user of the machine", async (t: TestContext) => {
  const why = whyNoOtherUser();
  if (why !== undefined) return t.skip(why);
  await using here = await makeProject(files);
  await using there = await makeProject(files);
  await giveTo(there, nobody);
  const plain = await keysOf(here, {});
  assert.deepEqual(await keysOf(there, { uid: nobody, env: { HOME: there.path } }), plain);
  return undefined;
});

test("keys are the same on a machine of another name", async (t: TestContext) => {
  const why = whyNoOtherHost();
  if (why !== undefined) return t.skip(why);
  await using here = await makeProject(files);
  await using there = await makeProject(files);
  assert.deepEqual(await keysOf(there, { host: "elsewhere" }), await keysOf(here, {}));
  const [run] = await reprise<{ run: { environment: { host: string } } }[]>(there, ["runs"]);
  assert.equal(run?.run.environment.host, "elsewhere");
  return undefined;
});

test("an archive from one project makes everything cached in another, and holds nothing of where it was made in its keys", async () => {
  await using here = await makeProject(files);
  await using there = await makeProject(files);
  await using folder = await temporaryFolder();
  const other: Where = {
    env: { ...strange, REPRISE_STORE: join(folder.path, "store") },
    ...(whyNoOtherHost() === undefined ? { host: "elsewhere" } : {}),
  };
  await reprise(here, ["run"]);
  const archive = join(folder.path, "cache.tar");
  await reprise(here, ["cache", "export", "-o", archive]);
  const report = await reprise<{ added: unknown[]; foreign: number }>(there, ["cache", "import", archive], other);
  assert.deepEqual([report.added.length, report.foreign], [3, 0]);
  await reprise(there, ["run"], other);
  const listed = await reprise<Listed[]>(there, ["cache", "ls"], other);
  assert.deepEqual(
    listed.map(({ hits }) => hits),
    [1, 1, 1],
  );
  // The keys, what was read, and the code behind them, as they stand in the archive.
  const lines = (await readFile(archive, "utf8")).split("\n");
  const keyed = lines.filter((line) => /^\["(?:key|trace|code|source)"/u.test(line)).join("\n");
  assert.ok(keyed.includes('"step":"load"'));
  for (const hint of [here.path, repository, tmpdir(), hostname(), userInfo().homedir]) {
    if (hint.length > 2) assert.ok(!keyed.includes(hint), `a key in the archive names ${hint}`);
  }
});

async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), "reprise-elsewhere-"));
  await mkdir(path, { recursive: true });
  return { path, [Symbol.asyncDispose]: async () => await rm(path, { recursive: true, force: true }) };
}
