/**
 * Loaded into a process before everything else, by `--import`: wraps the calls by which a store is written, from outside,
 * so that the product knows nothing of it. Each call inside of the folder REPRISE_FAULT_FOLDER is a point that has a name:
 * `before rename objects`, `half write tmp`, `after COMMIT`. What happens there, REPRISE_FAULT says:
 *
 * - `list:FILE` writes each point's name to a file, at the end;
 * - `kill:N` ends the process as kill -9 does at the N-th point, counted from 0;
 * - `fail:CALL:CODE` lets each such call fail as a system does that answers CODE; `fail:CALL@PLACE:CODE` only there.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { relative, sep } from "node:path";
import { DatabaseSync } from "node:sqlite";

type Call = (this: unknown, ...args: unknown[]) => unknown;

const folder = process.env["REPRISE_FAULT_FOLDER"] as string;
const [kind, ...rest] = (process.env["REPRISE_FAULT"] as string).split(":") as [string, ...string[]];
const { appendFileSync, writeFileSync, writeSync } = fs;
const sleeping = new Int32Array(new SharedArrayBuffer(4));
const names: string[] = [];
let passed = 0;
/** In a call already: those that it makes itself are no points. */
let isInside = false;

if (kind === "list")
  process.on("exit", () => writeFileSync(rest[0] as string, names.map((name) => `${name}\n`).join("")));

function reach(when: "before" | "half" | "after", name: string, place: string): void {
  names.push(`${when} ${name} ${place}`);
  if (kind === "kill" && passed === Number(rest[0])) {
    process.kill(process.pid, "SIGKILL");
    Atomics.wait(sleeping, 0, 0);
  }
  passed += 1;
}

function failIfAsked(name: string, place: string): void {
  if (kind !== "fail") return;
  const [call, where] = (rest[0] as string).split("@");
  if (call !== name || (where !== undefined && where !== place)) return;
  const code = rest[1] as string;
  throw Object.assign(new Error(`${code}: told to fail, ${name}`), { code, syscall: name });
}

/** Files that are open, by descriptor: the folder of the store that they lie in. */
const opened = new Map<number, string>();

/** The first name below the store's folder, such as `tmp` or `code`; undefined outside of it. */
function placeOf(target: unknown): string | undefined {
  if (isInside) return undefined;
  if (typeof target === "number") return opened.get(target);
  if (typeof target !== "string") return undefined;
  const path = relative(folder, target);
  if (path.startsWith("..") || path === target) return undefined;
  return path.split(sep)[0] as string;
}

function around(name: string, place: string, call: () => unknown): unknown {
  failIfAsked(name, place);
  reach("before", name, place);
  isInside = true;
  let result: unknown;
  try {
    result = call();
  } finally {
    isInside = false;
  }
  if (!(result instanceof Promise)) {
    reach("after", name, place);
    return result;
  }
  return result.then((value: unknown) => {
    reach("after", name, place);
    return value;
  });
}

/** `which`: the argument that names the file. */
function wrap(owner: object, name: string, which = 0): void {
  const methods = owner as Record<string, Call>;
  const original = methods[name] as Call;
  methods[name] = function (...args) {
    const place = placeOf(args[which]);
    return place === undefined ? original.apply(this, args) : around(name, place, () => original.apply(this, args));
  };
}

for (const name of ["mkdirSync", "utimesSync", "rmSync", "fsyncSync"]) wrap(fs, name);
wrap(fs, "renameSync", 1);
wrap(fs.promises, "rename", 1);
for (const name of ["mkdir", "rm"]) wrap(fs.promises, name);

