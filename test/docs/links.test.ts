/** Links between the pages lead somewhere. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { test } from "node:test";
import { repository } from "../rig/project.ts";
import { listAllPages } from "./pages.ts";

test("every link in a page leads to a file of the repository, and to a heading where it names one", async () => {
  const broken: string[] = [];
  for (const page of listAllPages()) {
    for (const link of findLinks(await readText(page))) {
      const [path = "", anchor] = link.split("#", 2);
      const target = path === "" ? page : relative(repository, join(repository, dirname(page), path));
      if (target.startsWith("..") || !existsSync(join(repository, target))) broken.push(`${page}: ${link}`);
      else if (anchor !== undefined && !toAnchors(await readText(target)).has(anchor)) broken.push(`${page}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});

async function readText(path: string): Promise<string> {
  return await readFile(join(repository, path), "utf8");
}

function findLinks(markdown: string): readonly string[] {
  const links = withoutCode(markdown).matchAll(/\]\((?<link>[^)\s]+)\)/gu);
  return [...links].map((match) => match.groups?.["link"] as string).filter((link) => !/^[a-z]+:/u.test(link));
}

/** As code hosts name headings: lower case, spaces as hyphens, no punctuation. */
function toAnchors(markdown: string): ReadonlySet<string> {
  const titles = withoutCode(markdown)
    .split("\n")
    .filter((line) => /^#+ /u.test(line))
    .map((line) => line.replace(/^#+ /u, "").toLowerCase());
  return new Set(titles.map((title) => title.replaceAll(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-")));
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```[\s\S]*?^```$/gmu, "");
}
