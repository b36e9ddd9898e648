/** `reprise doctor`. */
import { execFile } from "node:child_process";
import { mkdtemp, rm, stat, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { promisify } from "node:util";
import { withLiveStatus } from "../../history/live-status.ts";
import { inspectStore } from "../../stack/inspect-store.ts";
import { complainAboutNode } from "../../stack/node-version.ts";
import { listStacks } from "../../stack/stack.ts";
import type { Context, Handler } from "../context.ts";
import { formatBytes, formatCount } from "../format.ts";
import { cleanText, padText } from "../print.ts";

interface Check {
  readonly name: string;
  readonly state: "ok" | "warning" | "broken";
  readonly text: string;
  readonly hint?: string;
}

const hourMs = 3_600_000;
const littleSpace = 1e9;
/** A file's time and the clock's may differ by what a file system rounds. */
const clockSlackMs = 3000;

export const doctor: Handler<"doctor"> = async (context) => {
  const checks: Check[] = [checkNode()];
  const add = async (name: string, check: () => Promise<readonly Check[]>): Promise<void> => {
    try {
      checks.push(...(await check()));
    } catch (error) {
      checks.push({ name, state: "broken", text: error instanceof Error ? error.message : String(error) });
    }
  };
  await add("configuration", () => checkConfiguration(context));
  if (checks.every((check) => check.state !== "broken")) {
    await add("store", () => checkStore(context));
    await add("disk", () => checkDisk(context));
  }
  await add("git", () => checkGit(context.cwd));
  const isBroken = checks.some((check) => check.state === "broken");
  context.answer({ healthy: !isBroken, checks }, () => printChecks(context, checks));
  return isBroken ? 1 : 0;
};

function checkNode(): Check {
  const complaint = complainAboutNode();
  return complaint === undefined
    ? { name: "node", state: "ok", text: process.versions.node }
    : { name: "node", state: "broken", text: complaint };
}

async function checkConfiguration({ stackOptions }: Context): Promise<readonly Check[]> {
  const stacks = await listStacks(stackOptions);
  const active = stacks.find((each) => each.active);
  return [{ name: "configuration", state: "ok", text: `stack ${active?.name ?? "default"}` }];
}

async function checkStore(context: Context<"doctor">): Promise<readonly Check[]> {
  const { storePath } = await findStack(context);
  const health = await inspectStore(storePath, Date.now());
  if (!health.exists) return [{ name: "store", state: "ok", text: `${storePath} is not there yet: a run makes it` }];
  if (health.problems.length > 0) {
    const { hint } = health;
    const text = `${storePath}: ${health.problems.join("; ")}`;
    return [{ name: "store", state: "broken", text, ...(hint === undefined ? {} : { hint }) }];
  }
  const { metadata, content, blobs } = await context.openStack();
  const runs = (await metadata.runs({})).map(withLiveStatus);
  const artifacts = await metadata.artifacts({});
  const refs = [
    ...new Map(artifacts.flatMap(({ root, parts }) => [root, ...parts]).map((ref) => [ref.digest, ref])).values(),
  ];
  const level = context.flags.deep ? "bytes" : "stat";
  const states = [...(await content.verify(refs, { level })).values()];
  const missing = states.filter((state) => state === "missing").length;
  const altered = states.filter((state) => state === "corrupt").length;
  let bytes = 0;
  for await (const blob of blobs.list()) bytes += blob.size;
  const unclear = runs.filter((run) => run.status === "interrupted").length;
  const future = runs.find((run) => run.imported === undefined && run.startedAt > Date.now() + clockSlackMs);
  const checked = level === "bytes" ? "every byte read" : "sizes compared";
  return [
    {
      name: "store",
      state: "ok",
      text: `${storePath}, schema ${health.schema}, ${formatCount(runs.length, "run")}, records ${formatBytes(await metadata.size())}, data ${formatBytes(bytes)}`,
    },
    missing + altered === 0
      ? { name: "blobs", state: "ok", text: `${formatCount(refs.length, "blob")} in place, ${checked}` }
      : {
          name: "blobs",
          state: "warning",
          text: `${missing} missing, ${altered} altered, of ${refs.length}`,
          hint: "The next run that needs them executes their steps again and repairs them",
        },
    health.unfinished.count === 0 || health.unfinished.oldestMs < hourMs
      ? { name: "unfinished", state: "ok", text: formatCount(health.unfinished.count, "file") }
      : {
          name: "unfinished",
          state: "warning",
          text: `${formatCount(health.unfinished.count, "file")} of writers that were killed`,
          hint: "reprise gc removes them",
        },
    ...(unclear === 0
      ? []
      : [
          {
            name: "runs",
            state: "ok" as const,
            text: `${formatCount(unclear, "run")} interrupted; finished steps were kept`,
          },
        ]),
    future === undefined
      ? { name: "clock", state: "ok", text: "no run lies in the future" }
      : {
          name: "clock",
          state: "warning",
          text: `run ${future.id} started in the future: the clock was set back`,
          hint: "Expiry and the order of runs go by the clock: set it right",
        },
  ];
}

async function checkDisk(context: Context): Promise<readonly Check[]> {
  const { storePath } = await findStack(context);
  const folder = await stat(storePath).then(
    () => storePath,
    () => context.cwd,
  );
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  let probe: string;
  try {
    probe = await mkdtemp(join(folder, "doctor-"));
  } catch (error) {
    const text = `${folder} cannot be written: ${error instanceof Error ? error.message : String(error)}`;
    const hint = "Stored results are reused and can be looked at, but a run is not recorded";
    return [{ name: "disk", state: "warning", text, hint }];
  }
  try {
    await writeFile(join(probe, "probe"), "probe");
    const { mtimeMs } = await stat(join(probe, "probe"));
    const skewed = Math.abs(mtimeMs - Date.now()) > clockSlackMs;
    return [
      free < littleSpace
        ? { name: "disk", state: "warning", text: `${formatBytes(free)} free`, hint: "Free space: reprise gc -n" }
        : { name: "disk", state: "ok", text: `${formatBytes(free)} free, writable` },
      ...(skewed
        ? [{ name: "disk clock", state: "warning" as const, text: "the disk's clock and this machine's differ" }]
        : []),
    ];
  } finally {
    await rm(probe, { recursive: true, force: true });
  }
}

async function checkGit(cwd: string): Promise<readonly Check[]> {
  const git = promisify(execFile);
  try {
    const { stdout } = await git("git", ["rev-parse", "--short", "HEAD"], { cwd });
    return [{ name: "git", state: "ok", text: `commit ${stdout.trim()} is recorded with each run` }];
  } catch {
    return [{ name: "git", state: "ok", text: "no commit here: runs are recorded without one" }];
  }
}

async function findStack({ stackOptions }: Context): Promise<{ readonly storePath: string }> {
  const stacks = await listStacks(stackOptions);
  const found = stacks.find((each) =>
    stackOptions.stack === undefined ? each.active : each.name === stackOptions.stack,
  );
  return found ?? stacks[0] ?? { storePath: stackOptions.cwd ?? "." };
}

function printChecks({ printer }: Context, checks: readonly Check[]): void {
  const { symbols } = printer;
  for (const { name, state, text, hint } of checks) {
    const sign =
      state === "ok"
        ? printer.style("green", symbols.done)
        : state === "warning"
          ? printer.style("yellow", symbols.warning)
          : printer.style("red", symbols.failed);
    const word = state === "ok" ? "" : `${state}: `;
    printer.line(`  ${sign} ${padText(name, 13)}  ${word}${cleanText(text)}`);
    if (hint !== undefined) printer.line(printer.style("dim", `    ${" ".repeat(13)}  ${hint}`));
  }
}
