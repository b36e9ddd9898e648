/** What a trace would have somebody look at outside of the project: whoever wrote an archive chose the names in it. */
import { parse, resolve } from "node:path";
import type { ObservedRead, Trace } from "../../record/trace.ts";

/** What may be looked at besides the project. */
export interface Permission {
  /** Hosts as in a URL, with a port where it is not the usual one: `api.example.com`, `localhost:8080`. */
  readonly hosts: ReadonlySet<string>;
  /** Files and folders, absolute. */
  readonly paths: readonly string[];
}

export interface Outside {
  readonly hosts: ReadonlySet<string>;
  readonly paths: ReadonlySet<string>;
}

/** The hosts and paths of a trace that are neither the project's nor permitted. */
export function findOutside({ reads }: Trace, root: string, permission: Permission): Outside {
  const hosts = new Set<string>();
  const paths = new Set<string>();
  for (const read of reads) {
    if (read.kind === "http") {
      const host = hostOf(read.name);
      if (!permission.hosts.has(host)) hosts.add(host);
      continue;
    }
    const path = pathOf(read, root);
    if (path === undefined || [root, ...permission.paths].some((folder) => isBelow(path, folder))) continue;
    paths.add(path);
  }
  return { hosts, paths };
}

/** The host of an address, with its port; the address itself where it is none of the web. */
function hostOf(address: string): string {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  return url !== undefined && /^https?:$/u.test(url.protocol) ? url.host : address;
}

/** The absolute path that a look goes to, or to below which; undefined where it goes to no file. */
function pathOf({ kind, name }: ObservedRead, root: string): string | undefined {
  switch (kind) {
    case "env":
    case "variables":
    case "folder":
    case "http":
      return undefined;
    case "glob": {
      const at = name.indexOf(" ");
      const [folder, pattern] = [decodeURI(name.slice(0, at)), name.slice(at + 1)];
      return canHide(pattern) ? parse(root).root : resolve(root, folder, pattern);
    }
    default:
      return resolve(root, name);
  }
}

/**
 * Whether a pattern may leave its folder without saying so plainly: `..` can also be written `.{.,x}`, `[.][.]` and
 * `\.\.`, a path from the top `{/,x}etc`, and behind `**` nobody can tell how far up it leads. What could be meant so
 * counts as leading anywhere.
 */
function canHide(pattern: string): boolean {
  if (/\\|[{,(|][.,}/]|\.[,}]|\[[^\]]*\.|\[[^\]]*$/u.test(pattern)) return true;
  return pattern.includes("..") && /[{[(]|\*\*/u.test(pattern);
}

function isBelow(path: string, folder: string): boolean {
  return path === folder || path.startsWith(/[\\/]$/u.test(folder) ? folder : resolve(folder, "_").slice(0, -1));
}
