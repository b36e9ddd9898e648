import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { openSalt, openSecretKey } from "./salt.ts";

function makeFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "reprise-salt-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

test("a store's salt and key are made once, differ, are its owner's alone, and leave nothing beside them", () => {
  using folder = makeFolder();
  const [salt, key] = [openSalt(folder.path)(), openSecretKey(folder.path)()];
  assert.deepEqual([salt.length, key.length], [32, 64]);
  assert.notEqual(key.slice(0, 32), salt);
  assert.deepEqual([openSalt(folder.path)(), openSecretKey(folder.path)()], [salt, key]);
  assert.deepEqual(readdirSync(folder.path).toSorted(), ["salt", "secret-key"]);
  if (process.platform !== "win32") assert.equal(statSync(join(folder.path, "secret-key")).mode & 0o077, 0);
});

test("nothing is made before it is asked for, and where nothing can be made a key holds as long as who has it", () => {
  using folder = makeFolder();
  const open = openSecretKey(join(folder.path, "missing"));
  assert.deepEqual(readdirSync(folder.path), []);
  assert.equal(open(), open());
  assert.notEqual(open(), openSecretKey(join(folder.path, "missing"))());
});

test("processes that make a key at once have the same one", async () => {
  using folder = makeFolder();
  const module = JSON.stringify(join(import.meta.dirname, "salt.ts"));
  const code = `import { openSecretKey } from ${module}; process.stdout.write(openSecretKey(${JSON.stringify(folder.path)})());`;
  const keys = await Promise.all(
    Array.from({ length: 4 }, async () => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", code], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      let text = "";
      child.stdout.on("data", (chunk) => (text += String(chunk)));
      await once(child, "close");
      return text;
    }),
  );
  assert.equal(new Set(keys).size, 1);
  assert.equal(keys[0]?.length, 64);
});
