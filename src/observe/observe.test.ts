import assert from "node:assert/strict";
import { AsyncResource } from "node:async_hooks";
import { execFileSync } from "node:child_process";
import fs, { createReadStream, existsSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { access, mkdir, mkdtemp, readFile, realpath, rm, stat, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { observeIn, readsOf, type Observing } from "../../test/rig/observing.ts";
import { outsideStep } from "../define/step-scope.ts";
import { installWatchers } from "./install.ts";
import type { FileMemory, RememberedFile } from "./observer.ts";
import { Territory } from "./territory.ts";

installWatchers();

let root: string;
let remembered: Map<string, RememberedFile>;
let observe: Observing["observe"];
let differencesOf: Observing["differencesOf"];

beforeEach(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "reprise-observe-")));
  remembered = new Map();
  ({ observe, differencesOf } = observeIn(root, files));
  await writeFile(join(root, "a.txt"), "alpha");
  await writeFile(join(root, "b.txt"), "beta");
  await age("a.txt", "b.txt");
});

afterEach(async () => await rm(root, { recursive: true, force: true }));

const at = (name: string): string => join(root, name);

/** Makes files look as if nobody had touched them for long: what was written a moment ago is digested twice. */
async function age(...names: string[]): Promise<void> {
  for (const name of names) await fs.promises.utimes(at(name), 1_700_000_000, 1_700_000_000);
}

const files: FileMemory = {
  find: async (paths) =>
    new Map(paths.flatMap((path) => (remembered.has(path) ? [[path, remembered.get(path)!]] : []))),
  keep: (kept) => {
    for (const file of kept) remembered.set(file.path, file);
  },
};

describe("a file that a step reads", () => {
  const ways: Readonly<Record<string, () => unknown>> = {
    readFileSync: () => readFileSync(at("a.txt")),
    "readFileSync as text": () => readFileSync(at("a.txt"), "utf8"),
    "readFile with a promise": async () => await readFile(at("a.txt"), "utf8"),
    "readFile with a callback": () => new Promise((done) => fs.readFile(at("a.txt"), "utf8", done)),
    "a file handle": async () => {
      await using handle = await fs.promises.open(at("a.txt"));
      await handle.readFile();
    },
    "a file descriptor": () => {
      const file = fs.openSync(at("a.txt"), "r");
      fs.readSync(file, Buffer.alloc(2));
      fs.closeSync(file);
    },
    "a stream": async () => {
      for await (const _ of createReadStream(at("a.txt")));
    },
    "lines of a stream": async () => {
      for await (const _ of createInterface({ input: createReadStream(at("a.txt")) }));
    },
    "a URL": () => readFileSync(new URL(`file://${at("a.txt")}`)),
    "a copy": () => fs.copyFileSync(at("a.txt"), at("copy.txt")),
    "a blob": async () => await (await fs.openAsBlob(at("a.txt"))).text(),
    "a timer": () => new Promise<void>((done) => setTimeout(() => (readFileSync(at("a.txt")), done()), 1)),
  };
  for (const [way, work] of Object.entries(ways)) {
    it(`is seen by ${way}, holds while it is the same, and differs when it is edited`, async () => {
      const observed = await observe(work);
      assert.deepEqual(readsOf(observed), ["file a.txt"]);
      assert.equal(observed.obstacle, undefined);
      assert.deepEqual(await differencesOf(observed), []);
      await fs.promises.utimes(at("a.txt"), 1, 1);
      assert.deepEqual(await differencesOf(observed), [], "touching it changes nothing");
      await writeFile(at("a.txt"), "other");
      assert.deepEqual(await differencesOf(observed), ["file a.txt"]);
      await writeFile(at("a.txt"), "alpha");
      assert.deepEqual(await differencesOf(observed), [], "it is as it was again");
      await rm(at("a.txt"));
      assert.deepEqual(await differencesOf(observed), ["file a.txt"]);
    });
  }

  it("gives the step what Node gives", async () => {
    await writeFile(at("odd.bin"), Buffer.from([0xef, 0xbb, 0xbf, 0xff, 0x41]));
    const plain = [
      readFileSync(at("odd.bin")),
      readFileSync(at("odd.bin"), "utf8"),
      readFileSync(at("odd.bin"), "hex"),
    ];
    const seen: unknown[] = [];
    const observed = await observe(async () => {
      seen.push(readFileSync(at("odd.bin")), readFileSync(at("odd.bin"), "utf8"), readFileSync(at("odd.bin"), "hex"));
      assert.deepEqual(await readFile(at("odd.bin"), { encoding: "latin1" }), plain[0]?.toString("latin1"));
      assert.throws(() => readFileSync(at("none"), "utf8"), { code: "ENOENT" });
      assert.throws(() => readFileSync(at("a.txt"), "no such" as BufferEncoding), { code: "ERR_INVALID_ARG_VALUE" });
      assert.throws(() => readFileSync(root), { code: "EISDIR" });
      await assert.rejects(readFile(at("none")), { code: "ENOENT" });
    });
    assert.deepEqual(seen, plain);
    assert.deepEqual(readsOf(observed), ["file .", "file none", "file odd.bin"]);
  });

  const vain: Record<string, () => unknown> = {
    readFileSync: () => assert.throws(() => readFileSync(at("none.txt"))),
    "readFile with a promise": () => assert.rejects(readFile(at("none.txt"))),
    "a file handle": () => assert.rejects(fs.promises.open(at("none.txt"))),
    "a blob": () => assert.rejects(fs.openAsBlob(at("none.txt"))),
  };
  for (const [way, work] of Object.entries(vain)) {
    it(`counts though it is not there, and differs when it comes, for ${way}`, async () => {
      const observed = await observe(work);
      assert.deepEqual(await differencesOf(observed), []);
      await writeFile(at("none.txt"), "");
      assert.deepEqual(await differencesOf(observed), ["file none.txt"]);
    });
  }

  it("counts on a disk in memory, and not among devices", () => {
    const territory = new Territory(root, at(".reprise"));
    const regions = ["/dev/shm/rows.csv", "/dev/null", "/proc/self/stat"].map((path) => territory.regionOf(path));
    assert.deepEqual(regions, ["world", "ignored", "ignored"]);
  });

  it("counts though a directory is in its place, and differs when it takes it", async () => {
    await fs.promises.mkdir(at("place"));
    const observed = await observe(() => assert.throws(() => readFileSync(at("place"))));
    assert.deepEqual(await differencesOf(observed), []);
    await rm(at("place"), { recursive: true });
    await writeFile(at("place"), "");
    assert.deepEqual(await differencesOf(observed), ["file place"]);
  });

  it("is not read again while stat says that it is the same", async () => {
    const observed = await observe(() => readFileSync(at("a.txt")));
    assert.ok(remembered.has(at("a.txt")) || remembered.size === 0);
    assert.deepEqual(await differencesOf(observed), []);
    assert.ok(remembered.size <= 1);
  });

  it("makes the result unusable when it is edited while the step runs", async () => {
    const observed = await observe(async () => {
      readFileSync(at("a.txt"));
      const { size } = statSync(at("a.txt"));
      outsideStep(() => writeFileSync(at("a.txt"), "x".repeat(size)));
    });
    assert.equal(observed.obstacle?.code, "unstable-input");
  });

  it("makes the result unusable when it is edited while the step reads it in pieces", async () => {
    const observed = await observe(async () => {
      const file = fs.openSync(at("a.txt"), "r");
      outsideStep(() => writeFileSync(at("a.txt"), "other"));
      fs.readSync(file, Buffer.alloc(5));
      fs.closeSync(file);
    });
    assert.equal(observed.obstacle?.code, "unstable-input");
  });
});

