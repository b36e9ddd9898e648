/** Watches `fs`, `fs/promises` and what is built on them. */
import fs from "node:fs";
import { isRacy, racyForMs, type Stamp } from "../code/stamp.ts";
import { currentRecording, insideNode } from "./current.ts";
import { lstatSync, statSync } from "./disk.ts";
import { filesBelow } from "./listing.ts";
import { lookers, watchDescriptors, watchHandle } from "./watch-looks.ts";
import type { Recording } from "./recording.ts";
import { something, stampQuietly } from "./stat-text.ts";
import { toPath } from "./territory.ts";
import { watchReadFile, watchReadFilePromise } from "./watch-read-file.ts";
import { noteStandardInput, watchStandardInput } from "./watch-standard-input.ts";
import { watchAsked, watchWhenAsked } from "./when-asked.ts";
import {
  callingBack,
  replace,
  replaceInSteps,
  runNode,
  watchCallback,
  watchPromise,
  watchSync,
  type Holder,
  type Watcher,
} from "./wrap.ts";

export function watchFiles(): void {
  const holder = fs as unknown as Holder;
  watchReadFile();
  for (const [name, watcher] of Object.entries(watchers)) {
    watchSync(holder, `${name}Sync`, watcher);
    watchCallback(holder, name, watcher);
  }
  watchPromise(holder, "openAsBlob", wholeReader);
  const { native: nativeSync } = fs.realpathSync;
  const { native } = fs.realpath;
  const natives = { nativeSync, native } as unknown as Holder;
  watchSync(natives, "nativeSync", lookers["realpath"] as Watcher);
  watchCallback(natives, "native", lookers["realpath"] as Watcher);
  fs.realpathSync.native = natives["nativeSync"] as never;
  fs.realpath.native = natives["native"] as never;
  watchExists(holder);
  watchDescriptors(holder);
  watchStandardInput();
  watchGlobs(holder);
  watchWhenAsked("fs/promises", watchPromises);
  const { get: getPromises } = Object.getOwnPropertyDescriptor(fs, "promises") as { get(): unknown };
  Object.defineProperty(fs, "promises", {
    configurable: true,
    enumerable: true,
    get() {
      watchAsked(["fs/promises"]);
      return getPromises.call(fs);
    },
  });
}

function watchPromises(): void {
  const promises = fs.promises as unknown as Holder;
  watchReadFilePromise(promises);
  for (const [name, watcher] of Object.entries(watchers)) watchPromise(promises, name, watcher);
  watchGlobPromise(promises);
}

/** A file is read by somebody who is not looked over the shoulder. */
const wholeReader: Watcher = {
  before: (recording, [path]) => beginRead(recording, path),
  after: (recording, _args, { error }, begun) => endRead(recording, error, begun),
};

interface Begun {
  readonly path: string;
  readonly stamp: Stamp | undefined;
}

function beginRead(recording: Recording, given: unknown): Begun | undefined {
  noteStandardInput(recording, given);
  const path = recording.locate(given);
  // A file that the step itself has written is an input all the same: its end tells.
  return path === undefined ? undefined : { path, stamp: stampQuietly(path) };
}

function endRead(recording: Recording, error: unknown, begun: unknown): void {
  if (begun === undefined) return;
  const { path, stamp } = begun as Begun;
  if (error === undefined) recording.opened(path, stamp);
  else recording.failed(path, error, stamp);
}

/** A file of so many bytes takes longer to read, to know what it held, than the moment in which an edit leaves no trace. */
const longBytes = 32 * 1024 * 1024;

/** Waits with a large file that was written a moment ago until an edit shows. */
function settle(begun: Begun | undefined): Begun | undefined {
  const stamp = begun?.stamp;
  const now = Date.now();
  if (begun === undefined || stamp === undefined || stamp[2] < longBytes || !isRacy(stamp, now)) return begun;
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, racyForMs(stamp, now));
  return { path: begun.path, stamp: stampQuietly(begun.path) };
}

