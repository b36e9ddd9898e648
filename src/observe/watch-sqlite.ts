/** Watches databases that SQLite reads: native code does, but it is known which files those are. */
import process from "node:process";
import type { DatabaseSync } from "node:sqlite";
import { currentRecording, insideNode } from "./current.ts";
import { statSync } from "./disk.ts";
import type { Recording } from "./recording.ts";
import { stampQuietly } from "./stat-text.ts";
import { replace, watchCall, type AnyFunction, type Holder } from "./wrap.ts";

/** Of the class, whoever has it, the methods are replaced: a module may have opened its database long before a step uses it. */
export function watchSqlite(): void {
  const sqlite = process.getBuiltinModule("node:sqlite");
  const databases = sqlite.DatabaseSync.prototype as unknown as Holder;
  const { prepare } = databases as Readonly<Record<"prepare", AnyFunction>>;
  const { all } = sqlite.StatementSync.prototype as unknown as Readonly<Record<"all", AnyFunction>>;
  listFiles = (database) => {
    const rows = all.call(prepare.call(database, "PRAGMA database_list")) as (unknown[] | { readonly file: unknown })[];
    return rows.map((row) => String(Array.isArray(row) ? row[2] : row.file)).filter((file) => file !== "");
  };
  replace(
    databases,
    "prepare",
    (original) =>
      function (this: unknown, ...args) {
        const statement = original.apply(this, args) as object;
        origins.set(statement, { database: this as DatabaseSync, text: String(args[0]) });
        return statement;
      },
  );
  replace(
    databases,
    "createTagStore",
    (original) =>
      function (this: unknown, ...args) {
        const store = original.apply(this, args) as object;
        origins.set(store, { database: this as DatabaseSync, text: "" });
        watchStatements(Object.getPrototypeOf(store) as Holder);
        return store;
      },
  );
  watchStatements(sqlite.StatementSync.prototype as unknown as Holder);
  for (const name of ["exec", "serialize", "applyChangeset"]) {
    replace(
      databases,
      name,
      (original) =>
        function (this: unknown, ...args) {
          const recording = currentRecording();
          if (recording === undefined) return original.apply(this, args);
          const text = name === "exec" ? String(args[0]) : name === "serialize" ? "" : "insert";
          const origin = { database: this as DatabaseSync, text };
          insideNode(() => noteUse(recording, origin));
          const result = original.apply(this, args);
          if (attaching.test(text)) insideNode(() => noteUse(recording, origin));
          return result;
        },
    );
  }
  const holder = sqlite as unknown as Holder;
  watchCall(holder, "backup", (recording, [database]) =>
    noteUse(recording, { database: database as DatabaseSync, text: "" }),
  );
  watchOpening(holder);
}

interface Origin {
  readonly database: DatabaseSync;
  readonly text: string;
}

/** Of statements. */
const origins = new WeakMap<object, Origin>();
const watchedStatements = new WeakSet<object>();
let listFiles: (database: DatabaseSync) => readonly string[] = () => [];

function watchStatements(holder: Holder): void {
  if (watchedStatements.has(holder)) return;
  watchedStatements.add(holder);
  for (const name of ["get", "all", "iterate", "run"]) {
    replace(
      holder,
      name,
      (original) =>
        function (this: unknown, ...args) {
          const recording = currentRecording();
          if (recording !== undefined) noteStatement(recording, this as object, args);
          return original.apply(this, args);
        },
    );
  }
}

/** By recording: statements that say nothing new any more. */
const noted = new WeakMap<Recording, WeakSet<object>>();

function noteStatement(recording: Recording, statement: object, [tagged]: readonly unknown[]): void {
  const known = noted.get(recording) ?? new WeakSet();
  if (known.has(statement)) return;
  noted.set(recording, known);
  const origin = origins.get(statement);
  if (origin === undefined) {
    recording.blind.add(
      "uses a statement of SQLite that is older than Reprise, and whose database is not known: import reprise first",
    );
    return;
  }
  const isTagged = Array.isArray(tagged) && "raw" in tagged;
  insideNode(() => noteUse(recording, isTagged ? { ...origin, text: tagged.join("?") } : origin));
  // What it attaches is known when it has run.
  if (!isTagged && !attaching.test(origin.text)) known.add(statement);
}

const attaching = /\battach\b/iu;
const changing = /\b(?:insert|update|delete|replace|create|drop|alter|vacuum|reindex|pragma\s+[\w.]+\s*=)\b/iu;

/** A database that was not there: whether the step has made it, or nothing is known yet. */
const beginnings = new WeakMap<Recording, Map<string, "made" | "nothing">>();

function noteUse(recording: Recording, { database, text }: Origin): void {
  const begun = beginnings.get(recording) ?? new Map<string, "made" | "nothing">();
  beginnings.set(recording, begun);
  for (const file of filesOf(database)) {
    const path = recording.locate(file);
    if (path === undefined) continue;
    const log = `${path}-wal`;
    if (changing.test(text)) for (const each of [path, log]) recording.changes.add(each);
    if (recording.reads.files.has(path) || begun.get(path) === "made") continue;
    if (begun.get(path) === undefined && !isEmpty(path)) {
      recording.opened(path);
      if (isEmpty(log)) recording.missed(log);
      else recording.opened(log);
      continue;
    }
    const rest = text.replace(preamble, "").replace(/^[\s;]+$/u, "");
    const isMade = recording.isWritten(path) || making.test(rest);
    begun.set(path, isMade ? "made" : "nothing");
    if (rest === "" && !isMade) continue;
    // What is made whatever was there is an output; who asks first what is there has been told that there is nothing.
    if (!isMade) recording.missed(path);
    recording.made(path);
  }
}

/** What says nothing about a database that there is none. */
const preamble =
  /^(?:\s+|;|--[^\n]*\n|begin\b[^;]*;?|pragma\s+[\w.]+\s*=[^;]*;?|drop\s+(?:table|view|index)\s+if\s+exists\b[^;]*;?)*/iu;
/** What fails where there is something. */
const making = /^create\s+(?:(?:virtual|unique)\s+)?(?:table|index|view|trigger)\s+(?!if\s+not\s+exists\b)/iu;

function filesOf(database: DatabaseSync): readonly string[] {
  try {
    return listFiles(database);
  } catch {
    // It is closed, which Node says itself.
    return [];
  }
}

function isEmpty(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

/** Where no database is opened, nothing follows that tells of it. */
function watchOpening(holder: Holder): void {
  holder["DatabaseSync"] = new Proxy(holder["DatabaseSync"] as AnyFunction, {
    construct(target, args: unknown[], newTarget) {
      const recording = currentRecording();
      if (recording === undefined) return Reflect.construct(target, args, newTarget) as object;
      return insideNode(() => {
        const given = args[0];
        const path = given === ":memory:" || given === "" ? undefined : recording.locate(given);
        const stamp = path === undefined ? undefined : stampQuietly(path);
        try {
          return Reflect.construct(target, args, newTarget) as object;
        } catch (error) {
          if (path !== undefined) recording.failed(path, error, stamp);
          throw error;
        }
      });
    },
  });
}
