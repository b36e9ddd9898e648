/** The Markdown files of the packages in a folder such as `node_modules`. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import process from "node:process";

export interface Document {
  /** Of the package, as in `@scope/name`. */
  readonly package: string;
  /** Inside of the package's folder. */
  readonly file: string;
  readonly text: string;
}

/** All of them, in the order of their names, so that equal folders give equal lists. Looks for the folder upwards, as Node does. */
export async function readDocuments(name: string): Promise<Document[]> {
  const folder = findUpwards(name);
  const documents: Document[] = [];
  for (const owner of await listPackages(folder)) {
    const files = (await readdir(join(folder, owner))).filter((file) => /\.md$/iu.test(file));
    for (const file of files.toSorted()) {
      documents.push({ package: owner, file, text: await readFile(join(folder, owner, file), "utf8") });
    }
  }
  return documents;
}

async function listPackages(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(folder)) {
    if (!entry.startsWith("@")) names.push(entry);
    else for (const name of await readdir(join(folder, entry))) names.push(`${entry}/${name}`);
  }
  return names.filter((name) => existsSync(join(folder, name, "package.json"))).toSorted();
}

function findUpwards(name: string): string {
  for (let from = process.cwd(); ; from = dirname(from)) {
    const folder = resolve(from, name);
    if (existsSync(folder)) return folder;
    if (from === dirname(from)) throw new Error(`There is no folder ${name} here or above`);
  }
}
