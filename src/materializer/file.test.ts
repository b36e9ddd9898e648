import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { step } from "../define/index.ts";
import { UsageError, ValueError } from "../error.ts";
import { memoryBlobs, testMaterializer } from "../testing/materializer-contract.ts";
import { directory } from "./directory.ts";
import { file } from "./file.ts";
import { isInside } from "./manifest.ts";
import type { StoredDirectory } from "./stored-directory.ts";

let root = "";
before(async () => {
  root = await mkdtemp(join(tmpdir(), "reprise-file-test-"));
});
after(async () => await rm(root, { recursive: true, force: true }));

async function makeFile(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(root, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  return path;
}

testMaterializer(file(), {
  values: {
    "a file": async () => file(await makeFile("model.txt", "weights")),
    "an empty file": async () => file(await makeFile("empty.bin", "")),
    "a file under another name": async () => file(await makeFile("a.tmp", "x"), { name: "b.csv" }),
  },
  equal: async (actual, expected) => {
    assert.deepEqual(
      [actual.name, actual.size, actual.executable],
      [expected.name, expected.size, expected.executable],
    );
    assert.deepEqual(await actual.bytes(), await expected.bytes());
    assert.equal(await actual.text(), await expected.text());
    assert.deepEqual(await readFile(await actual.path()), await readFile(await expected.path()));
    assert.deepEqual(await buffer(actual.stream()), await buffer(expected.stream()));
  },
  refused: {
    "a path": { value: () => "model.txt", path: "value" },
  },
});

async function makeDirectory(name: string): Promise<StoredDirectory> {
  await makeFile(`${name}/z.txt`, "last");
  await makeFile(`${name}/sub/a.txt`, "first");
  await makeFile(`${name}/sub/copy.txt`, "first");
  await makeFile(`${name}/sub-b/run.sh`, "#!/bin/sh");
  await chmod(join(root, name, "sub-b/run.sh"), 0o755);
  await mkdir(join(root, name, "nothing/here"), { recursive: true });
  return directory(join(root, name));
}

testMaterializer(directory(), {
  values: {
    "a directory": () => makeDirectory("full"),
    "an empty directory": async () => {
      await mkdir(join(root, "empty"), { recursive: true });
      return directory(join(root, "empty"));
    },
    "many files": async () => {
      for (let index = 0; index < 300; index++) await makeFile(`many/${"deep/".repeat(20)}file-${index}`, `${index}`);
      return directory(join(root, "many"));
    },
  },
  equal: async (actual, expected) => {
    assert.deepEqual(await actual.paths(), await expected.paths());
    for (const path of await actual.paths()) {
      assert.equal(await actual.file(path).text(), await expected.file(path).text());
      assert.equal(actual.file(path).executable, expected.file(path).executable);
    }
  },
  refused: { "a path": { value: () => root, path: "value" } },
});

describe("a stored directory", () => {
  it("lists paths in code-unit order, and keeps neither times nor where it was", async () => {
    await using blobs = memoryBlobs();
    const first = await directory().write(await makeDirectory("one"), blobs);
    const second = await directory().write(await makeDirectory("two"), blobs);
    assert.deepEqual(first, second);
    const { files, emptyDirectories } = JSON.parse(await blobs.text(first.root.digest)) as {
      files: { path: string }[];
      emptyDirectories: string[];
    };
    assert.deepEqual(
      files.map(({ path }) => path),
      ["sub-b/run.sh", "sub/a.txt", "sub/copy.txt", "z.txt"],
    );
    assert.deepEqual(emptyDirectories, ["nothing/here"]);
    assert.equal(first.parts?.length, 3);
  });

  it("can be copied, and handed out as a path", async () => {
    await using blobs = memoryBlobs();
    const { root: stored } = await directory().write(await makeDirectory("original"), blobs);
    const read = await directory().read(stored, blobs, 1);
    const copy = await read.copyTo(join(root, "copy"));
    assert.deepEqual(await directory(copy).paths(), await read.paths());
    assert.notEqual((await stat(join(copy, "sub-b/run.sh"))).mode & 0o100, 0);
    await writeFile(join(copy, "z.txt"), "changed");
    assert.equal(await read.file("z.txt").text(), "last");
    const path = await read.path();
    assert.equal(await readFile(join(path, "sub/a.txt"), "utf8"), "first");
    assert.equal((await stat(join(path, "nothing/here"))).isDirectory(), true);
    assert.equal(await read.path(), path);
  });

  it("is stored again without writing its files again", async (t) => {
    await using blobs = memoryBlobs();
    const written = await directory().write(await makeDirectory("passed-on"), blobs);
    const read = await directory().read(written.root, blobs, 1);
    const puts = t.mock.method(blobs, "put");
    assert.deepEqual(await directory().write(read, blobs), written);
    assert.equal(puts.mock.callCount(), 1, "the manifest alone");
    await using elsewhere = memoryBlobs();
    assert.deepEqual(await directory().write(read, elsewhere), written);
    assert.equal(await (await directory().read(written.root, elsewhere, 1)).file("z.txt").text(), "last");
  });

  it("gives no file outside itself", async () => {
    await using blobs = memoryBlobs();
    const local = await makeDirectory("inside");
    const { root: stored } = await directory().write(local, blobs);
    for (const each of [local, await directory().read(stored, blobs, 1)]) {
      for (const path of ["../inside/z.txt", "/etc/passwd", "sub/../../x", "sub", "", "missing.txt"]) {
        assert.throws(() => each.file(path), UsageError, path);
      }
    }
  });

  it("refuses symbolic links, and manifests that name paths outside", async () => {
    await makeFile("linked/a.txt", "a");
    await symlink("a.txt", join(root, "linked/b.txt"));
    await assert.rejects(
      async () => await directory().write(directory(join(root, "linked")), memoryBlobs()),
      /value\["b\.txt"\] is a symbolic link/u,
    );
    await using blobs = memoryBlobs();
    const blob = await blobs.put("x");
    for (const path of ["../x", "/x", "a/../../x", "a//b", "C:/x", "a\\b", ""]) {
      assert.equal(isInside(path), false);
      const files = [{ path, ...blob, executable: false }];
      const manifest = await blobs.put(JSON.stringify({ files, emptyDirectories: [] }));
      await assert.rejects(async () => await directory().read(manifest, blobs, 1), ValueError);
    }
  });
});

describe("a file value", () => {
  it("needs a file at its path", () => {
    assert.throws(() => file(join(root, "missing")), /there is no file at this path/u);
    assert.throws(() => file(root), /this is a directory/u);
    assert.throws(() => directory(join(root, "missing")), /there is no directory at this path/u);
  });

  it("is stored as it is when the step ends, not as it was when the value was made", async () => {
    const path = await makeFile("growing.txt", "a");
    const value = file(path);
    await writeFile(path, "abc");
    await using blobs = memoryBlobs();
    const { parts } = await file().write(value, blobs);
    assert.equal(parts?.[0]?.size, 3);
  });

  it("can be copied out of the store to a file of one's own", async () => {
    await using blobs = memoryBlobs();
    const { root: stored } = await file().write(file(await makeFile("own.txt", "x")), blobs);
    const target = await (await file().read(stored, blobs, 1)).copyTo(join(root, "new/own.txt"));
    await writeFile(target, "mine");
    assert.equal(await readFile(target, "utf8"), "mine");
  });
});

it("what file() gives is no declared read, and the problem says what to write", () => {
  const reads = [file(import.meta.filename)] as never;
  assert.throws(() => step({ name: "count", run: () => 1, reads }), {
    code: "RPS1012",
    hint: /file\(\) and directory\(\) are for what a step returns.*write \{ file: "prices\.csv" \}/u,
  });
});
