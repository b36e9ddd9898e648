import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { readTar, tarEnd, tarHeader, tarPadding } from "./tar.ts";

async function* filesIn(bytes: Uint8Array): AsyncGenerator<{ name: string; size: number; text: string }> {
  const folder = await mkdtemp(join(tmpdir(), "reprise-tar-"));
  try {
    const path = join(folder, "a.tar");
    await writeFile(path, bytes);
    for await (const file of readTar(path)) {
      const chunks: Uint8Array[] = [];
      if (file.size < 1e6) for await (const chunk of file.bytes) chunks.push(chunk);
      yield { name: file.name, size: file.size, text: Buffer.concat(chunks).toString() };
    }
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("files come back in order, of any size, and also empty ones", async () => {
  const files = ["", "a", "b".repeat(511), "c".repeat(512), "d".repeat(513)];
  const pieces = files.flatMap((text, at) => {
    return [tarHeader(`file ${at}`, text.length), Buffer.from(text), tarPadding(text.length)];
  });
  const found: unknown[] = [];
  for await (const file of filesIn(Buffer.concat([...pieces, tarEnd]))) found.push(file);
  assert.deepEqual(
    found,
    files.map((text, at) => ({ name: `file ${at}`, size: text.length, text })),
  );
});

test("what cannot be read is refused with the reason", async () => {
  const read = async (path: string): Promise<void> => {
    for await (const _ of readTar(path));
  };
  await assert.rejects(read(tmpdir()), { code: "RPS4006", message: /cannot be read: EISDIR/u });
  await assert.rejects(read(join(tmpdir(), "nowhere", "a.tar")), {
    code: "RPS4006",
    message: /cannot be read: ENOENT/u,
  });
});

test("a file of more than 8 GiB has its size in the header", async () => {
  const size = 9 * 2 ** 30;
  const found = filesIn(tarHeader("large", size));
  assert.deepEqual((await found.next()).value, { name: "large", size, text: "" });
  await assert.rejects(found.next(), { code: "RPS4006", message: /cut off/u });
});
