/** The Markdown files of the packages in a folder such as `node_modules`. */
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface Document {
  /** Of the package, as in `@scope/name`. */
  readonly package: string;
  /** Inside of the package's folder. */
  readonly file: string;
  readonly text: string;
}

/** All of them, in the order of their names, so that equal folders give equal lists. */
export async function readDocuments(folder: string): Promise<Document[]> {
  const documents: Document[] = [];
  for (const name of await listPackages(folder)) {
    const files = (await readdir(join(folder, name))).filter((file) => /\.md$/iu.test(file));
    for (const file of files.toSorted()) {
      documents.push({ package: name, file, text: await readFile(join(folder, name, file), "utf8") });
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
