/** Files, the environment, and the world outside. */
import assert from "node:assert/strict";
import {
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  ftruncateSync,
  closeSync,
  rmdirSync,
  utimesSync,
} from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import process from "node:process";
import { test } from "node:test";
import { cached, Playground, single, type Sources } from "./playground.ts";

/** A project of one step that reads in its way. */
function reading(body: string, files: Sources = {}, options = ""): Sources {
  return {
    "pipeline.ts": single,
    "steps.ts": `
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { step } from "reprise";
export const work = step({ name: "work", ${options} run: async () => { ${body} } });
void [execFileSync, fs, delay];
`,
    ...files,
  };
}

const ran = (code: string): readonly string[] => [`work completed: ${code}`];
const text = (path: string): string => `fs.readFileSync("${path}", "utf8")`;

test("C2: a file that is touched, or written anew as it was, is the same", async () => {
  using project = Playground.open(reading(`return ${text("a.txt")};`, { "a.txt": "one" }));
  await project.play();
  utimesSync(project.at("a.txt"), 5, 5);
  assert.deepEqual((await project.play()).steps, cached);
  project.write({ "a.txt": "one" });
  assert.deepEqual((await project.play()).steps, cached);
  project.write({ "a.txt": "two" });
  const changed = await project.play();
  assert.deepEqual([changed.steps, changed.outputs], [ran("file"), { y: "two" }]);
});

test("C3: a step that writes its file again as it was runs nothing that reads it", async () => {
  using project = Playground.open({
    "pipeline.ts": `
import { readFileSync, writeFileSync } from "node:fs";
import { file, pipeline, step } from "reprise";
const make = step({
  name: "make",
  run: () => (writeFileSync("made.txt", "text"), { made: file("made.txt") }),
});
const stored = step({ name: "stored", run: async ({ made }: { made: { text(): Promise<string> } }) => await made.text() });
const direct = step({ name: "direct", run: () => readFileSync("made.txt", "utf8") });
export const main = pipeline({
  name: "main",
  build: () => {
    const made = make();
    return { stored: stored({ made: made.made }), direct: direct({}, { after: made }) };
  },
});
`,
  });
  const first = await project.play({ jobs: 1 });
  assert.deepEqual(first.outputs, { stored: "text", direct: "text" });
  const second = await project.play({ jobs: 1, force: ["make"] });
  assert.deepEqual(second.steps, [
    "make completed: forced",
    "stored cached: same-output-upstream",
    "direct cached: same-fingerprint",
  ]);
  project.edit("pipeline.ts", '"made.txt", "text"', '"made.txt", "other"');
  assert.deepEqual((await project.play({ jobs: 1 })).outputs, { stored: "other", direct: "other" });
});

test("C4: a directory is its names: files added, removed and renamed count, and empty directories", async () => {
  const body = `return [fs.readdirSync("data").toSorted().join(), fs.globSync("data/*.csv").length].join();`;
  using project = Playground.open(reading(body, { "data/a.csv": "1" }));
  await project.play();
  const changes: readonly (readonly [what: () => void, gives: string])[] = [
    [() => project.write({ "data/b.csv": "2" }), "a.csv,b.csv,2"],
    [() => renameSync(project.at("data/b.csv"), project.at("data/c.csv")), "a.csv,c.csv,2"],
    [() => project.remove("data/c.csv"), "a.csv,1"],
    [() => mkdirSync(project.at("data/empty")), "a.csv,empty,1"],
    [() => rmdirSync(project.at("data/empty")), "a.csv,1"],
  ];
  const seen = new Set(["a.csv,1"]);
  for (const [change, gives] of changes) {
    change();
    const { steps, outputs } = await project.play();
    assert.deepEqual([steps, outputs], [seen.has(gives) ? cached : ran("directory"), { y: gives }]);
    seen.add(gives);
  }
  project.write({ "data/a.csv": "other, which nobody reads", "elsewhere.csv": "" });
  assert.deepEqual((await project.play()).steps, cached);
});

test("C5: a file that was looked for in vain runs the step again when it comes", async () => {
  const body = `
for (const path of ["deep/config.json", "config.json"]) if (fs.existsSync(path)) return fs.readFileSync(path, "utf8");
try { return fs.readFileSync(".env", "utf8"); } catch { return "none"; }`;
  using project = Playground.open(reading(body));
  assert.deepEqual((await project.play()).outputs, { y: "none" });
  for (const path of [".env", "config.json", "deep/config.json"]) {
    assert.deepEqual((await project.play()).steps, cached);
    project.write({ [path]: path });
    const { steps, outputs } = await project.play();
    assert.deepEqual([steps, outputs], [ran("file"), { y: path }]);
  }
});

