import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, it } from "node:test";

const root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "reprise-early-")));
after(() => fs.rmSync(root, { recursive: true, force: true }));

function write(name: string, text: string): void {
  fs.mkdirSync(dirname(join(root, name)), { recursive: true });
  fs.writeFileSync(join(root, name), text);
}

function install(name: string, text: string, dependencies = {}): void {
  const manifest = { name, version: "1.0.0", type: "module", exports: "./index.js", dependencies };
  write(`node_modules/${name}/package.json`, JSON.stringify(manifest));
  write(`node_modules/${name}/index.js`, text);
}

const url = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
write("a.txt", "alpha");
install("reprise", `export * from ${url("../index.ts")};`);
install(
  "keeps",
  `import { readFileSync as rfs } from 'fs'; const own = { rfs }; export const read = (path) => own.rfs(path, "utf8");`,
);
install(
  "keeps-member",
  `import fs from "node:fs"; const { readFileSync } = fs; export const read = (path) => readFileSync(path, "utf8");`,
);
install(
  "keeps-promised",
  `import { readFile } from "fs/promises"; const own = readFile; export const read = (path) => own(path, "utf8");`,
);
install(
  "calls",
  `// Keeps nothing: readFileSync, it says.
import { readFileSync } from "node:fs"; export const read = (path) => readFileSync(path, "utf8");`,
);
install("calls-member", `import * as fs from "node:fs"; export const read = (path) => fs.readFileSync(path, "utf8");`);
install("depends", `export { read } from "keeps";`, { keeps: "1" });
write("own.mjs", `export { read } from "keeps";`);

/** What a script sees of a step that reads by a package; `imports`: its first lines. */
function run(imports: readonly string[], reaches: string): string {
  const script = `
    ${imports.join("\n")}
    import { observeIn, readsOf } from ${url("../../test/rig/observing.ts")};
    const parts = { packages: async () => new Set([${JSON.stringify(reaches)}]) };
    const observed = await observeIn(${JSON.stringify(root)}).observe(() => read(${JSON.stringify(join(root, "a.txt"))}), parts);
    console.log([...readsOf(observed), observed.obstacle?.text].join());
  `;
  write("script.mjs", script);
  return execFileSync(process.execPath, ["--no-warnings", join(root, "script.mjs")])
    .toString()
    .trim();
}

const barred = (name: string): string =>
  `it uses ${name}, which was loaded before Reprise and so is not watched: import reprise first; say what is read there with the option reads`;

describe("a package that keeps functions of fs", () => {
  for (const name of ["keeps", "keeps-member", "keeps-promised", "depends"]) {
    it(`bars the result where a script imports it before Reprise: ${name}`, () => {
      assert.equal(run([`import { read } from "${name}";`, `import "reprise";`], name), barred(name));
    });

    it(`is seen where it is imported after Reprise: ${name}`, () => {
      assert.equal(run([`import "reprise";`, `import { read } from "${name}";`], name), "file a.txt,");
    });
  }

  it("bars the result where a module of the project imports it before Reprise", () => {
    assert.equal(run([`import { read } from "./own.mjs";`, `import "reprise";`], "keeps"), barred("keeps"));
  });

  it("does not bar the result of a step that does not use it", () => {
    assert.equal(
      run([`import "keeps";`, `import { read } from "calls";`, `import "reprise";`], "calls"),
      "file a.txt,",
    );
  });
});

describe("a package that calls functions of fs", () => {
  for (const name of ["calls", "calls-member"]) {
    it(`is seen whenever it is imported: ${name}`, () => {
      assert.equal(run([`import { read } from "${name}";`, `import "reprise";`], name), "file a.txt,");
    });
  }
});