describe("what a step looks for", () => {
  it("is the same when it looks closer the second time", async () => {
    const observed = await observe(async () => {
      await fs.promises.access(at("a.txt"));
      return statSync(at("a.txt")).size;
    });
    assert.equal(observed.obstacle, undefined);
    assert.deepEqual(await differencesOf(observed), []);
    await writeFile(at("a.txt"), "longer than it was");
    assert.deepEqual(await differencesOf(observed), ["file a.txt"]);
  });

  it("counts only as far as it asks", async () => {
    const observed = await observe(() => existsSync(at("a.txt")));
    await writeFile(at("a.txt"), "longer than it was");
    assert.deepEqual(await differencesOf(observed), []);
    await rm(at("a.txt"));
    assert.deepEqual(await differencesOf(observed), ["file a.txt"]);
  });

  it("counts with its size when the size is taken", async () => {
    const kind = await observe(async () => (await stat(at("a.txt"))).isFile());
    const size = await observe(() => statSync(at("a.txt")).size);
    const time = await observe(() => statSync(at("a.txt")).mtime);
    await fs.promises.utimes(at("a.txt"), 5, 5);
    assert.deepEqual([await differencesOf(kind), await differencesOf(size)], [[], []]);
    assert.deepEqual(await differencesOf(time), ["file a.txt"]);
    await writeFile(at("a.txt"), "longer");
    assert.deepEqual([await differencesOf(kind), await differencesOf(size)], [[], ["file a.txt"]]);
  });

  it("counts when it is not there", async () => {
    const observed = await observe(async () => {
      assert.equal(existsSync(at("config.json")), false);
      await assert.rejects(access(at("other.json")));
      assert.equal(statSync(at("third.json"), { throwIfNoEntry: false }), undefined);
    });
    assert.deepEqual(readsOf(observed), ["stat config.json", "stat other.json", "stat third.json"]);
    await writeFile(at("other.json"), "{}");
    assert.deepEqual(await differencesOf(observed), ["file other.json"]);
  });

  it("counts as the names in a directory, not their content", async () => {
    const observed = await observe(() => readdirSync(root));
    await writeFile(at("a.txt"), "other");
    assert.deepEqual(await differencesOf(observed), []);
    await writeFile(at("new.txt"), "");
    assert.deepEqual(await differencesOf(observed), ["directory ."]);
    await rm(at("new.txt"));
    assert.deepEqual(await differencesOf(observed), []);
  });

  it("counts as what the step was given, whatever way it asks for it", async () => {
    await mkdir(at("sub/deep"), { recursive: true });
    await writeFile(at("sub/deep/x"), "");
    const observed = await observe(async () => {
      readdirSync(root, { withFileTypes: true });
      readdirSync(relative(process.cwd(), at("sub")), { withFileTypes: true });
      readdirSync(at("sub"), { recursive: true });
      for await (const _ of await fs.promises.opendir(at("sub/deep")));
      readdirSync(at("sub/deep"), { encoding: "buffer" });
    });
    assert.deepEqual(await differencesOf(observed), []);
    await rm(at("sub/deep/x"));
    assert.deepEqual(await differencesOf(observed), ["directory sub/deep", "directory sub"]);
  });

  it("counts as what a pattern matches", async () => {
    const observed = await observe(async () => {
      fs.globSync("*.txt", { cwd: root });
      for await (const _ of fs.promises.glob("**/*.csv", { cwd: root }));
    });
    assert.deepEqual(readsOf(observed), ["glob . **/*.csv", "glob . *.txt"]);
    await writeFile(at("c.md"), "");
    assert.deepEqual(await differencesOf(observed), []);
    await writeFile(at("c.csv"), "");
    assert.deepEqual(await differencesOf(observed), ["directory **/*.csv"]);
  });

  it("counts where a link leads", async () => {
    await symlink("a.txt", at("link"));
    const observed = await observe(() => readFileSync(fs.realpathSync(at("link"))));
    await rm(at("link"));
    await symlink("b.txt", at("link"));
    assert.deepEqual(await differencesOf(observed), ["file link"]);
  });
});

