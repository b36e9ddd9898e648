import assert from "node:assert/strict";
import { once } from "node:events";
import fs from "node:fs";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { afterEach, beforeEach, describe, it } from "node:test";
import util from "node:util";
import { outsideStep } from "../define/step-scope.ts";
import { installWatchers } from "./install.ts";
import type { Observed, Observer } from "./observer.ts";
import { openObserver } from "./open-observer.ts";

installWatchers();

let root: string;

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "reprise-watch-files-")));
  fs.mkdirSync(at("folder/deep"), { recursive: true });
  fs.writeFileSync(at("folder/x.txt"), "x");
  fs.writeFileSync(at("a.txt"), "alpha");
  fs.utimesSync(at("a.txt"), 1_700_000_000, 1_700_000_000);
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

const at = (name: string): string => join(root, name);

function open(): Observer {
  const files = { find: async () => new Map(), keep: () => {} };
  return openObserver({ root, storePath: at(".reprise"), salt: () => "pepper", files });
}

async function observe(work: () => unknown): Promise<Observed> {
  const parts = {
    memos: [],
    declared: undefined,
    http: "revalidate",
    packages: async () => new Set<string>(),
  } as const;
  const observation = open().observe(parts);
  await observation.run(work);
  return await observation.close();
}

const namesOf = ({ trace }: Observed): string[] =>
  (trace?.content.reads ?? []).map(({ kind, name }) => `${kind} ${name}`);

async function differencesOf({ trace }: Observed): Promise<readonly string[]> {
  assert.ok(trace, "nothing was read");
  const check = (await open().check(new Map([[trace.digest, trace.content]]))).get(trace.digest);
  return check?.differences.map(({ code, part }) => `${code} ${part}`) ?? [];
}

describe("readFile", () => {
  for (const flag of ["r+", "rs", "sr", fs.constants.O_RDONLY]) {
    it(`is seen with the flag ${flag}`, async () => {
      const observed = await observe(async () => {
        assert.equal(fs.readFileSync(at("a.txt"), { flag: flag as string, encoding: "utf8" }), "alpha");
        assert.equal(await fs.promises.readFile(at("folder/x.txt"), { flag, encoding: "utf8" }), "x");
      });
      assert.deepEqual(namesOf(observed), ["file a.txt", "file folder/x.txt"]);
      fs.writeFileSync(at("a.txt"), "other");
      fs.writeFileSync(at("folder/x.txt"), "other");
      assert.deepEqual(await differencesOf(observed), ["file a.txt", "file folder/x.txt"]);
    });
  }

  it("bars the result with a flag that may make the file", async () => {
    const observed = await observe(() => fs.readFileSync(at("a.txt"), { flag: "a+" }));
    assert.equal(observed.obstacle?.code, "unobserved");
  });

  it("bars the result of a step that reads standard input", async () => {
    const signal = AbortSignal.abort();
    const observed = await observe(async () => {
      await assert.rejects(fs.promises.readFile("/dev/stdin", { signal }));
    });
    assert.match(observed.obstacle?.text ?? "", /standard input/u);
  });
});

describe("what Node does by many of its own functions", () => {
  const ways: Readonly<Record<string, () => unknown>> = {
    cpSync: () => fs.cpSync(at("folder"), at("out"), { recursive: true }),
    "cp with a promise": async () => await fs.promises.cp(at("folder"), at("out"), { recursive: true }),
    "cp with a callback": async () =>
      await new Promise((done) => fs.cp(at("folder"), at("out"), { recursive: true }, done)),
  };
  for (const [way, work] of Object.entries(ways)) {
    it(`is seen by what it reads, and does not bar the result by looking where it writes, for ${way}`, async () => {
      const observed = await observe(work);
      assert.equal(observed.obstacle, undefined);
      assert.deepEqual(namesOf(observed), ["file folder/x.txt", "tree folder"]);
    });
  }

  it("does not bar the result when a step removes what it wrote", async () => {
    const observed = await observe(async () => {
      for (const remove of [fs.promises.rm, util.promisify(fs.rm)]) {
        fs.mkdirSync(at("own"));
        fs.writeFileSync(at("own/x"), "");
        await remove(at("own"), { recursive: true });
      }
    });
    assert.deepEqual([observed.obstacle, observed.trace], [undefined, undefined]);
  });

  const filter = (): boolean => fs.readFileSync(at("a.txt"), "utf8") === "alpha";
  const filtered: Readonly<Record<string, () => unknown>> = {
    cpSync: () => fs.cpSync(at("folder"), at("out"), { recursive: true, filter }),
    "cp with a promise": async () => await fs.promises.cp(at("folder"), at("out"), { recursive: true, filter }),
    "cp with a callback": async () =>
      await new Promise((done) => fs.cp(at("folder"), at("out"), { recursive: true, filter }, done)),
    globSync: () => fs.globSync("folder/*", { cwd: root, exclude: filter }),
    "glob with a promise": async () => {
      for await (const _ of fs.promises.glob("folder/*", { cwd: root, exclude: filter }));
    },
  };
  for (const [way, work] of Object.entries(filtered)) {
    it(`is seen by what the step's own filter reads, for ${way}`, async () => {
      const observed = await observe(work);
      assert.ok(namesOf(observed).includes("file a.txt"));
      fs.writeFileSync(at("a.txt"), "other");
      assert.deepEqual(await differencesOf(observed), ["file a.txt"]);
    });
  }

  it("goes on in the step when it calls back", async () => {
    const observed = await observe(
      async () =>
        await new Promise<void>((done) =>
          fs.rm(at("none"), { force: true }, () => (fs.readFileSync(at("a.txt")), done())),
        ),
    );
    assert.deepEqual(namesOf(observed), ["file a.txt"]);
  });

  it("does not hide what a stream of the step's reads while it is written", async () => {
    async function* rows() {
      yield await fs.promises.readFile(at("a.txt"));
    }
    const observed = await observe(async () => await fs.promises.writeFile(at("out.txt"), rows()));
    assert.deepEqual(namesOf(observed), ["file a.txt"]);
  });
});

