/** Pipelines of any number of trivial steps, in three shapes, and what is the least that could be done in their place. */

export const shapes = ["chain", "fan-out", "diamond"] as const;

const pipelineSource = `import { pipeline, step, type Ref } from "reprise";

const item = step({ name: "item", run: ({ at, before = 0 }: { at: number; before?: number }) => at + before });
const join = step({ name: "join", run: ({ at, left, right }: { at: number; left: number; right: number }) => at + left + right });

export const shaped = pipeline({
  name: "shaped",
  build({ shape, size }: { shape: string; size: number }) {
    let last: Ref<number> = item({ at: 0 });
    const source = last;
    if (shape === "chain") for (let at = 1; at < size; at += 1) last = item({ at, before: last });
    if (shape === "fan-out") for (let at = 1; at < size; at += 1) last = item({ at, before: source });
    if (shape === "diamond") {
      for (let at = 1; at < size; at += 3) {
        const left = item({ at, before: last });
        const right = item({ at: at + 1, before: last });
        last = join({ at: at + 2, left, right });
      }
    }
    return last;
  },
});
`;

/** In MiB. What the system calls the most that a process held begins, on Linux, with what the process held that started it. */
export const mostMemorySource = `import { readFileSync } from "node:fs";

export function mostMemory(): number {
  if (process.platform !== "linux") return process.resourceUsage().maxRSS / 1024;
  return Number(/^VmHWM:\\s+(\\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) / 1024;
}
`;

/** Runs it, and prints how long that took, or with a third argument the most memory that the process held. */
const runSource = `import { mostMemory } from "./most-memory.ts";
import { shaped } from "./shaped.ts";

const [shape = "chain", size = "100", memory] = process.argv.slice(2);
const start = performance.now();
await shaped.run({ shape, size: Number(size) }, { reporter: "silent" });
console.log(memory === undefined ? performance.now() - start : mostMemory());
`;

/** What tells that nothing changed, at the least: a stat of the sources, and one indexed read a step. */
const readsSource = `import { existsSync, statSync } from "node:fs";

const size = Number(process.argv[2]);
const path = \`reads-\${size}.db\`;
const keys = Array.from({ length: size }, (_, at) => \`sha256:\${at.toString(16).padStart(64, "0")}\`);
const isNew = !existsSync(path);
const start = performance.now();
const { DatabaseSync } = await import("node:sqlite");
const database = new DatabaseSync(path);
if (isNew) {
  database.exec("create table entry (key text primary key, value text) without rowid; begin");
  const insert = database.prepare("insert into entry values (?, ?)");
  for (const key of keys) insert.run(key, "x".repeat(300));
  database.exec("commit");
}
for (const file of ["shaped.ts", "run.ts", "package.json"]) statSync(file);
const read = database.prepare("select value from entry where key = ?");
let found = 0;
for (const key of keys) if (read.get(key) !== undefined) found += 1;
if (found !== size) throw new Error(\`\${found} of \${size}\`);
console.log(performance.now() - start);
`;

/** The least that executing and keeping can be: a file of each output, whole or not there, and a row of each step. */
const writesSource = `import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from "node:fs";

const [size = "100", flush = "flush"] = process.argv.slice(2);
rmSync("writes", { recursive: true, force: true });
mkdirSync("writes");
const start = performance.now();
const { DatabaseSync } = await import("node:sqlite");
const { hash } = await import("node:crypto");
const database = new DatabaseSync("writes/rows.db");
database.exec("pragma journal_mode = wal; pragma synchronous = normal; create table entry (key text primary key, value text) without rowid; begin");
const insert = database.prepare("insert into entry values (?, ?)");
let last = 0;
for (let at = 0; at < Number(size); at += 1) {
  last += at;
  const text = JSON.stringify(last);
  const digest = hash("sha256", \`\${at} \${text}\`);
  const file = openSync(\`writes/tmp-\${at}\`, "wx");
  writeSync(file, text);
  if (flush === "flush") fsyncSync(file);
  closeSync(file);
  renameSync(\`writes/tmp-\${at}\`, \`writes/\${digest}\`);
  insert.run(digest, "x".repeat(300));
}
database.exec("commit");
console.log(performance.now() - start);
`;

export const shapeFiles: Readonly<Record<string, string>> = {
  "shaped.ts": pipelineSource,
  "run.ts": runSource,
  "most-memory.ts": mostMemorySource,
  "reads.ts": readsSource,
  "writes.ts": writesSource,
};