describe("what a step writes", () => {
  it("is told and is no input", async () => {
    const observed = await observe(() => writeFileSync(at("out.txt"), "x"));
    assert.deepEqual([observed.trace, observed.obstacle], [undefined, undefined]);
    assert.deepEqual(
      observed.notices.map(({ kind, text }) => [kind, text]),
      [["write", "writes out.txt"]],
    );
  });

  it("bars the result when the step reads it as well", async () => {
    for (const work of [
      () => (writeFileSync(at("out.txt"), "x"), readFileSync(at("out.txt"))),
      () => (readFileSync(at("a.txt")), fs.appendFileSync(at("a.txt"), "x")),
      () => (existsSync(at("made.txt")), writeFileSync(at("made.txt"), "x")),
      () => (readdirSync(root), writeFileSync(at("made2.txt"), "x")),
      () => fs.renameSync(at("b.txt"), at("c.txt")),
    ]) {
      const observed = await observe(work);
      assert.equal(observed.obstacle?.code, "own-output", String(work));
    }
  });

  it("does not bar it in a folder that only the step knows, or under a name that was to be temporary", async () => {
    const observed = await observe(async () => {
      const folder = await mkdtemp(join(tmpdir(), "reprise-scratch-"));
      writeFileSync(join(folder, "x"), "x");
      readFileSync(join(folder, "x"));
      await rm(folder, { recursive: true });
      await mkdir(at("deep/er"), { recursive: true });
      writeFileSync(at("deep/er/out.tmp"), "x");
      fs.renameSync(at("deep/er/out.tmp"), at("deep/er/out"));
    });
    assert.equal(observed.obstacle, undefined);
    assert.equal(observed.trace, undefined);
  });

  it("bars it in the store", async () => {
    await mkdir(at(".reprise"));
    await writeFile(at(".reprise/metadata.db"), "");
    const observed = await observe(() => readFileSync(at(".reprise/metadata.db")));
    assert.equal(observed.obstacle?.code, "own-output");
  });
});

