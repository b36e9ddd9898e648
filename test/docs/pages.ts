/** The pages that readers follow, and all pages that have links. */
import { globSync } from "node:fs";
import { repository } from "../rig/project.ts";

/** Relative to the repository, in order. */
export function listGuidePages(): readonly string[] {
  return ["README.md", ...list("docs/guide/*.md"), ...list("examples/*/README.md")];
}

export function listAllPages(): readonly string[] {
  return [...list("*.md"), ...list("docs/**/*.md"), ...list("examples/*/*.md")];
}

export function list(pattern: string): readonly string[] {
  return globSync(pattern, { cwd: repository })
    .map((path) => path.replaceAll("\\", "/"))
    .sort();
}
