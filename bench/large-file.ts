/**
 * Stores a large file and reads it back, and compares with `sha256sum` and `cp` of the same file. Prints the most memory
 * that the process held, and the ratios.
 *
 *     node bench/large-file.ts [gigabytes=5] [folder]
 */
import { execFile } from "node:child_process";
import { open, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { openFolder } from "../src/blob/folder.ts";
import { createRegistry, file, loadValue, storeValue, type StoredFile } from "../src/materializer/index.ts";
import { openContentStore } from "../src/store/content-store.ts";

const gigabytes = Number(process.argv[2] ?? 5);
const root = await mkdtemp(join(process.argv[3] ?? tmpdir(), "reprise-large-file-"));
const run = promisify(execFile);

try {
  const path = join(root, "large.bin");
  const bytes = await makeFile(path, gigabytes);
  // Read once beforehand, so that all have the same chance of finding it in the cache of the file system.
  await run("sha256sum", [path]);
  const shell = await time(async () => {
    await run("sha256sum", [path]);
    await run("cp", [path, join(root, "copy.bin")]);
    await run("sync", [join(root, "copy.bin")]);
  });
  await rm(join(root, "copy.bin"));

  await using folder = await openFolder({ path: join(root, "blobs") });
  await using blobs = openContentStore(folder);
  const registry = createRegistry();
  const memoryBefore = process.resourceUsage().maxRSS;
  let stored: Awaited<ReturnType<typeof storeValue>> | undefined;
  const store = await time(async () => {
    stored = await storeValue(file(path), { registry, blobs });
  });
  const read = await time(async () => {
    const value = (await loadValue(stored!, { registry, blobs })) as StoredFile;
    for await (const _ of value.stream());
  });
  const memory = process.resourceUsage().maxRSS;

  const megabytes = bytes / 1e6;
  print("file", `${(bytes / 1e9).toFixed(1)} GB`);
  print("sha256sum, cp, sync", `${shell.toFixed(1)} s`);
  print("store", `${store.toFixed(1)} s, ${(megabytes / store).toFixed(0)} MB/s`);
  print("read and verify", `${read.toFixed(1)} s, ${(megabytes / read).toFixed(0)} MB/s`);
  print("most memory (RSS)", `${(memory / 1024).toFixed(0)} MiB (${(memoryBefore / 1024).toFixed(0)} MiB before)`);
  print("ratio, store to sha256sum + cp + sync", (store / shell).toFixed(2));
} finally {
  await rm(root, { recursive: true, force: true });
}

async function makeFile(path: string, gigabytes: number): Promise<number> {
  const chunk = Buffer.alloc(8 * 1024 * 1024);
  for (let at = 0, state = 1; at < chunk.length; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    chunk.writeUInt32LE(state, at);
  }
  const count = Math.max(1, Math.round((gigabytes * 1e9) / chunk.length));
  await using handle = await open(path, "w");
  for (let index = 0; index < count; index++) {
    chunk.writeUInt32LE(index, 0);
    await handle.write(chunk);
  }
  return count * chunk.length;
}

async function time(action: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await action();
  return (performance.now() - start) / 1000;
}

function print(what: string, result: string): void {
  console.log(`${what.padEnd(40)}${result}`);
}
