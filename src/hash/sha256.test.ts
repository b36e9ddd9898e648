import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { digestHere, sha256 } from "./sha256.ts";

test("bytes of every length around a block have the digest that Node gives them", () => {
  for (let length = 0; length <= 200; length += 1) {
    const bytes = Buffer.from(Array.from({ length }, (_, at) => (at * 7 + length) & 0xff));
    assert.equal(digestHere(bytes).toString("hex"), hash("sha256", bytes, "hex"), String(length));
  }
});

test("any bytes have the digest that Node gives them", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), (bytes) => {
      assert.equal(digestHere(bytes).toString("hex"), hash("sha256", bytes, "hex"));
    }),
  );
});

test("a process gives a text one digest, however much it has hashed before", () => {
  const text = "añ🙂\ud800z";
  const first = sha256(text, "hex");
  sha256(Buffer.alloc(100_000), "hex");
  assert.equal(first, hash("sha256", text, "hex"));
  assert.equal(sha256(text, "hex"), first);
  assert.equal(sha256(text, "base64url"), hash("sha256", text, "base64url"));
});
