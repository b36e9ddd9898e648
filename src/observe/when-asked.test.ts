import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { observeIn, readsOf, toldOf } from "../../test/rig/observing.ts";
import { installWatchers } from "./install.ts";

installWatchers();

// What is defined here is loaded after the watchers are in place and before the first step: as a user's modules are.
const root = realpathSync(mkdtempSync(join(tmpdir(), "reprise-when-asked-")));
after(() => rmSync(root, { recursive: true, force: true }));
const at = (name: string): string => join(root, name);
writeFileSync(at("a.txt"), "alpha");
writeFileSync(at("taker.cjs"), `module.exports = { ...require("child_process"), ...require("fs/promises") };`);
writeFileSync(at("taker.mjs"), `import fs from "node:fs"; export const { readFile } = fs.promises;`);
const load = createRequire(at("here.js"));
const taken = load("./taker.cjs") as typeof import("node:child_process") & typeof import("node:fs/promises");
const named = (await import(pathToFileURL(at("taker.mjs")).href)) as Pick<typeof taken, "readFile">;
const { Worker } = process.getBuiltinModule("node:worker_threads");
const { DatabaseSync } = process.getBuiltinModule("node:sqlite");
const { observe } = observeIn(root);

describe("who has taken a function out of a module of Node when it was loaded", () => {
  it("is seen to start a process", async () => {
    const observed = await observe(() => void taken.execFileSync(process.execPath, ["--version"]));
    assert.deepEqual(toldOf(observed), ["starts a process (node), whose reads are not seen"]);
  });

  it("is seen to start a thread", async () => {
    const observed = await observe(async () => await new Worker("", { eval: true }).terminate());
    assert.match(toldOf(observed).join(), /starts a thread/u);
  });

  it("is seen to read with promises, by require", async () => {
    const observed = await observe(async () => await taken.readFile(at("a.txt"), "utf8"));
    assert.deepEqual(readsOf(observed), ["file a.txt"]);
  });

  it("is seen to read with promises, by the member of fs", async () => {
    const observed = await observe(async () => await named.readFile(at("a.txt"), "utf8"));
    assert.deepEqual(readsOf(observed), ["file a.txt"]);
  });

  it("is seen to read a database", async () => {
    new DatabaseSync(at("b.db")).exec("CREATE TABLE t (x)");
    const observed = await observe(() => new DatabaseSync(at("b.db")).prepare("SELECT * FROM t").all());
    assert.match(readsOf(observed).join(), /file b\.db/u);
  });

  it("is seen to ask for a module in the middle of a step", async () => {
    const observed = await observe(async () => await (await import("node:dns/promises")).lookup("localhost"));
    assert.deepEqual(toldOf(observed), ["looks up localhost, and what is answered is not seen"]);
  });

  it("is seen when it imports the module beside Reprise, which Node then loads before either runs", () => {
    const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
    const script = `
      import fs from "node:fs/promises";
      import { DatabaseSync } from "node:sqlite";
      import ${url("../index.ts")};
      import { observeIn, readsOf } from ${url("../../test/rig/observing.ts")};
      const { readFile } = fs;
      const database = new DatabaseSync(${JSON.stringify(at("c.db"))});
      database.exec("CREATE TABLE t (x)");
      const statement = database.prepare("SELECT * FROM t");
      const read = async () => [await readFile(${JSON.stringify(at("a.txt"))}), statement.all()];
      console.log(readsOf(await observeIn(${JSON.stringify(root)}).observe(read)).join());
    `;
    const output = execFileSync(process.execPath, ["--no-warnings", "--input-type=module", "-e", script]);
    assert.equal(output.toString().trim(), "file a.txt,file c.db,file c.db-wal");
  });
});
