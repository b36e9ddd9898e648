/** Where and as what a run happens: ids and names, the machine, the state of git. */
import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { RunId } from "../record/id.ts";
import type { EnvironmentRecord, GitRecord } from "../record/run.ts";
import { describeProcess } from "../store/process.ts";

const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
/** Ids count milliseconds from the start of 2025, so that eight characters last until 2059. */
const epochMs = Date.UTC(2025, 0, 1);

/** A new id, later than all made before it: milliseconds, then randomness against processes that start together. */
export function makeRunId(now: number): RunId {
  let rest = Math.max(0, now - epochMs);
  let text = "";
  for (let place = 0; place < 8; place += 1) {
    text = alphabet[rest % 32] + text;
    rest = Math.floor(rest / 32);
  }
  for (let place = 0; place < 3; place += 1) text += alphabet[Math.floor(Math.random() * 32)];
  return `r-${text}` as RunId;
}

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** A readable name in local time, to the microsecond: `first_pipeline-07_Jul_22-12_05_54_573248`. */
export function makeRunName(pipeline: string, now: number): string {
  const at = new Date(now);
  const two = (value: number): string => String(value).padStart(2, "0");
  const day = `${two(at.getDate())}_${months[at.getMonth()]}_${two(at.getFullYear() % 100)}`;
  const time = `${two(at.getHours())}_${two(at.getMinutes())}_${two(at.getSeconds())}`;
  const below = Number((process.hrtime.bigint() / 1000n) % 1000n);
  const micros = String(at.getMilliseconds() * 1000 + below).padStart(6, "0");
  return `${pipeline}-${day}-${time}_${micros}`;
}

export function describeEnvironment(repriseVersion: string): EnvironmentRecord {
  return {
    node: process.versions.node,
    platform: process.platform,
    arch: process.arch,
    reprise: repriseVersion,
    ...describeProcess(),
  };
}

/** The commit that is checked out, and whether tracked files differ from it. Undefined outside a repository. */
export async function describeGit(root: string): Promise<GitRecord | undefined> {
  const folder = findGitFolder(root);
  if (folder === undefined) return undefined;
  const head = readHead(folder);
  if (head === undefined) return undefined;
  return { ...head, dirty: await isDirty(root) };
}

function findGitFolder(root: string): string | undefined {
  for (let folder = resolve(root); ; folder = dirname(folder)) {
    const candidate = join(folder, ".git");
    if (readIfThere(join(candidate, "HEAD")) !== undefined) return candidate;
    // In a worktree or a submodule `.git` is a file that names the folder.
    const link = /^gitdir: (.+)$/mu.exec(readIfThere(candidate) ?? "")?.[1];
    if (link !== undefined) return resolve(folder, link);
    if (dirname(folder) === folder) return undefined;
  }
}

function readHead(folder: string): Pick<GitRecord, "commit" | "branch"> | undefined {
  const head = readIfThere(join(folder, "HEAD"))?.trim();
  if (head === undefined) return undefined;
  if (!head.startsWith("ref: ")) return { commit: head, branch: undefined };
  const ref = head.slice("ref: ".length);
  const common = resolve(folder, readIfThere(join(folder, "commondir"))?.trim() ?? ".");
  const loose = readIfThere(join(common, ref))?.trim();
  const commit = loose ?? findPacked(common, ref);
  return commit === undefined ? undefined : { commit, branch: ref.replace(/^refs\/heads\//u, "") };
}

function findPacked(folder: string, ref: string): string | undefined {
  const packed = readIfThere(join(folder, "packed-refs")) ?? "";
  return packed
    .split("\n")
    .find((line) => line.endsWith(` ${ref}`))
    ?.split(" ")[0];
}

/** A git that is missing or fails leaves the question open; "dirty" is then the careful answer. */
async function isDirty(root: string): Promise<boolean> {
  return await new Promise((answer) => {
    const options = { cwd: root, env: { ...process.env, GIT_OPTIONAL_LOCKS: "0" }, windowsHide: true };
    execFile("git", ["status", "--porcelain", "--untracked-files=no"], options, (error, output) => {
      answer(error !== null || output !== "");
    });
  });
}

function readIfThere(path: string): string | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
