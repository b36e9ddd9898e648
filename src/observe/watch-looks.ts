/** What looks at paths without reading bytes: `stat` and its like, listings, links. */
import type { BigIntStats, Dirent, Stats } from "node:fs";
import { isNowhere } from "../code/stamp.ts";
import { insideNode } from "./current.ts";
import { lstatSync } from "./disk.ts";
import type { Recording } from "./recording.ts";
import { standIn } from "./stand-in.ts";
import { bareDetail, facts, something, toStatDetail, type StatLevel } from "./stat-text.ts";
import { replaceInSteps, type AnyFunction, type Holder, type Watcher } from "./wrap.ts";

export const lookers: Readonly<Record<string, Watcher>> = {
  access: {
    after(recording, [given], { error }) {
      const path = recording.locate(given);
      if (path === undefined) return;
      if (error !== undefined && !isNowhere(error)) return recording.refused(path);
      recording.looked(path, "stat", error === undefined ? something : undefined, 0);
    },
  },
  stat: watchStat("stat"),
  lstat: watchStat("link"),
  readlink: {
    after(recording, [given], { error, value }) {
      const path = recording.locate(given);
      if (path === undefined) return;
      const detail = bareDetail(`link ${String(value)}`);
      if (error === undefined) recording.looked(path, "link", detail, 1);
      else noteNoLink(recording, path);
    },
  },
  realpath: {
    after(recording, [given], { error, value }) {
      const path = recording.locate(given);
      if (path !== undefined) recording.resolved(path, error === undefined ? String(value) : undefined);
    },
  },
  readdir: {
    after: (recording, args, { value }) => noteListing(recording, args, value),
  },
  opendir: {
    after: (recording, args) => noteListing(recording, args, undefined),
  },
};

/** Something that is no link may become one. */
function noteNoLink(recording: Recording, path: string): void {
  try {
    const stats = lstatSync(path, { throwIfNoEntry: false });
    recording.looked(path, "link", stats === undefined ? undefined : toStatDetail(stats, path), 1);
  } catch (error) {
    if (isNowhere(error)) recording.looked(path, "link", undefined, 1);
    else recording.refused(path);
  }
}

function noteListing(recording: Recording, [given, options]: readonly unknown[], value: unknown): void {
  const path = recording.locate(given);
  if (path === undefined) return;
  const { withFileTypes, recursive } = (typeof options === "object" && options !== null ? options : {}) as {
    readonly withFileTypes?: boolean;
    readonly recursive?: boolean;
  };
  const found = Array.isArray(value) && value.every(isNamed) ? value : undefined;
  recording.listed(path, { kinds: withFileTypes === true, recursive: recursive === true }, found);
}

/** Names may be asked for as bytes; then the directory is listed once more. */
function isNamed(entry: unknown): entry is string | Dirent {
  return typeof entry === "string" || typeof (entry as Dirent).name === "string";
}

function watchStat(kind: "stat" | "link"): Watcher {
  return {
    after(recording, [given], { error, value }) {
      const path = recording.locate(given);
      if (path === undefined) return undefined;
      if (error !== undefined || value === undefined) {
        if (error === undefined || isNowhere(error)) recording.looked(path, kind, undefined, 1);
        else recording.refused(path);
        return undefined;
      }
      return reveal(recording, path, kind, value as Stats | BigIntStats);
    },
  };
}

/** Of a file that is open. Only what is opened for reading is known here: what a step writes it knows. */
export function watchDescriptors(holder: Holder): void {
  replaceInSteps(holder, "fstatSync", ({ recording, original, self, args }) =>
    insideNode(() => revealOpen(recording, args[0], original.apply(self, args))),
  );
  replaceInSteps(holder, "fstat", ({ recording, original, self, args }) => {
    const callback = args.at(-1);
    if (typeof callback !== "function") return original.apply(self, args);
    return original.call(self, ...args.slice(0, -1), (error: unknown, stats: unknown) => {
      (callback as AnyFunction).call(
        undefined,
        error,
        insideNode(() => revealOpen(recording, args[0], stats)),
      );
    });
  });
}

/** Handles are of a class that Node does not give by name. */
export function watchHandle(handle: unknown): void {
  const holder = Object.getPrototypeOf(handle) as Holder;
  if (watchedHandles.has(holder)) return;
  watchedHandles.add(holder);
  replaceInSteps(holder, "stat", async ({ recording, original, self, args }) => {
    const stats = await original.apply(self, args);
    return insideNode(() => revealOpen(recording, (self as { readonly fd: unknown }).fd, stats));
  });
}

const watchedHandles = new WeakSet<object>();

function revealOpen(recording: Recording, descriptor: unknown, stats: unknown): unknown {
  const path = recording.descriptors.get(descriptor as number);
  return path === undefined || stats === undefined ? stats : reveal(recording, path, "stat", stats as Stats, 0);
}

const levels: Readonly<Record<string, StatLevel>> = {
  size: facts.size,
  mode: facts.mode,
  mtimeMs: facts.modified,
  mtimeNs: facts.modified,
  ctimeMs: facts.changed,
  ctimeNs: facts.changed,
  birthtimeMs: facts.born,
  birthtimeNs: facts.born,
};

/** What differs though the file is the same: in another checkout, on another disk, after it was read. */
const uncompared: ReadonlySet<unknown> = new Set([
  "dev",
  "ino",
  "nlink",
  "uid",
  "gid",
  "rdev",
  "blksize",
  "blocks",
  "atimeMs",
  "atimeNs",
]);

/** Lets it be seen what is taken from an answer: most who ask want to know whether it is a file, and no more. */
function reveal(
  recording: Recording,
  path: string,
  kind: "stat" | "link",
  stats: Stats | BigIntStats,
  first: StatLevel = facts.kind,
): unknown {
  const detail = toStatDetail(stats, path);
  if (first !== 0) recording.looked(path, kind, detail, first);
  const tell = (name: string | symbol): void => {
    if (recording.isClosed) return;
    const level = typeof name === "string" ? levels[name] : undefined;
    if (level !== undefined) recording.looked(path, kind, detail, level | facts.kind);
    else if (uncompared.has(name) && !recording.hasNotice("host")) recording.notice("host", uncomparedText);
  };
  return standIn(stats, {
    get(target, name, receiver) {
      // By it Node's own methods tell the kind of a thing from the mode.
      if (name === "_checkModeProperty") return checkMode.bind(undefined, target);
      tell(name);
      return Reflect.get(target, name, receiver) as unknown;
    },
    getOwnPropertyDescriptor(target, name) {
      tell(name);
      return Reflect.getOwnPropertyDescriptor(target, name);
    },
  });
}

const uncomparedText = "takes from stat what is not compared (inode, owner, last access and the like)";

function checkMode(stats: object, property: unknown): unknown {
  return (stats as { _checkModeProperty(property: unknown): unknown })._checkModeProperty(property);
}
