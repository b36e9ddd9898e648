import assert from "node:assert/strict";
import { test } from "node:test";
import { inspect } from "node:util";
import fc from "fast-check";
import { DefinitionError } from "../error.ts";
import { hideInError } from "./hide-in-error.ts";
import { SecretMask } from "./secret-mask.ts";

function maskOf(...secrets: readonly unknown[]): SecretMask {
  const mask = new SecretMask();
  for (const secret of secrets) mask.add(secret);
  return mask;
}

const text = fc.string({ unit: "grapheme", minLength: 6, maxLength: 60 }).filter((each) => each.trim().length > 5);
const around = fc.string({ unit: "grapheme", maxLength: 20 });

/** What programs make of a text on its way into a log. */
const forms: Readonly<Record<string, (secret: string, before: string, after: string) => string>> = {
  "as it is": (secret, before, after) => before + secret + after,
  "in JSON": (secret, before, after) => JSON.stringify({ [before]: [secret + after] }),
  "in a component of a URL": (secret, before) => `https://example.com/${encodeURIComponent(`${before}${secret}`)}`,
  "in a URL": (secret, before) => encodeURI(`https://example.com/${before}?${secret}`),
  "in a query": (secret, before, after) => String(new URLSearchParams({ before, secret, after })),
  "as base64": (secret) => Buffer.from(secret).toString("base64"),
  "as base64 for URLs": (secret) => Buffer.from(secret).toString("base64url"),
};

for (const [name, form] of Object.entries(forms)) {
  test(`a secret is found ${name}, and hidden`, () => {
    fc.assert(
      fc.property(text, around, around, (secret, before, after) => {
        const mask = maskOf(secret);
        const said = form(secret, before, after);
        assert.ok(mask.holds(said), said);
        assert.ok(mask.holds({ list: [new Map([[1, new Set([said])]])] }));
        assert.ok(mask.holdsBytes(Buffer.from(said)));
        const hidden = mask.hide(said);
        assert.ok(hidden.includes("***"));
        assert.ok(!mask.holds(hidden.replaceAll("***", "\0")), hidden);
      }),
    );
  });
}

test("of a secret in a header for basic authorization, no six characters are left", () => {
  for (const user of ["", "a", "ab", "abc", "somebody"]) {
    const secret = "correct-horse-battery-staple";
    const header = `Basic ${Buffer.from(`${user}:${secret}`).toString("base64")}`;
    const hidden = maskOf(secret).hide(header);
    const left = Buffer.from(hidden.slice("Basic ".length).replace("***", ""), "base64").toString("latin1");
    for (let at = 0; at + 6 <= secret.length; at += 1) assert.ok(!left.includes(secret.slice(at, at + 6)), left);
  }
});

test("each text of a secret record is one, each line of a text, and the password of an address", () => {
  const mask = maskOf(
    { user: "alice@example.com", deep: new Map([["k", [{ pass: "open-sesame" }]]]) },
    "-----BEGIN KEY-----\n  MIIEvQIBADANBg\r\n-----END KEY-----",
    "postgres://me:p%40ssw0rd@db.example.com/things",
    JSON.stringify({ private_key: "-----BEGIN-----\nMIIEowIBAAKCAQ\n" }, undefined, 2),
  );
  for (const said of [
    "alice@example.com!",
    "open-sesame",
    "MIIEvQIBADANBg",
    "MIIEowIBAAKCAQ",
    "p@ssw0rd",
    "p%40ssw0rd",
  ]) {
    assert.ok(mask.holds(said), said);
    assert.match(mask.hide(said), /^\*\*\*!?$/u);
  }
  assert.equal(mask.hide("db.example.com refused me"), "db.example.com refused me");
});

test("bytes are found as bytes, as hex, as base64 and as the text that they are", () => {
  const bytes = Uint8Array.from({ length: 32 }, (_, at) => (at * 37) % 256);
  const mask = maskOf(bytes, Buffer.from("a text in bytes"));
  assert.ok(mask.holds({ key: new Uint8Array(bytes) }));
  assert.ok(mask.holds(bytes.slice().buffer));
  for (const form of ["hex", "base64", "base64url"] as const) {
    assert.equal(mask.hide(`key ${Buffer.from(bytes).toString(form)}`), "key ***");
  }
  assert.equal(mask.hide("it is a text in bytes"), "it is ***");
  assert.ok(!mask.holds(bytes.slice(0, 31)));
});

