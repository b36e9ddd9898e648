import assert from "node:assert/strict";
import { globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import fc from "fast-check";
import type { ReadKind } from "../../record/trace.ts";
import { findOutside, type Permission } from "./find-outside.ts";

const nothing: Permission = { hosts: new Set(), paths: [] };

function find(kind: ReadKind, name: string, permission = nothing, root = "/home/me/project"): readonly string[] {
  const { hosts, paths } = findOutside({ salt: "", reads: [{ kind, name, found: "absent" }] }, root, permission);
  return [...hosts, ...paths];
}

test("what lies in the project, and what is no place, is allowed", () => {
  for (const kind of ["file", "stat", "link", "realpath", "directory", "tree"] as const) {
    for (const name of [".", "data/a.csv", "..data", "a/../b", ".env", "/home/me/project/b"])
      assert.deepEqual(find(kind, name), [], `${kind} ${name}`);
  }
  for (const [kind, name] of [
    ["env", "/etc/passwd"],
    ["variables", ""],
    ["folder", ""],
    ["glob", ". **/*.{csv,json}"],
    ["glob", "src ../data/*.csv"],
    ["glob", "a%20b [ab]*.txt"],
  ] as const) {
    assert.deepEqual(find(kind, name), [], `${kind} ${name}`);
  }
});

test("a path that leads out of the project is found, however it is written", () => {
  for (const kind of ["file", "stat", "link", "realpath", "directory", "tree"] as const) {
    for (const [name, path] of [
      ["/etc/passwd", "/etc/passwd"],
      ["../other/a", "/home/me/other/a"],
      ["data/../../../you/.ssh/id", "/home/you/.ssh/id"],
      ["..", "/home/me"],
      ["/home/me/project2/a", "/home/me/project2/a"],
      ["/home/me/project/../a", "/home/me/a"],
    ] as const) {
      assert.deepEqual(find(kind, name), [path], `${kind} ${name}`);
    }
  }
  assert.deepEqual(find("glob", ".. *"), ["/home/me/*"]);
  assert.deepEqual(find("glob", "%2E%2E/%2E%2E *"), ["/home/*"]);
  assert.deepEqual(find("glob", ". /etc/*"), ["/etc/*"]);
  for (const name of [". .{.,x}/*", ". [.][.]/*", ". \\.\\./*", ". **/../../*", ". {/,a}etc/*"])
    assert.deepEqual(find("glob", name), ["/"], name);
});

test("a URL is found by its host and port, and what is no address of the web as it is", () => {
  for (const [name, host] of [
    ["https://api.example.com/a?b", "api.example.com"],
    ["http://API.Example.com:80/", "api.example.com"],
    ["http://169.254.169.254/latest/meta-data/", "169.254.169.254"],
    ["http://2852039166/", "169.254.169.254"],
    ["http://localhost:8080/stop", "localhost:8080"],
    ["http://api.example.com@evil.example/", "evil.example"],
    ["http://[::1]:3000/", "[::1]:3000"],
    ["file:///etc/passwd", "file:///etc/passwd"],
    ["data:text/plain,a", "data:text/plain,a"],
    ["nowhere", "nowhere"],
  ] as const) {
    assert.deepEqual(find("http", name), [host], name);
    assert.deepEqual(find("http", name, { hosts: new Set([host]), paths: ["/"] }), []);
  }
  const permission = { hosts: new Set(["api.example.com"]), paths: [] };
  for (const name of ["http://api.example.com:8080/", "http://api.example.com.evil.example/", "http://example.com/"])
    assert.equal(find("http", name, permission).length, 1, name);
});

test("what was allowed is a file, or a folder with all that is below it", () => {
  const permission = { hosts: new Set<string>(), paths: ["/data", "/etc/hosts"] };
  for (const name of ["/data", "/data/a/b", "/etc/hosts"]) assert.deepEqual(find("file", name, permission), [], name);
  for (const name of ["/database", "/data/../etc/shadow", "/etc/hosts2"])
    assert.equal(find("file", name, permission).length, 1, name);
  assert.deepEqual(find("glob", ". \\.\\./*", { hosts: new Set(), paths: ["/"] }), []);
});

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "reprise-outside-"));
  for (const below of ["root/a/b", "root/.a", "a/b"]) mkdirSync(join(folder, below), { recursive: true });
  for (const file of ["x", "root/x", "root/a/x", "root/a/b/x", "a/x"]) writeFileSync(join(folder, file), "");
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("no pattern that is taken to stay in the project matches anything outside of it", () => {
  const root = join(folder, "root");
  const part = fc.constantFrom(..."./{},[]\\*a?!@()|+~xb".split(""), "..", "**", "../", "./", "{a,", "[.]", ".{");
  const patterns = fc.array(part, { minLength: 1, maxLength: 9 }).map((parts) => parts.join(""));
  let inside = 0;
  fc.assert(
    fc.property(patterns, (pattern) => {
      if (find("glob", `. ${pattern}`, nothing, root).length > 0) return;
      inside += 1;
      let matches: readonly string[] = [];
      try {
        matches = globSync(pattern, { cwd: root });
      } catch {
        // No pattern at all.
      }
      for (const match of matches) {
        const path = resolve(root, match);
        assert.ok(path === root || path.startsWith(`${root}/`), `${pattern} matches ${match}`);
      }
    }),
    { numRuns: 3000 },
  );
  assert.ok(inside > 300, `${inside} patterns stay in the project`);
});
