/** Holds the arrows of ARCHITECTURE.md against the imports: the picture that people read is the truth. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { parseSync } from "oxc-parser";

const root = resolve(import.meta.dirname, "..");
const source = join(root, "src");

function readArrows(): Map<string, Set<string>> {
  const page = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  const block = /```mermaid\n([\s\S]*?)```/u.exec(page)?.[1];
  assert.ok(block, "ARCHITECTURE.md has no mermaid block");
  const arrows = new Map<string, Set<string>>();
  for (const [, from, targets] of block.matchAll(/^\s*(\w+) --> (.+)$/gmu)) {
    const allowed = arrows.get(from as string) ?? new Set();
    for (const target of (targets as string).split("&")) allowed.add(target.trim());
    arrows.set(from as string, allowed);
  }
  return arrows;
}

interface Import {
  readonly file: string;
  readonly target: string;
}

function readImports(): Import[] {
  const imports: Import[] = [];
  for (const entry of readdirSync(source, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith(".ts")) continue;
    const path = join(entry.parentPath, entry.name);
    const { module } = parseSync(path, readFileSync(path, "utf8"));
    const specifiers = [
      ...module.staticImports.map((each) => each.moduleRequest.value),
      ...module.staticExports.flatMap((each) => each.entries.flatMap((one) => one.moduleRequest?.value ?? [])),
      ...module.dynamicImports.map((each) =>
        readFileSync(path, "utf8").slice(each.moduleRequest.start + 1, each.moduleRequest.end - 1),
      ),
    ];
    for (const specifier of specifiers) {
      if (specifier.startsWith("."))
        imports.push({ file: relative(source, path), target: relative(source, resolve(dirname(path), specifier)) });
    }
  }
  return imports;
}

const roomOf = (path: string): string =>
  path.includes("/") ? (path.split("/")[0] as string) : path.replace(/\.ts$/u, "");

test("every import follows an arrow of ARCHITECTURE.md", () => {
  const arrows = readArrows();
  const wrong = readImports().filter(({ file, target }) => {
    if (file === "index.ts" || file === "bin.ts" || target.startsWith("..")) return false;
    const isTest = file.endsWith(".test.ts");
    const [from, to] = [roomOf(file), roomOf(target)];
    return from !== to && !arrows.get(from)?.has(to) && !(isTest && to === "testing");
  });
  assert.deepEqual(wrong, []);
});

test("every room of the picture is a folder or a file, and the other way round", () => {
  const rooms = new Set([...readArrows()].flatMap(([from, targets]) => [from, ...targets]));
  const found = readdirSync(source).map((name) => name.replace(/\.ts$/u, ""));
  assert.deepEqual([...rooms].toSorted(), found.filter((name) => name !== "index" && name !== "bin").toSorted());
});

test("the picture has no cycle", () => {
  const arrows = readArrows();
  const visit = (room: string, path: readonly string[]): void => {
    assert.ok(!path.includes(room), `cycle: ${[...path, room].join(" → ")}`);
    for (const target of arrows.get(room) ?? []) visit(target, [...path, room]);
  };
  for (const room of arrows.keys()) visit(room, []);
});

test("no files import each other in a circle, types included", () => {
  const targets = new Map<string, string[]>();
  for (const { file, target } of readImports()) {
    if (file.endsWith(".test.ts")) continue;
    targets.set(file, [...(targets.get(file) ?? []), target]);
  }
  const finished = new Set<string>();
  const visit = (file: string, path: readonly string[]): void => {
    assert.ok(!path.includes(file), `circle: ${[...path.slice(path.indexOf(file)), file].join(" → ")}`);
    if (finished.has(file)) return;
    for (const target of targets.get(file) ?? []) visit(target, [...path, file]);
    finished.add(file);
  };
  for (const file of targets.keys()) visit(file, []);
});

test("no file outgrows its reader", () => {
  const long = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path, "utf8").split("\n").length > 500);
  assert.deepEqual(long, []);
});
