import assert from "node:assert/strict";
import fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import util from "node:util";
import { observeIn, readsOf, toldOf, type Observing } from "../../test/rig/observing.ts";
import { installWatchers } from "./install.ts";

installWatchers();

let root: string;
let path: string;
let observe: Observing["observe"];
let differencesOf: Observing["differencesOf"];

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "reprise-looks-")));
  path = join(root, "a.txt");
  ({ observe, differencesOf } = observeIn(root));
  fs.writeFileSync(path, "alpha");
  fs.chmodSync(path, 0o644);
  fs.utimesSync(path, 1_700_000_000, 1_700_000_000.25);
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

type Taken = "mode" | "mtimeMs" | "mtime" | "ctimeMs" | "ctime" | "size";
type Some = Readonly<Record<string, unknown>>;

const ways: Readonly<Record<string, (take: (stats: Some) => unknown) => unknown>> = {
  statSync: (take) => take(fs.statSync(path) as unknown as Some),
  "stat with large integers": (take) => take(fs.statSync(path, { bigint: true }) as unknown as Some),
  "stat with a promise": async (take) => take((await fs.promises.stat(path)) as unknown as Some),
  "fstat of a descriptor": (take) => {
    const file = fs.openSync(path, "r");
    take(fs.fstatSync(file) as unknown as Some);
    fs.closeSync(file);
  },
  "fstat with a callback": async (take) => {
    const file = fs.openSync(path, "r");
    take((await util.promisify(fs.fstat)(file)) as unknown as Some);
    fs.closeSync(file);
  },
  "stat of a handle": async (take) => {
    await using handle = await fs.promises.open(path);
    take((await handle.stat()) as unknown as Some);
  },
};

const edits: Readonly<Record<string, { readonly takes: readonly Taken[]; readonly edit: () => void }>> = {
  "who may do what": { takes: ["mode", "ctimeMs", "ctime"], edit: () => fs.chmodSync(path, 0o755) },
  "when it was modified": { takes: ["mtimeMs", "mtime", "ctime"], edit: () => fs.utimesSync(path, 1, 1) },
};

for (const [way, look] of Object.entries(ways)) {
  describe(way, () => {
    for (const [what, { takes, edit }] of Object.entries(edits)) {
      for (const name of takes) {
        it(`counts with ${name} when it takes it, and differs when ${what} changes`, async () => {
          const observed = await observe(() => look((stats) => stats[name]));
          assert.equal(observed.obstacle, undefined);
          assert.deepEqual(await differencesOf(observed), []);
          edit();
          assert.deepEqual(await differencesOf(observed), ["file a.txt"]);
        });
      }
      it(`does not count with what it does not take: ${what}`, async () => {
        const observed = await observe(() =>
          look((stats) => [(stats as unknown as fs.Stats).isFile(), stats["size"], stats["isDirectory"]]),
        );
        edit();
        assert.deepEqual(await differencesOf(observed), []);
      });
    }
  });
}

describe("an answer of stat", () => {
  it("is what Node gives, wherever it goes", async () => {
    const plain = fs.statSync(path);
    await observe(() => {
      const stats = fs.statSync(path);
      assert.ok(stats instanceof fs.Stats);
      assert.deepEqual(structuredClone(stats), structuredClone(plain));
      assert.deepEqual({ ...stats }, { ...plain });
      assert.deepEqual([stats.isFile(), stats.isDirectory(), stats.isSymbolicLink()], [true, false, false]);
      assert.deepEqual(stats.mtime, plain.mtime);
      assert.equal(JSON.stringify(stats), JSON.stringify(plain));
      assert.equal(util.inspect({ stats }), util.inspect({ stats: plain }));
      stats.size = 7;
      assert.equal(stats.size, 7);
    });
  });

  it("counts by the mode it had, and the time, whichever is taken first", async () => {
    const observed = await observe(() => {
      assert.equal(fs.statSync(path).mode & 0o777, 0o644);
      assert.equal(fs.statSync(path).mtimeMs, 1_700_000_000_250);
    });
    assert.deepEqual(await differencesOf(observed), []);
    fs.chmodSync(path, 0o600);
    assert.deepEqual(await differencesOf(observed), ["file a.txt"]);
    fs.chmodSync(path, 0o644);
    fs.utimesSync(path, 1, 1);
    assert.deepEqual(await differencesOf(observed), ["file a.txt"]);
  });

  it("is told where what is taken is not compared", async () => {
    const observed = await observe(() => fs.statSync(path).ino);
    assert.deepEqual(toldOf(observed), [
      "takes from stat what is not compared (inode, owner, last access and the like)",
    ]);
    assert.deepEqual(readsOf(observed), ["stat a.txt"]);
  });

  it("of what the step writes is no input", async () => {
    const observed = await observe(() => {
      const file = fs.openSync(join(root, "out.txt"), "w");
      assert.equal(fs.fstatSync(file).size, 0);
      fs.closeSync(file);
    });
    assert.deepEqual([observed.trace, observed.obstacle], [undefined, undefined]);
  });
});

describe("a descriptor whose number was another file's before", () => {
  it("is not taken for that", async () => {
    const observed = await observe(() => {
      const file = fs.openSync(path, "r");
      fs.closeSync(file);
      const out = fs.openSync(join(root, "out.txt"), "w");
      assert.equal(out, file);
      assert.equal(fs.fstatSync(out).mtimeMs > 0, true);
      fs.closeSync(out);
    });
    assert.deepEqual([readsOf(observed), observed.obstacle], [["file a.txt"], undefined]);
  });
});

describe("a step that asks how full a disk is", () => {
  it("is told so", async () => {
    assert.deepEqual(toldOf(await observe(() => fs.statfsSync(root))), ["asks about the machine"]);
  });
});
