/** Where in the user's source a call into Reprise was made. */
import { fileURLToPath } from "node:url";
// The whole module, not a name of it: an older Node lacks the name, and would refuse the file before it can be told why.
import util, { type CallSiteObject } from "node:util";
import type { Place } from "../error.ts";
import type { CallSite } from "./call-site.ts";

/** Deep enough for any factory of steps; what lies further out is the machinery that imported the module. */
const maxFrames = 64;

/**
 * The user's frames on the stack, innermost first. `ownFrames` counts the frames between here and the user's call, this
 * function's not among them; Reprise's frames further out and Node's own are dropped by their names. Takes about 10 µs,
 * and as much again where a loader that transforms sources (tsx) or `--enable-source-maps` is at work.
 */
export function captureCallSites(ownFrames: number): readonly CallSite[] {
  const raw = util.getCallSites(maxFrames, { sourceMap: false });
  const mapped = process.sourceMapsEnabled ? util.getCallSites(maxFrames, { sourceMap: true }) : undefined;
  const outside: CallSite[] = [];
  const users: CallSite[] = [];
  for (let index = ownFrames + 1; index < raw.length; index++) {
    const frame = raw[index]!;
    if (frame.scriptName === "" || frame.scriptName.startsWith("node:")) continue;
    const site = toCallSite(frame, mapped?.[index]);
    outside.push(site);
    if (!isOwnScript(frame.scriptName)) users.push(site);
  }
  // All frames look like Reprise's own where a bundler put Reprise and its user into one file.
  return users.length > 0 ? users : outside;
}

/** The place of the user's innermost frame, for an error. */
export function capturePlace(): Place | undefined {
  return toPlace(captureCallSites(0));
}

/** The innermost call site as a place, in the source as its author wrote it. */
export function toPlace(sites: readonly CallSite[]): Place | undefined {
  const [site] = sites;
  if (site === undefined) return undefined;
  const { script, line, column } = site.mapped ?? site;
  return { file: script.startsWith("file:") ? fileURLToPath(script) : script, line, column };
}

function toCallSite(frame: CallSiteObject, mapped: CallSiteObject | undefined): CallSite {
  const { scriptName: script, lineNumber: line, columnNumber: column, functionName } = frame;
  const site: CallSite = { script, line, column, functionName };
  if (mapped === undefined) return site;
  const original = { script: mapped.scriptName, line: mapped.lineNumber, column: mapped.columnNumber };
  // Without a map for its script, a frame comes back as it was.
  const same = original.script === script && original.line === line && original.column === column;
  return same ? site : { ...site, mapped: original };
}

/** The folder of Reprise's own modules: `src/` when run from source, the folder of the bundle when published. */
const ownFolder = new URL(/\/define\/[^/]+$/u.test(import.meta.url) ? "../" : "./", import.meta.url).href;
const ownFolderPath = fileURLToPath(ownFolder);

function isOwnScript(script: string): boolean {
  if (!script.startsWith(ownFolder) && !script.startsWith(ownFolderPath)) return false;
  // Tests beside the sources are users.
  return !/\.test\.[cm]?[jt]s$|[\\/]fixtures[\\/]/u.test(script);
}
