/** Every sample is a file, and every page can be followed: its commands run, and print what the page says. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { describe, it } from "node:test";
import { repository } from "../rig/project.ts";
import { followPage, normalizeOutput, showsOutput } from "./follow.ts";
import { readPage } from "./page.ts";
import { list, listGuidePages } from "./pages.ts";

const pages = await Promise.all(listGuidePages().map(readPage));

for (const page of pages) {
  describe(page.path, () => {
    it("shows source from files alone, as it stands there", async () => {
      for (const part of page.parts) {
        if (part.kind === "loose") assert.fail(`the ${part.language} block in line ${part.line} names no file`);
        if (part.kind !== "excerpt") continue;
        const source = await readFile(join(repository, dirname(page.path), part.file), "utf8");
        const excerpt = `\n${part.text.trimEnd()}\n`;
        assert.ok(`\n${source}\n`.includes(excerpt), `the block in line ${part.line} is no excerpt of ${part.file}`);
      }
    });

    it("can be followed line by line", { skip: hasNoCommands(page.parts) }, async () => {
      for (const { command, code, output } of await followPage(page)) {
        const where = `${page.path}:${command.line + 1}: $ ${command.text}`;
        const mayFail = command.output?.startsWith("✖") === true || command.output?.includes("✖ ") === true;
        if (!mayFail) assert.equal(code, 0, `${where} exited with ${code}:\n${output}`);
        if (command.output === undefined || showsOutput(command.output, output)) continue;
        assert.equal(normalizeOutput(output), normalizeOutput(command.output), where);
      }
    });
  });
}

it("every sample of the guide is run by a page, or is part of one that is", async () => {
  const texts = pages.map(({ lines }) => lines.join("\n"));
  const samples = list("docs/guide/samples/**/*.ts");
  const sources = await Promise.all(samples.map(async (path) => await readFile(join(repository, path), "utf8")));
  for (const path of samples) {
    const name = basename(path);
    const isRun = texts.some((text) => text.split("\n").some((line) => line.startsWith("$ ") && line.includes(name)));
    const isImported = sources.some((source) => source.includes(`"./${name}"`) || source.includes(`"${name}"`));
    assert.ok(isRun || isImported || name === "reprise.config.ts", `nothing runs ${path}`);
  }
});

function hasNoCommands(parts: readonly { readonly kind: string }[]): string | false {
  return parts.some(({ kind }) => kind === "command") ? false : "the page has no commands";
}
