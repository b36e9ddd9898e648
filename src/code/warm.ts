/** Whether an earlier answer still holds: one `stat` a file and folder, and nothing parsed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { StepDefinition } from "../define/plan.ts";
import { sha256 } from "../hash/sha256.ts";
import { relativePath } from "./lock-file.ts";
import { listingOf } from "./project.ts";
import { toSourcePosition } from "./site.ts";
import { isRacy, isSameMoment, sameStamp, stampOf } from "./stamp.ts";
import type { Observed } from "./state.ts";

/** A step's name and call sites, in terms that mean the same in every process and checkout. */
export function stepKey(root: string, step: StepDefinition): string {
  const sites = step.sites.map((site) => {
    const position = toSourcePosition(site);
    return position === undefined ? site.script : [relativePath(root, position.path), position.line, position.column];
  });
  return JSON.stringify([step.name, sites]);
}

/** What a set of steps is kept under: their names and files, and the files that the process evaluates besides. */
export function subjectOf(root: string, steps: Iterable<StepDefinition>, entries: Iterable<string>): string {
  const names = new Set([...entries].map((entry) => relativePath(root, entry)));
  for (const step of steps) {
    const [site] = step.sites;
    const position = site === undefined ? undefined : toSourcePosition(site);
    names.add(`${step.name} ${position === undefined ? "" : relativePath(root, position.path)}`);
  }
  return sha256([...names].sort().join("\n"), "base64url").slice(0, 22);
}

/** What the drivers of a file, and of those that it imports, are kept under. */
export function subjectOfFile(root: string, path: string): string {
  return sha256(relativePath(root, path), "base64url").slice(0, 22);
}

/** Whether everything that the answers rest on is as it was. */
export function stillHolds(root: string, state: Observed): boolean {
  return (
    state.files.every((file) => {
      const stamp = stampOf(join(root, file.name));
      if (stamp === undefined || !sameStamp(stamp, file.stamp)) return false;
      return !isRacy(file.stamp, file.readAtMs) || contentIs(join(root, file.name), file.content);
    }) && surroundingsHold(root, state)
  );
}

/** Whether specifiers lead where they led: no file or folder has appeared or gone, no manifest has changed. */
export function surroundingsHold(root: string, state: Observed): boolean {
  return (
    state.watched.every(([name, stamp]) => sameStamp(stampOf(join(root, name)), stamp ?? undefined)) &&
    state.folders.every((folder) => {
      const path = join(root, folder.name);
      return isSameMoment(folder, stampOf(path)?.[0] ?? 0) || listingOf(path) === folder.listing;
    })
  );
}

function contentIs(path: string, content: string): boolean {
  try {
    return content.startsWith(sha256(readFileSync(path), "base64url"));
  } catch {
    return false;
  }
}