/** What opens files, for whatever comes then. */
const openers: Readonly<Record<string, Watcher>> = {
  open: {
    before(recording, [path, flags = "r"]) {
      return isReading(flags) ? beginRead(recording, path) : undefined;
    },
    after(recording, [path, flags = "r"], { error, value }, begun) {
      // Of what is open nothing has been read yet.
      endRead(recording, error, error === undefined ? settle(begun as Begun | undefined) : begun);
      if (error !== undefined) return noteTaken(recording, path, error);
      if (isWriting(flags)) noteWrite(recording, path);
      noteDescriptor(recording, value, isWriting(flags) ? undefined : (begun as Begun | undefined)?.path);
    },
  },
  copyFile: {
    before: (recording, [from]) => beginRead(recording, from),
    after(recording, [, to], { error }, begun) {
      endRead(recording, isTaken(error) ? undefined : error, begun);
      if (error === undefined) noteWrite(recording, to);
      else noteTaken(recording, to, error);
    },
  },
  cp: {
    isComposed: true,
    before(recording, [from]) {
      const path = recording.locate(from);
      if (path === undefined) return undefined;
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) readBelow(recording, path);
      else recording.opened(path, stampQuietly(path));
      return undefined;
    },
    after(recording, [, to], { error }) {
      if (error === undefined) noteWrite(recording, to, "whole");
    },
  },
  rename: {
    before(recording, [from]) {
      const path = recording.locate(from);
      // What it wrote under a name that was to be temporary is no input.
      return path === undefined || recording.isWritten(path) ? undefined : { path, stamp: stampQuietly(path) };
    },
    after(recording, [from, to], { error }, begun) {
      const path = recording.locate(from);
      if (error !== undefined) {
        const isThere = path !== undefined && lstatSync(path, { throwIfNoEntry: false }) !== undefined;
        if (begun !== undefined && path !== undefined && !isThere) recording.looked(path, "link", undefined, 0);
        return;
      }
      if (begun !== undefined && path !== undefined) recording.looked(path, "stat", undefined, 0);
      noteWrite(recording, from, "whole");
      noteWrite(recording, to, "whole");
    },
  },
  link: {
    before: (recording, [from]) => beginRead(recording, from),
    after(recording, [, to], { error }, begun) {
      endRead(recording, isTaken(error) ? undefined : error, begun);
      if (error === undefined) noteWrite(recording, to);
      else noteTaken(recording, to, error);
    },
  },
};

function readBelow(recording: Recording, path: string): void {
  recording.listed(path, { kinds: true, recursive: true });
  for (const inside of filesBelow(path)) {
    if (recording.locate(inside) !== undefined) recording.opened(inside, stampQuietly(inside));
  }
}

const writeFirst: Watcher = {
  after(recording, [path], { error }) {
    if (error === undefined) noteWrite(recording, path);
    else noteTaken(recording, path, error);
  },
};

const removeFirst: Watcher = {
  before(recording, [path]) {
    const located = recording.locate(path);
    return located !== undefined && lstatSync(located, { throwIfNoEntry: false }) !== undefined;
  },
  after(recording, [path], { error }, wasThere) {
    if (error === undefined && wasThere === true) noteWrite(recording, path, "whole");
  },
};

const writers: Readonly<Record<string, Watcher>> = {
  writeFile: writeFirst,
  appendFile: writeFirst,
  truncate: writeFirst,
  unlink: removeFirst,
  rm: { ...removeFirst, isComposed: true },
  rmdir: removeFirst,
  symlink: {
    after(recording, [, path], { error }) {
      if (error === undefined) noteWrite(recording, path);
      else noteTaken(recording, path, error);
    },
  },
  mkdir: {
    after(recording, [path, options], { error, value }) {
      if (error !== undefined) return noteTaken(recording, path, error);
      const isRecursive =
        typeof options === "object" && options !== null && "recursive" in options && options.recursive;
      // With `recursive` it answers with the first directory that it had to make.
      if (isRecursive !== true) noteWrite(recording, path);
      else if (typeof value === "string") noteWrite(recording, value, "whole");
    },
  },
  mkdtemp: {
    after: (recording, _args, { value }) => keepPrivate(recording, value),
  },
  mkdtempDisposable: {
    after: (recording, _args, { value }) =>
      keepPrivate(recording, (value as { readonly path?: unknown } | undefined)?.path),
  },
};