/** Bytes may be there by half. */
fs.writeFileSync = function (target, data, options) {
  const place = placeOf(target);
  if (place === undefined || typeof data !== "string") return writeFileSync(target, data, options);
  const text = data;
  around("writeFile", place, () => {
    writeFileSync(target, text.slice(0, text.length / 2), options);
    reach("half", "writeFile", place);
    appendFileSync(target, text.slice(text.length / 2));
  });
};
fs.appendFileSync = function (target, data, options) {
  const place = placeOf(target);
  if (place === undefined || typeof data !== "string") return appendFileSync(target, data, options);
  const text = data;
  around("appendFile", place, () => {
    appendFileSync(target, text.slice(0, text.length / 2), options);
    reach("half", "appendFile", place);
    appendFileSync(target, text.slice(text.length / 2), options);
  });
};
fs.writeSync = function (descriptor: number, bytes: never, offset: never = 0 as never) {
  const place = placeOf(descriptor);
  if (place === undefined) return writeSync(descriptor, bytes, offset);
  const whole = (bytes as Uint8Array).subarray(offset);
  return around("write", place, () => {
    const first = writeSync(descriptor, whole.subarray(0, Math.ceil(whole.length / 2)));
    reach("half", "write", place);
    return first + writeSync(descriptor, whole.subarray(first));
  }) as number;
} as typeof fs.writeSync;

const { openSync, closeSync, fsync } = fs;
fs.openSync = function (path, ...options) {
  const place = placeOf(path);
  if (place === undefined || options[0] === "r" || typeof options[0] === "number") return openSync(path, ...options);
  const descriptor = around("open", place, () => openSync(path, ...options)) as number;
  opened.set(descriptor, place);
  return descriptor;
};
fs.closeSync = function (descriptor) {
  opened.delete(descriptor);
  closeSync(descriptor);
};
fs.fsync = function (descriptor: number, done: (error: Error | null) => void) {
  const place = placeOf(descriptor);
  if (place === undefined) return fsync(descriptor, done);
  try {
    failIfAsked("fsync", place);
  } catch (error) {
    process.nextTick(done, error as Error);
    return;
  }
  reach("before", "fsync", place);
  fsync(descriptor, (error) => {
    reach("after", "fsync", place);
    done(error);
  });
} as typeof fs.fsync;

const { open } = fs.promises;
fs.promises.open = async function (path, ...options) {
  const place = placeOf(path);
  if (place === undefined || options[0] !== "wx") return await open(path, ...options);
  const handle = (await around("open", place, () => open(path, ...options))) as fs.promises.FileHandle;
  const sync = handle.sync.bind(handle);
  const writeBytes = handle.write.bind(handle) as (bytes: Uint8Array) => Promise<{ readonly bytesWritten: number }>;
  handle.write = (async (bytes: Uint8Array, offset = 0) => {
    const whole = bytes.subarray(offset);
    return await around("write", place, async () => {
      const { bytesWritten } = await writeBytes(whole.subarray(0, Math.ceil(whole.length / 2)));
      reach("half", "write", place);
      return { bytesWritten, buffer: bytes };
    });
  }) as typeof handle.write;
  handle.sync = async () => {
    await around("fsync", place, () => sync());
  };
  return handle;
};

/** What changes the database, by the statement. */
const changing = /^(?:BEGIN IMMEDIATE|COMMIT|VACUUM|PRAGMA journal_mode|PRAGMA wal_checkpoint|CREATE)/u;
let isWriting = false;
const { exec, close } = DatabaseSync.prototype;
DatabaseSync.prototype.exec = function (sql) {
  const [name] = changing.exec(sql.trim()) ?? [];
  if (sql.startsWith("BEGIN")) isWriting = name !== undefined;
  // What ends a reading changes nothing.
  if (name === undefined || (name === "COMMIT" && !isWriting)) return exec.call(this, sql);
  if (kind === "fail" && rest[0] === name) throw sqliteError(rest[1] as string);
  around(name, "database", () => exec.call(this, sql));
};
DatabaseSync.prototype.close = function () {
  around("close", "database", () => close.call(this));
};

/** Only the two that a writer can meet at any time. */
function sqliteError(code: string): Error {
  const [errcode, text] = code === "FULL" ? [13, "database or disk is full"] : [5, "database is locked"];
  return Object.assign(new Error(text), { code: "ERR_SQLITE_ERROR", errcode, errstr: text });
}

syncBuiltinESMExports();
