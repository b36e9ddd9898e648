import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { describe, it } from "node:test";

const rig = new URL("../../test/rig/observing.ts", import.meta.url).href;

/** What bars the result of a step that does this, in a process of its own with something to read. */
function obstacleOf(work: string): string {
  const script = `
    import fs from "node:fs";
    import readline from "node:readline";
    const { observeIn } = await import(${JSON.stringify(rig)});
    const { obstacle } = await observeIn(${JSON.stringify(tmpdir())}).observe(async () => { ${work} });
    console.log(obstacle?.text);
    process.exit();
  `;
  const given = ["--no-warnings", "--input-type=module", "-e", script];
  return execFileSync(process.execPath, given, { input: "alpha\n" }).toString().trim();
}

describe("standard input", () => {
  const ways: Readonly<Record<string, string>> = {
    "its stream": "for await (const chunk of process.stdin);",
    "its lines": "for await (const line of readline.createInterface({ input: process.stdin }));",
    "a pipe":
      "process.stdin.pipe(fs.createWriteStream('/dev/null')); await new Promise((done) => process.stdin.on('end', done));",
    "its descriptor": "fs.readSync(0, Buffer.alloc(2));",
    "a stream of its descriptor": "for await (const chunk of fs.createReadStream(null, { fd: 0 }));",
    "a stream of its path": "try { for await (const chunk of fs.createReadStream('/dev/stdin')); } catch {}",
    readFileSync: "fs.readFileSync(0);",
  };
  for (const [way, work] of Object.entries(ways)) {
    it(`bars the result of a step that reads it by ${way}`, { skip: process.platform === "win32" }, () => {
      assert.equal(obstacleOf(work), "it reads standard input; say what is read there with the option reads");
    });
  }

  it("does not bar it where a step only asks whether it is a terminal, or reads another file", () => {
    assert.equal(obstacleOf("process.stdin.isTTY; process.stdin.on('error', () => {});"), "undefined");
    assert.equal(obstacleOf("fs.closeSync(fs.openSync(process.execPath));"), "undefined");
  });
});