test("C6: what nobody declared is seen; what a child process reads is not, which bars reuse until it is declared", async () => {
  const body = `return execFileSync("cat", ["a.txt"], { encoding: "utf8" });`;
  using project = Playground.open(reading(body, { "a.txt": "one" }));
  assert.match((await project.play()).told, /starts a process \(cat\)/u);
  assert.deepEqual((await project.play()).steps, ran("unobserved"));
  project.edit("steps.ts", 'name: "work",', 'name: "work", reads: [{ file: "a.txt" }],');
  await project.play();
  assert.deepEqual((await project.play()).steps, cached);
  project.write({ "a.txt": "two" });
  const changed = await project.play();
  assert.deepEqual([changed.steps, changed.outputs], [ran("file"), { y: "two" }]);
});

test("C7: a path that is passed as text is a text, and the file at its end an input all the same", async () => {
  using project = Playground.open({
    "pipeline.ts": `
import { readFileSync } from "node:fs";
import { pipeline, step } from "reprise";
const work = step({ name: "work", run: ({ path }: { path: string }) => readFileSync(path, "utf8") });
export const main = pipeline({ name: "main", build: ({ path }: { path: string }) => ({ y: work({ path }) }) });
`,
    "a.txt": "one",
  });
  const params = { path: "a.txt" };
  await project.play({ params });
  assert.deepEqual((await project.play({ params })).steps, cached);
  project.write({ "a.txt": "two" });
  const changed = await project.play({ params });
  assert.deepEqual([changed.steps, changed.outputs], [ran("file"), { y: "two" }]);
});

test("C9: a variable of the environment runs again who reads it; unset is not empty", async () => {
  using project = Playground.open({
    "pipeline.ts": `
import { pipeline, step } from "reprise";
const reads = step({ name: "reads", run: () => String(process.env.REPRISE_CASE) });
const zone = step({ name: "zone", run: () => String(process.env["TZ"]) });
const blind = step({ name: "blind", run: () => 1 });
export const main = pipeline({ name: "main", build: () => ({ reads: reads(), zone: zone(), blind: blind() }) });
`,
  });
  const { TZ } = process.env;
  try {
    await project.play();
    for (const value of ["", "one"]) {
      process.env["REPRISE_CASE"] = value;
      const { steps, outputs } = await project.play();
      const others = ["zone cached: same-fingerprint", "blind cached: same-fingerprint"];
      assert.deepEqual([steps, outputs["reads"]], [["reads completed: env", ...others], value]);
    }
    process.env["TZ"] = "Asia/Tokyo";
    const { steps } = await project.play();
    assert.deepEqual(
      steps.map((each) => each.split(" ")[1]),
      ["cached:", "completed:", "cached:"],
    );
  } finally {
    delete process.env["REPRISE_CASE"];
    if (TZ === undefined) delete process.env["TZ"];
    else process.env["TZ"] = TZ;
  }
});

test("C10: a project that is moved to another folder finds all of its results", async () => {
  const body = `return fs.readFileSync(new URL("b.txt", import.meta.url), "utf8") + ${text("a.txt")} + fs.readFileSync(import.meta.dirname + "/c.txt", "utf8");`;
  using project = Playground.open(reading(body, { "a.txt": "a", "b.txt": "b", "c.txt": "c" }));
  await project.play();
  project.move();
  const moved = await project.play();
  assert.deepEqual([moved.steps, moved.outputs], [cached, { y: "bac" }]);
  project.write({ "c.txt": "d" });
  assert.deepEqual((await project.play()).outputs, { y: "bad" });
});

interface Served extends AsyncDisposable {
  readonly url: string;
  body: string;
  headers: Record<string, string>;
  readonly asked: string[];
}

async function serve(body: string, headers: Record<string, string>): Promise<Served> {
  const served = { body, headers, asked: [] as string[], url: "" };
  const server = http.createServer((request, response) => {
    served.asked.push(request.method as string);
    for (const [name, value] of Object.entries(served.headers)) response.setHeader(name, value);
    const etag = served.headers["etag"];
    const since = served.headers["last-modified"];
    const fresh =
      (etag !== undefined && request.headers["if-none-match"] === etag) ||
      (since !== undefined && request.headers["if-modified-since"] === since);
    if (fresh) response.writeHead(304).end();
    else response.end(served.body);
  });
  server.listen(0, "127.0.0.1");
  await new Promise((listening) => server.once("listening", listening));
  served.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return Object.assign(served, {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  });
}