describe("what is looked at", () => {
  it("is unchanged when a directory is listed by names and with kinds", async () => {
    const observed = await observe(() => [fs.readdirSync(root), fs.readdirSync(root, { withFileTypes: true })]);
    assert.equal(observed.obstacle, undefined);
    assert.deepEqual(await differencesOf(observed), []);
    fs.writeFileSync(at("new.txt"), "");
    assert.deepEqual(await differencesOf(observed), ["directory .", "directory ."]);
  });

  it("bars the result where links lead in a circle, which is told otherwise than that nothing is there", async () => {
    fs.symlinkSync("circle", at("circle"));
    const looks: readonly ((path: string) => unknown)[] = [
      (path) => fs.readFileSync(path),
      (path) => fs.promises.readFile(path),
      (path) => fs.openAsBlob(path),
      (path) => fs.promises.open(path),
      (path) => fs.statSync(path),
      (path) => fs.realpathSync(path),
    ];
    for (const look of looks) {
      const observed = await observe(async () => await assert.rejects(async () => void (await look(at("circle")))));
      assert.ok(observed.obstacle, String(look));
    }
  });

  it("is another when a file that was not there has become a link that leads in a circle", async () => {
    const observed = await observe(() => assert.throws(() => fs.readFileSync(at("missing"))));
    assert.deepEqual(await differencesOf(observed), []);
    fs.symlinkSync("missing", at("missing"));
    assert.deepEqual(await differencesOf(observed), ["file missing"]);
  });

  it("is there where a step fails to make it, and nowhere where it fails to move it", async () => {
    const exclusive = { flag: "wx" };
    const makes: readonly ((path: string) => unknown)[] = [
      (path) => fs.mkdirSync(path),
      (path) => fs.openSync(path, "wx"),
      (path) => fs.promises.writeFile(path, "x", exclusive),
      (path) => fs.promises.symlink("a.txt", path),
      (path) => fs.linkSync(at("a.txt"), path),
      (path) => fs.copyFileSync(at("a.txt"), path, fs.constants.COPYFILE_EXCL),
    ];
    for (const make of makes) {
      fs.writeFileSync(at("lock"), "");
      const observed = await observe(
        async () => await assert.rejects(async () => void (await make(at("lock"))), /EEXIST/u),
      );
      assert.equal(observed.obstacle, undefined, String(make));
      assert.deepEqual(await differencesOf(observed), [], String(make));
      fs.rmSync(at("lock"));
      assert.deepEqual(await differencesOf(observed), ["file lock"], String(make));
    }
    const observed = await observe(() => assert.throws(() => fs.renameSync(at("lock"), at("moved")), /ENOENT/u));
    assert.deepEqual(await differencesOf(observed), []);
    fs.writeFileSync(at("lock"), "");
    assert.deepEqual(await differencesOf(observed), ["file lock"]);
  });

  it("is no link until it becomes one", async () => {
    for (const name of ["a.txt", "folder", "missing"]) {
      const observed = await observe(() => assert.throws(() => fs.readlinkSync(at(name))));
      assert.deepEqual(await differencesOf(observed), []);
      fs.rmSync(at(name), { recursive: true, force: true });
      fs.symlinkSync("b.txt", at(name));
      assert.deepEqual(await differencesOf(observed), [`file ${name}`]);
    }
  });

  it("bars the result where it is refused, which nobody can see change", async () => {
    const observed = await observe(() => assert.throws(() => fs.accessSync(at("a.txt"), fs.constants.X_OK)));
    assert.equal(observed.obstacle?.code, "unobserved");
  });

  it("is shown as Node shows it, and counts as far as it is shown", async () => {
    const plain = util.inspect(fs.statSync(at("a.txt")));
    const observed = await observe(() => {
      const stats = fs.statSync(at("a.txt"));
      assert.equal(util.inspect(stats), plain);
      assert.deepEqual(Object.keys(stats), Object.keys(structuredClone(stats)));
    });
    fs.utimesSync(at("a.txt"), 1, 1);
    assert.deepEqual(await differencesOf(observed), ["file a.txt"]);
  });

  it("does not bar the result in a folder for scratch that removes itself", async () => {
    const observed = await observe(() => {
      using folder = fs.mkdtempDisposableSync(at("scratch-"));
      fs.writeFileSync(join(folder.path, "x"), "x");
      fs.readFileSync(join(folder.path, "x"));
    });
    assert.deepEqual([observed.obstacle, observed.trace], [undefined, undefined]);
  });
});