test("what is short is found where it stands alone, and what is shorter is not sought", () => {
  const mask = maskOf("eu", 4711, 12n, true, "", null, undefined);
  assert.ok(mask.holds("eu") && mask.holds(["eu"]) && mask.holds(4711) && mask.holds("4711"));
  for (const value of ["europe", 47_110, 12, 12n, true, "", null, {}, []]) assert.ok(!mask.holds(value), String(value));
  assert.equal(mask.hide("a neutral text of 4711 words"), "a neutral text of 4711 words");
  assert.deepEqual(mask.hideIn({ a: "eu", b: 4711, c: ["europe", null, true] }), {
    a: "***",
    b: "***",
    c: ["europe", null, true],
  });
});

test("a secret of a megabyte is hidden like any other, and one that looks like a pattern", () => {
  const large = "🔑 key ".repeat(150_000);
  assert.equal(maskOf(large).hide(`<${large}>`), "<***>");
  assert.equal(maskOf("$&.*(key)+[^").hide("my $&.*(key)+[^!"), "my ***!");
});

test("a mask knows the secrets of the one around it", () => {
  const outer = maskOf("correct-horse", 4711);
  const mask = new SecretMask(outer);
  assert.ok(mask.isUsed);
  mask.add("battery-staple");
  assert.equal(mask.hide("correct-horse-battery-staple"), "***-***");
  assert.ok(mask.holds(4711) && mask.holds("correct-horse") && mask.holdsBytes(Buffer.from("correct-horse")));
  assert.deepEqual(mask.hideIn([4711, "battery-staple"]), ["***", "***"]);
  assert.ok(!outer.holds("battery-staple"));
});

test("a mask shows no secret of its own, and runs no code of what it is given", () => {
  const mask = maskOf({ key: "correct-horse" });
  assert.ok(!`${inspect(mask, { showHidden: true, depth: 9 })}${JSON.stringify(mask)}`.includes("correct"));
  const trap = {
    get key(): string {
      throw new Error("a getter is run");
    },
  };
  const proxy = new Proxy({}, { ownKeys: () => assert.fail("a trap is run") });
  assert.ok(!mask.holds([trap, proxy]));
  maskOf(trap, proxy);
  const circular: Record<string, unknown> = { key: "correct-horse" };
  circular["self"] = circular;
  assert.ok(mask.holds(circular));
});

test("an error without secrets comes through as it is; else a copy of its class, with what is harmless", () => {
  class ClientError extends Error {
    readonly status: number = 401;
    readonly config: object;
    override readonly name = "ClientError";
    constructor(message: string, config: object) {
      super(message);
      this.config = config;
    }
  }
  const mask = maskOf("correct-horse");
  const harmless = new ClientError("refused", { headers: {} });
  assert.equal(hideInError(harmless, mask), harmless);
  assert.equal(hideInError(harmless, new SecretMask()), harmless);
  const agent: Record<string, unknown> = {
    sockets: new Map([["host", [{ header: Buffer.from("key correct-horse") }]]]),
  };
  agent["agent"] = agent;
  const hidden = hideInError(new ClientError("refused", { agent }), mask) as ClientError;
  assert.ok(hidden instanceof ClientError);
  assert.deepEqual(
    [hidden.message, hidden.name, hidden.status, hidden.config],
    ["refused", "ClientError", 401, undefined],
  );
  assert.match(String(hidden.stack), /secret-mask\.test\.ts/u);
  const several = new AggregateError([new Error("no correct-horse"), harmless], "all failed");
  assert.deepEqual((hideInError(several, mask) as AggregateError).errors.map(String), [
    "Error: no ***",
    "ClientError: refused",
  ]);
  assert.equal(hideInError("correct-horse!", mask), "***!");
  const problem = { code: "RPS1013", message: "no correct-horse", place: { file: "a.ts", line: 3 } } as const;
  const own = hideInError(new DefinitionError([problem], { cause: "correct-horse" }), mask) as DefinitionError;
  assert.deepEqual(own.problems, [{ ...problem, message: "no ***" }]);
  assert.deepEqual([own.place, own.cause, own.name, own.code], [problem.place, "***", "DefinitionError", "RPS1013"]);
  assert.ok(!String(hideInError({ key: "correct-horse" }, mask)).includes("correct"));
});