describe("the environment", () => {
  it("counts by the variables that are read, unset as well as empty", async () => {
    const observed = await observe(() => [process.env["REPRISE_TEST_A"], "REPRISE_TEST_B" in process.env]);
    assert.deepEqual(readsOf(observed), ["env REPRISE_TEST_A", "env REPRISE_TEST_B"]);
    process.env["REPRISE_TEST_A"] = "";
    assert.deepEqual(await differencesOf(observed), ["env REPRISE_TEST_A"]);
    delete process.env["REPRISE_TEST_A"];
    process.env["REPRISE_TEST_C"] = "1";
    assert.deepEqual(await differencesOf(observed), []);
    delete process.env["REPRISE_TEST_C"];
  });

  it("keeps no value in clear", async () => {
    process.env["REPRISE_TEST_SECRET"] = "hunter2";
    const observed = await observe(() => process.env["REPRISE_TEST_SECRET"]);
    delete process.env["REPRISE_TEST_SECRET"];
    assert.ok(!JSON.stringify(observed).includes("hunter2"));
  });

  it("does not count where the step set it itself", async () => {
    const observed = await observe(() => {
      process.env["REPRISE_TEST_OWN"] = "1";
      assert.equal(process.env["REPRISE_TEST_OWN"], "1");
      delete process.env["REPRISE_TEST_OWN"];
    });
    assert.equal(observed.trace, undefined);
  });
});

describe("steps that run at once", () => {
  it("keep their reads apart, through timers, promises and streams", async () => {
    const read = async (name: string): Promise<void> => {
      for (let turn = 0; turn < 5; turn += 1) {
        await delay(1);
        await Promise.all([readFile(at(name)), new Promise((done) => setImmediate(done))]);
        for await (const _ of createReadStream(at(name)));
      }
    };
    const [a, b] = await Promise.all([observe(() => read("a.txt")), observe(() => read("b.txt"))]);
    assert.deepEqual([readsOf(a), readsOf(b)], [["file a.txt"], ["file b.txt"]]);
  });

  it("are seen in what a queue of a module does for them, where the work is bound to its step", async () => {
    const jobs: (() => void)[] = [];
    let wake = (): void => {};
    // It goes on as long as the queue is there, in a context of its own.
    void (async () => {
      for (;;) {
        await new Promise<void>((awake) => (wake = awake));
        for (const job of jobs.splice(0)) job();
      }
    })();
    const queued = async (job: () => void): Promise<void> =>
      await new Promise((done) => {
        jobs.push(() => (job(), done()));
        wake();
      });
    const observed = await observe(() => queued(AsyncResource.bind(() => void readFileSync(at("a.txt")))));
    assert.deepEqual(readsOf(observed), ["file a.txt"]);
  });

  it("share what was read to fill a memo that they share", async () => {
    let memo: string | undefined;
    const load = (): string => (memo ??= readFileSync(at("a.txt"), "utf8"));
    const first = await observe(load, { memos: ["memo.ts#memo"] });
    const second = await observe(load, { memos: ["memo.ts#memo"] });
    assert.deepEqual([readsOf(first), readsOf(second)], [["file a.txt"], ["file a.txt"]]);
    await writeFile(at("a.txt"), "other");
    const third = await observe(load, { memos: ["memo.ts#memo"] });
    assert.equal(third.obstacle?.code, "unstable-input");
  });

  it("read nothing any more once they have ended", async () => {
    let late: Promise<unknown> | undefined;
    const observed = await observe(() => {
      late = delay(5).then(() => readFileSync(at("a.txt")));
    });
    await late;
    assert.equal(observed.trace, undefined);
  });
});

describe("what is loaded as code", () => {
  it("is no input", async () => {
    await writeFile(at("module.cjs"), "module.exports = require('./data.json')");
    await writeFile(at("data.json"), "{}");
    await writeFile(at("module.mjs"), "export default 1");
    await mkdir(at("node_modules/pkg"), { recursive: true });
    await writeFile(at("node_modules/pkg/words.txt"), "word");
    const observed = await observe(async () => {
      createRequire(at("x.cjs"))("./module.cjs");
      await import(at("module.mjs"));
      readFileSync(at("node_modules/pkg/words.txt"));
    });
    assert.equal(observed.trace, undefined);
  });
});

describe("what nobody sees", () => {
  it("bars the result of a step that starts a process, unless it says what is read there", async () => {
    const work = (): unknown => execFileSync("cat", [at("a.txt")]);
    const silent = await observe(work);
    assert.equal(silent.obstacle?.code, "unobserved");
    assert.match(silent.obstacle?.text ?? "", /starts a process \(cat\)/u);
    const declared = await observe(work, { declared: [{ kind: "file", name: "a.txt" }] });
    assert.equal(declared.obstacle, undefined);
    assert.deepEqual(readsOf(declared), ["file a.txt"]);
    await writeFile(at("a.txt"), "other");
    assert.deepEqual(await differencesOf(declared), ["file a.txt"]);
  });

  it("is told of the clock and of randomness, and decides nothing", async () => {
    const observed = await observe(() => [new Date(), Math.random(), new Date(0), Date.now()]);
    assert.deepEqual([observed.trace, observed.obstacle], [undefined, undefined]);
    assert.deepEqual(
      observed.notices.map(({ text }) => text),
      ["reads the clock", "draws random numbers"],
    );
    assert.ok(new Date() instanceof Date);
    assert.equal(new Date().constructor, Date);
  });
});
