/** What looks at paths without reading bytes: `stat` and its like, listings, links. */
import type { BigIntStats, Dirent, Stats } from "node:fs";
import util from "node:util";
import { isNowhere } from "../code/stamp.ts";
import type { Recording } from "./recording.ts";
import { something, toStatDetail, type StatLevel } from "./stat-text.ts";
import type { Watcher } from "./wrap.ts";

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
      const detail = { kind: `link ${String(value)}`, size: 0, modifiedMs: 0 };
      if (error === undefined) recording.looked(path, "link", detail, 1);
      else if (isNowhere(error)) recording.looked(path, "link", undefined, 1);
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
      const stats = value as Stats | BigIntStats;
      const detail = toStatDetail(stats, path);
      recording.looked(path, kind, detail, 1);
      return revealSlowly(stats, (level) => {
        if (!recording.isClosed) recording.looked(path, kind, detail, level);
      });
    },
  };
}

const levels: Readonly<Record<string, StatLevel>> = {
  size: 2,
  mtimeMs: 3,
  ctimeMs: 3,
  birthtimeMs: 3,
  mtimeNs: 3,
  ctimeNs: 3,
  birthtimeNs: 3,
};

/** Lets size and times be seen to be read: most who ask want to know whether it is a file, and no more. */
function revealSlowly(stats: Stats | BigIntStats, tell: (level: StatLevel) => void): unknown {
  for (const [name, level] of Object.entries(levels)) {
    const property = Object.getOwnPropertyDescriptor(stats, name);
    if (property === undefined) continue;
    let { value } = property as { value: unknown };
    Object.defineProperty(stats, name, {
      enumerable: true,
      configurable: true,
      get() {
        tell(level);
        return value;
      },
      set(given: unknown) {
        value = given;
      },
    });
  }
  // Getters are not shown by their values, as the properties they stand for are.
  Object.defineProperty(stats, util.inspect.custom, {
    configurable: true,
    value(_depth: number, options: util.InspectOptions, inspect: typeof util.inspect) {
      return inspect(Object.assign(Object.create(Object.getPrototypeOf(stats) as object) as object, stats), options);
    },
  });
  return stats;
}
