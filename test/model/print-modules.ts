/** Modules that are the same in every project: how steps read, ask and write, in the ways that users do. */

/** Turns anything into a number; values that only their type tells apart give different ones. */
export const foldModule = `export function fold(values: readonly unknown[]): number {
  let sum = 7;
  for (const char of values.map(show).join("|")) sum = (sum * 31 + char.charCodeAt(0)) % 1000003;
  return sum;
}

function show(value: unknown): string {
  if (Object.is(value, -0)) return "-0";
  if (Array.isArray(value)) return "[" + value.map(show).join() + "]";
  if (typeof value === "object" && value !== null) {
    return "{" + Object.entries(value).sort().map(([name, each]) => name + ":" + show(each)).join() + "}";
  }
  return typeof value + String(value);
}
`;

export const readModule = `import fs from "node:fs";
import { closeSync, createReadStream, existsSync, openAsBlob, openSync, readdirSync } from "node:fs";
import { readFile, readFileSync, readSync, statSync } from "node:fs";
import { access, open, readFile as readLater } from "node:fs/promises";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

export async function orMissing(read: () => string | Promise<string>): Promise<string> {
  try {
    return await read();
  } catch (error) {
    // The last one is what openAsBlob says of a file that is not there.
    const codes = ["ENOENT", "ENOTDIR", "ELOOP", "ERR_INVALID_ARG_VALUE"];
    if (!codes.includes((error as { code: string }).code)) throw error;
    return "missing";
  }
}

export const readNow = (path: string): string => readFileSync(path, "utf8");
export const readPromise = async (path: string): Promise<string> => await readLater(path, "utf8");
export const readCallback = (path: string): Promise<string> =>
  new Promise((resolve, reject) => readFile(path, "utf8", (error, text) => (error ? reject(error) : resolve(text))));
export async function readStream(path: string): Promise<string> {
  let text = "";
  for await (const chunk of createReadStream(path)) text += String(chunk);
  return text;
}
export async function readHandle(path: string): Promise<string> {
  const handle = await open(path);
  try {
    return await handle.readFile("utf8");
  } finally {
    await handle.close();
  }
}
export function readDescriptor(path: string): string {
  const descriptor = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(100);
    return bytes.toString("utf8", 0, readSync(descriptor, bytes));
  } finally {
    closeSync(descriptor);
  }
}
export const readDefault = async (path: string): Promise<string> => await fs.promises.readFile(path, { encoding: "utf8" });
export async function readLines(path: string): Promise<string> {
  const handle = await open(path);
  const lines: string[] = [];
  for await (const line of createInterface({ input: handle.createReadStream() })) lines.push(line);
  return lines.join();
}
export const readBlob = async (path: string): Promise<string> => await (await openAsBlob(path)).text();
export const readUrl = (path: string): string => fs.readFileSync(pathToFileURL(resolve(path)), "utf8");
export const afterExists = (path: string): string => (existsSync(path) ? readFileSync(path, "utf8") : "not there");
export async function afterAccess(path: string): Promise<string> {
  const isThere = await access(path).then(() => true, () => false);
  return isThere ? await readLater(path, "utf8") : "not there";
}
export const afterStat = (path: string): string =>
  statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path, "utf8") : "not there";
export const sizeOf = (path: string): string => String(statSync(path).size);
export const namesIn = (path: string): string => readdirSync(path).sort().join();
export function textsIn(path: string): string {
  const texts: string[] = [];
  for (const entry of readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    texts.push(entry.name + "=" + (entry.isFile() ? readFileSync(join(path, entry.name), "utf8") : "folder"));
  }
  return texts.join();
}
`;

export const memoModule = `import { existsSync, readFileSync } from "node:fs";

const texts = new Map<string, string>();

export function remembered(path: string): string {
  let text = texts.get(path);
  if (text === undefined) {
    text = existsSync(path) ? readFileSync(path, "utf8") : "none";
    texts.set(path, text);
  }
  return text;
}
`;

/** Links end where the world does: what is not a link has no target. */
export const placeModule = `import { lstatSync, readlinkSync, realpathSync } from "node:fs";
import { relative } from "node:path";
import process from "node:process";

function orNothing(look: () => string): string {
  try {
    return look();
  } catch (error) {
    if (!["ENOENT", "ENOTDIR", "ELOOP", "EINVAL"].includes((error as { code: string }).code)) throw error;
    return "nothing";
  }
}

export const readlink = (path: string): string => orNothing(() => readlinkSync(path));
export const realpath = (path: string): string => orNothing(() => relative(process.cwd(), realpathSync(path)));
export const lstat = (path: string): string => orNothing(() => String(lstatSync(path).isSymbolicLink()));
`;

/** Where nobody answers, that is an answer too: a step may go on without. */
export const printAskModule = (origin: string): string => `import http from "node:http";

const origin = "${origin}";
const nobody = "nobody answers";

export async function askByFetch(path: string): Promise<string> {
  try {
    const response = await fetch(origin + path);
    const text = await response.text();
    return response.ok ? text : String(response.status);
  } catch {
    return nobody;
  }
}

export const askByGet = (path: string): Promise<string> =>
  new Promise((resolve) => {
    const request = http.get(origin + path, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (chunk) => (text += chunk));
      response.on("end", () => {
        const { statusCode, headers } = response;
        resolve(statusCode === 200 ? text : String(statusCode) + (headers.location ?? ""));
      });
      response.on("error", () => resolve(nobody));
    });
    request.on("error", () => resolve(nobody));
  });
`;

export const processModule = `import { exec as execute, execFile as executeFile, execFileSync as now, spawn as start } from "node:child_process";

export const execFile = (path: string): Promise<string> =>
  new Promise((resolve) => executeFile("cat", [path], (error, text) => resolve(error === null ? text : "missing")));
export function execFileSync(path: string): string {
  try {
    return now("cat", [path], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return "missing";
  }
}
export const exec = (path: string): Promise<string> =>
  new Promise((resolve) => execute("cat " + path, (error, text) => resolve(error === null ? text : "missing")));
export const spawn = (path: string): Promise<string> =>
  new Promise((resolve) => {
    let text = "";
    const child = start("cat", [path], { stdio: ["ignore", "pipe", "ignore"] });
    child.stdout.on("data", (chunk) => (text += String(chunk)));
    child.on("close", (code) => resolve(code === 0 ? text : "missing"));
  });
`;

export const writeModule = `import { createWriteStream, renameSync, writeFileSync as writeNow } from "node:fs";
import { writeFile as writeLater } from "node:fs/promises";

export const writeFileSync = (path: string, text: string): void => writeNow(path, text);
export const writeFile = async (path: string, text: string): Promise<void> => await writeLater(path, text);
export const stream = (path: string, text: string): Promise<void> =>
  new Promise((resolve, reject) => {
    createWriteStream(path).on("close", resolve).on("error", reject).end(text);
  });
export function rename(path: string, text: string): void {
  writeNow(path + ".part", text);
  renameSync(path + ".part", path);
}
`;