describe("a large file that was written a moment ago", () => {
  it("is read no more than once besides, and seen to be edited while the step reads it", async () => {
    const large = at("large.bin");
    fs.writeFileSync(large, Buffer.alloc(33 * 1024 * 1024));
    const read = async (): Promise<void> => {
      for await (const _ of fs.createReadStream(large));
    };
    let before = 0;
    const observed = await observe(async () => {
      before = readBytes();
      await read();
    });
    const size = fs.statSync(large).size;
    if (before > 0) assert.ok(readBytes() - before < 2.5 * size);
    assert.deepEqual([namesOf(observed), observed.obstacle], [["file large.bin"], undefined]);
    fs.writeFileSync(large, Buffer.alloc(33 * 1024 * 1024));
    const edited = await observe(async () => {
      const stream = fs.createReadStream(large);
      await once(stream, "open");
      outsideStep(() => fs.writeFileSync(large, Buffer.alloc(33 * 1024 * 1024, 1)));
      for await (const _ of stream);
    });
    assert.equal(edited.obstacle?.code, "unstable-input");
  });
});

/** How much this process has read so far, where the system tells. */
function readBytes(): number {
  const counters = fs.existsSync("/proc/self/io") ? fs.readFileSync("/proc/self/io", "utf8") : "";
  return Number(/^rchar: (\d+)$/mu.exec(counters)?.[1] ?? 0);
}

describe("installed packages", () => {
  it("are no inputs where a folder around them is copied, listed or searched", async () => {
    fs.mkdirSync(at("project/node_modules/left"), { recursive: true });
    fs.writeFileSync(at("project/node_modules/left/index.js"), "1");
    fs.writeFileSync(at("project/index.js"), "1");
    const observed = await observe(() => {
      fs.cpSync(at("project"), at("out"), { recursive: true });
      fs.readdirSync(at("project"), { recursive: true });
      fs.globSync("project/**/*.js", { cwd: root });
    });
    assert.ok(!namesOf(observed).some((name) => name.includes("node_modules")));
    fs.writeFileSync(at("project/node_modules/left/index.js"), "2");
    fs.writeFileSync(at("project/node_modules/left/more.js"), "2");
    assert.deepEqual(await differencesOf(observed), []);
    fs.writeFileSync(at("project/more.js"), "2");
    const expected = ["directory project", "directory project", "directory project/**/*.js"];
    assert.deepEqual((await differencesOf(observed)).toSorted(), expected);
  });
});

describe("an error of the system", () => {
  const ways: Readonly<Record<string, () => unknown>> = {
    readFileSync: () => fs.readFileSync(at("none")),
    statSync: () => fs.statSync(at("none")),
    readdirSync: () => fs.readdirSync(at("none")),
    openSync: () => fs.openSync(at("none"), "r"),
  };
  for (const [way, work] of Object.entries(ways)) {
    it(`begins where the step calls ${way}`, async () => {
      const place = work.toString();
      await observe(() =>
        assert.throws(work, ({ stack, message }: Error) => {
          const [first, second] = stack?.split("\n") ?? [];
          assert.equal(first, `Error: ${message}`);
          assert.match(second ?? "", /watch-files\.test\.ts/u, place);
          return true;
        }),
      );
    });
  }

  const promised: Readonly<Record<string, () => Promise<unknown>>> = {
    readFile: async () => await fs.promises.readFile(at("none")),
    stat: async () => await fs.promises.stat(at("none")),
  };
  for (const [way, work] of Object.entries(promised)) {
    it(`shows Node and the step, and nobody between them, with a promise of ${way}`, async () => {
      let stack = "";
      await observe(async () => await assert.rejects(work, (error: Error) => ((stack = error.stack ?? ""), true)));
      const [, ...frames] = stack.split("\n");
      const own = frames.filter((frame) => !frame.includes("node:") && !frame.includes("watch-files.test.ts"));
      assert.deepEqual(own, []);
      assert.ok(frames.some((frame) => frame.includes("watch-files.test.ts")));
    });
  }
});
