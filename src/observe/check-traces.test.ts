import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Digest } from "../hash/digest.ts";
import type { ReadKind, Trace } from "../record/trace.ts";
import { openObserver } from "./open-observer.ts";

test("names that nothing can have, as in records from elsewhere, are not what they were, and break no look-up", async () => {
  const root = await mkdtemp(join(tmpdir(), "reprise-names-"));
  const files = { find: async () => new Map(), keep: () => {} };
  const observer = openObserver({ root, storePath: join(root, ".reprise"), salt: () => "", files });
  const kinds: readonly ReadKind[] = ["file", "stat", "link", "realpath", "directory", "tree", "glob", "env", "http"];
  const names = ["a\0b", "", ". \0*", `. ${"{".repeat(70_000)}`, "x".repeat(9000), ". [z-a]*"];
  for (const kind of kinds) {
    for (const name of names) {
      const trace: Trace = { salt: "", reads: [{ kind, name, found: "7 names 1f0c" }] };
      const check = (await observer.check(new Map([["t" as Digest, trace]]))).get("t" as Digest);
      // A URL that cannot be asked holds, with a warning, as one does that nobody answers.
      const told = kind === "http" ? check?.warnings : check?.differences;
      assert.equal(told?.length, 1, `${kind} ${JSON.stringify(name).slice(0, 40)}`);
    }
  }
  await rm(root, { recursive: true, force: true });
});
