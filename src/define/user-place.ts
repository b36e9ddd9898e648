/** Where in the user's project an error or a call stack points. */
import { isAbsolute, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import type { Place } from "../error.ts";

/** The first frame that lies in the project and not in a package. */
export function findUserPlace(stack: string | undefined, root: string): Place | undefined {
  for (const line of stack?.split("\n") ?? []) {
    const match = /(?:\(|at (?:async )?)((?:file:\/\/)?\/[^()]*|[A-Za-z]:\\[^()]*):(\d+):(\d+)\)?$/u.exec(line);
    if (match === null) continue;
    const [, script, lineNumber, column] = match as unknown as [string, string, string, string];
    const file = script.startsWith("file:") ? fileURLToPath(script.split("?")[0] as string) : script;
    const path = toProjectPath(file, root);
    if (path === undefined || path.split("/").includes("node_modules")) continue;
    return { file: path, line: Number(lineNumber), column: Number(column) };
  }
  return undefined;
}

/** The path relative to the project, with `/`; undefined for what lies outside of it. */
export function toProjectPath(file: string, root: string): string | undefined {
  const path = relative(root, file);
  return path === "" || path.startsWith("..") || isAbsolute(path) ? undefined : path.split(sep).join("/");
}
