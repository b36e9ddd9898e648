/**
 * Writes into the pages what their commands print now: `node test/docs/write-outputs.ts [PAGE …]`, after a build. Outputs
 * with a line `…` are shortened by hand, and stay.
 */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { repository } from "../rig/project.ts";
import { followPage, showsOutput } from "./follow.ts";
import { readPage } from "./page.ts";
import { listGuidePages } from "./pages.ts";

const asked = process.argv.slice(2);
for (const path of asked.length > 0 ? asked : listGuidePages()) {
  const page = await readPage(path);
  const followed = await followPage(page);
  for (const { command, code, output } of followed) {
    if (code !== 0 && !output.includes("✖")) throw new Error(`$ ${command.text} exited with ${code}:\n${output}`);
  }
  // Times and ids alone are no reason for another text; but a page's ids belong together.
  if (followed.every(({ command, output }) => command.output === undefined || showsOutput(command.output, output))) {
    continue;
  }
  const lines = [...page.lines];
  // From the end, so that the lines before keep their places.
  for (const { command, output } of followed.toReversed()) {
    if (command.output === undefined || /^\s*…$/mu.test(command.output)) continue;
    lines.splice(command.line + 1, command.end - command.line - 1, ...output.split("\n"));
  }
  await writeFile(join(repository, path), lines.join("\n"));
}