const watchers: Readonly<Record<string, Watcher>> = { ...lookers, ...openers, ...writers };

function keepPrivate(recording: Recording, given: unknown): void {
  const found = typeof given === "string" ? toPath(given) : undefined;
  if (found !== undefined) recording.keptPrivate(found.path);
}

/** Numbers come again when files are closed: what is no input takes the number from one that was. */
function noteDescriptor(recording: Recording, opened: unknown, path: string | undefined): void {
  const descriptor = typeof opened === "number" ? opened : (opened as { readonly fd: number }).fd;
  if (path === undefined) recording.descriptors.delete(descriptor);
  else recording.descriptors.set(descriptor, path);
  if (typeof opened === "object" && path !== undefined) watchHandle(opened);
}

function noteWrite(recording: Recording, given: unknown, extent: "alone" | "whole" = "alone"): void {
  const path = recording.locate(given);
  if (path !== undefined) recording.made(path, extent);
}

/** Something stands where the step wanted to make something: so it learns that it is there. */
function noteTaken(recording: Recording, given: unknown, error: unknown): void {
  const path = isTaken(error) ? recording.locate(given) : undefined;
  if (path !== undefined && !recording.isWritten(path)) recording.looked(path, "link", something, 0);
}

const isTaken = (error: unknown): boolean => (error as NodeJS.ErrnoException | undefined)?.code === "EEXIST";

function isReading(flags: unknown): boolean {
  if (typeof flags === "number") return (flags & fs.constants.O_WRONLY) === 0;
  return typeof flags !== "string" || flags.startsWith("r") || flags.includes("+");
}

function isWriting(flags: unknown): boolean {
  const { O_WRONLY, O_RDWR } = fs.constants;
  if (typeof flags === "number") return (flags & (O_WRONLY | O_RDWR)) !== 0;
  return typeof flags === "string" && /[wa+]/u.test(flags);
}

/** The one function whose callback gets no error. */
function watchExists(holder: Holder): void {
  const tell = (recording: Recording, given: unknown, isThere: unknown): void => {
    const path = recording.locate(given);
    if (path !== undefined) recording.looked(path, "stat", isThere === true ? something : undefined, 0);
  };
  watchSync(holder, "existsSync", { after: (recording, [path], { value }) => tell(recording, path, value) });
  replaceInSteps(holder, "exists", ({ recording, original, self, args: [path, callback] }) => {
    if (typeof callback !== "function") return original.call(self, path, callback);
    return original.call(self, path, (isThere: unknown) => {
      insideNode(() => tell(recording, path, isThere));
      (callback as (isThere: unknown) => void)(isThere);
    });
  });
}

/** Globs look at directories by functions of Node's own, at whatever time: they are noted by what they are asked for. */
function noteGlob(recording: Recording, patterns: unknown, options: unknown): void {
  const cwd = (options as { readonly cwd?: unknown } | undefined)?.cwd ?? ".";
  const folder = recording.locate(cwd);
  if (folder === undefined) return;
  for (const pattern of [patterns].flat()) if (typeof pattern === "string") recording.globbed(folder, pattern);
}

function watchGlobs(holder: Holder): void {
  watchSync(holder, "globSync", {
    isComposed: true,
    after: (recording, [patterns, options]) => noteGlob(recording, patterns, options),
  });
  watchCallback(holder, "glob", {
    isComposed: true,
    after: (recording, [patterns, options]) =>
      noteGlob(recording, patterns, typeof options === "function" ? undefined : options),
  });
}

function watchGlobPromise(promises: Holder): void {
  replace(
    promises,
    "glob",
    (original) =>
      async function* (this: unknown, patterns, options) {
        const recording = currentRecording();
        if (recording === undefined) {
          yield* original.call(this, patterns, options) as AsyncIterable<unknown>;
          return;
        }
        insideNode(() => noteGlob(recording, patterns, options));
        const walk = (original.apply(this, callingBack(recording, [patterns, options])) as AsyncIterable<unknown>)[
          Symbol.asyncIterator
        ]();
        for (;;) {
          const next = await runNode(() => walk.next());
          if (next.done === true) return;
          yield next.value;
        }
      },
  );
}