test("C11: what a URL answers counts by its ETag, or by when it was modified, and is asked for once", async () => {
  for (const [name, one, other] of [
    ["etag", '"1"', '"2"'],
    ["last-modified", "Mon, 02 Nov 2026 00:00:00 GMT", "Tue, 03 Nov 2026 00:00:00 GMT"],
  ] as const) {
    await using served = await serve("one", { [name]: one });
    using project = Playground.open(reading(`return await (await fetch("${served.url}")).text();`));
    await project.play();
    served.asked.length = 0;
    assert.deepEqual((await project.play()).steps, cached);
    assert.equal(served.asked.length, 1);
    Object.assign(served, { headers: { [name]: other }, body: "two" });
    const changed = await project.play();
    assert.deepEqual([changed.steps, changed.outputs], [ran("http"), { y: "two" }], name);
  }
});

test("C12: a step that reads a table of a database is reused as long as the snapshot is the same that its key names", async () => {
  const files = reading(
    "return database.rows.length;",
    {
      "node_modules/database/index.js": "export const database = globalThis.repriseCaseDatabase;",
      "node_modules/database/package.json":
        '{ "name": "database", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
    },
    "cacheKey: () => database.snapshot,",
  );
  using project = Playground.open({
    ...files,
    "steps.ts": `import { database } from "database";\n${files["steps.ts"]}`,
  });
  const database = { rows: [1], snapshot: "s1" };
  Object.assign(globalThis, { repriseCaseDatabase: database });
  await project.play();
  database.rows.push(2);
  assert.deepEqual((await project.play()).steps, cached);
  database.snapshot = "s2";
  const changed = await project.play();
  assert.deepEqual([changed.steps, changed.outputs], [ran("cache-key"), { y: 2 }]);
});

test("C13: a step that reads the clock or draws random numbers says so, and is reused", async () => {
  using project = Playground.open(reading("return [Date.now(), Math.random()].length;"));
  const { told } = await project.play();
  assert.match(told, /reads the clock/u);
  assert.match(told, /draws random numbers/u);
  assert.deepEqual((await project.play()).steps, cached);
});

test("C14: a model behind a service is asked again when its answer has expired, and that it is not watched is said", async () => {
  await using served = await serve("one", {});
  const body = `return await (await fetch("${served.url}", { method: "POST", body: "prompt" })).text();`;
  using project = Playground.open(reading(body, {}, 'expires: "1h",'));
  assert.match((await project.play()).told, /POST/u);
  served.body = "two";
  assert.deepEqual((await project.play()).steps, cached);
  project.edit("steps.ts", 'expires: "1h"', "expires: 0");
  await project.play();
  const changed = await project.play();
  assert.deepEqual([changed.steps, changed.outputs], [ran("expired"), { y: "two" }]);
});

test(
  "C15: a large file that is unchanged is not read again, and only looked at",
  { skip: process.platform === "linux" ? false : "bytes that a process reads are counted on Linux" },
  async () => {
    const body = `
let size = 0;
for await (const piece of fs.createReadStream("large.bin")) size += piece.length;
return size;`;
    using project = Playground.open(reading(body));
    const file = openSync(project.at("large.bin"), "w");
    ftruncateSync(file, 64 << 20);
    closeSync(file);
    const bytesRead = (): number => Number(/rchar: (\d+)/u.exec(readFileSync("/proc/self/io", "utf8"))?.[1]);
    const before = bytesRead();
    await project.play();
    assert.ok(bytesRead() - before >= 64 << 20);
    // The first check finds a file so new that it may have been written twice within one tick of its clock.
    await project.play();
    const later = bytesRead();
    assert.deepEqual((await project.play()).steps, cached);
    assert.ok(bytesRead() - later < 32 << 20, `${bytesRead() - later} bytes`);
  },
);

test("C17: a file that is edited while the step runs is bound to no result", async () => {
  const body = `
const before = ${text("a.txt")};
console.log("has read");
while (fs.statSync("node_modules/go", { throwIfNoEntry: false }) === undefined) await delay(1);
return before;`;
  using project = Playground.open(reading(body, { "a.txt": "one" }));
  const first = await project.play({
    onEvent: (event) => {
      if (event.kind !== "log") return;
      project.write({ "a.txt": "two", "node_modules/go": "" });
    },
  });
  assert.deepEqual(first.outputs, { y: "one" });
  assert.match(first.told, /a\.txt/u);
  const second = await project.play();
  assert.deepEqual([second.steps, second.outputs], [ran("unstable-input"), { y: "two" }]);
  assert.deepEqual((await project.play()).steps, cached);
});

test("C18: a step that changes what it reads is not reused, and says so", async () => {
  const body = `fs.appendFileSync("log.txt", "x"); return ${text("log.txt")}.length;`;
  using project = Playground.open(reading(body));
  for (const [reason, y] of [
    ["first-run", 1],
    ["own-output", 2],
    ["own-output", 3],
  ] as const) {
    const { steps, outputs, told } = await project.play();
    assert.deepEqual([steps, outputs], [ran(reason), { y }]);
    assert.match(told, /log\.txt/u);
  }
});
