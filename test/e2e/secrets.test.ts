/** Params marked secret: nowhere in the store, in an archive, or in what any command prints. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { digestValue } from "../../src/hash/canonical.ts";
import { makeProject, type Finished, type Project } from "../rig/project.ts";
import { listStoredBlobs } from "../rig/stored-blobs.ts";

const innerSource = `
import { pipeline, step } from "reprise";

export const call = step({
  name: "call",
  run: ({ token, question }: { token: string; question: string }, { log, metadata, tag }) => {
    console.log("asking with", token);
    console.error({ headers: { authorization: "Bearer " + token } });
    process.stdout.write(token.slice(0, 10));
    process.stdout.write(token.slice(10) + "\\n");
    log("asked", { token, url: "https://example.com/?t=" + encodeURIComponent(token) });
    metadata({ request: { token } });
    tag("by " + token);
    if (question === "break") {
      const cause = Object.assign(new Error("401 for " + token), { config: { token } });
      throw new Error("the key " + JSON.stringify(token) + " is refused", { cause });
    }
    return { answer: question.toUpperCase() };
  },
});
export const inner = pipeline({ name: "inner", build: ({ key }: { key: string }) => call({ token: key, question: "inner" }) });
`;

const source = `
import { pipeline, step } from "reprise";
import { z } from "zod";
import { call, inner } from "./inner.ts";

const door = step({
  name: "door",
  secrets: { key: "ignore" },
  run: ({ key }: { key: string }) => ({ open: key.length > 0 }),
});
const shout = step({
  name: "shout",
  run: ({ answer, header }: { answer: string; header: { name: string } }) => ({ text: answer + "!" + header.name.length }),
});
export const ask = pipeline({
  name: "ask",
  params: z.object({ apiKey: z.string().min(8).default("a key of the source"), question: z.string().default("who?") }),
  secrets: ["apiKey"],
  build({ apiKey, question }) {
    const { answer } = call({ token: apiKey, question });
    inner({ key: apiKey });
    door({ key: apiKey });
    return { answer, text: shout({ answer, header: { name: "Bearer " + apiKey } }).text };
  },
});
`;

const files = { "ask.ts": source, "inner.ts": innerSource };
let project: Project;
before(async () => {
  project = await makeProject(files);
});
after(async () => await project[Symbol.asyncDispose]());

/** What would give the secret away, or let it be guessed. */
function tracesOf(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret),
    bytes.toString("base64"),
    bytes.toString("hex"),
    createHash("sha256").update(secret).digest("hex"),
    digestValue(secret).slice("sha256:".length),
    ...secret.split("\n"),
  ];
}

async function assertNowhere(secrets: readonly string[], outputs: readonly Finished[]): Promise<void> {
  const traces = secrets.flatMap(tracesOf);
  for (const { stdout, stderr } of outputs) {
    for (const trace of traces) assert.ok(!stdout.includes(trace) && !stderr.includes(trace), `${stdout}${stderr}`);
  }
  let count = 0;
  for (const entry of await readdir(project.path, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (!entry.isFile() || path.includes("node_modules")) continue;
    const bytes = await readFile(path);
    count += 1;
    for (const trace of traces) assert.ok(!bytes.includes(trace), `${path} holds ${trace}`);
  }
  assert.ok(count > 10);
  // A row may lie in pieces in its file.
  const rows = listStoredBlobs(join(project.path, ".reprise"));
  assert.ok(rows.length > 0);
  for (const { digest, read } of rows) {
    for (const trace of traces) assert.ok(!read().includes(trace), `${digest} holds ${trace}`);
  }
}

test("a secret stands in no file of the store, in no archive, and in nothing that any command prints", async () => {
  const outputs: Finished[] = [];
  const secrets = [
    `sk-${randomBytes(24).toString("base64url")}`,
    `-----BEGIN "KEY"-----\n${randomBytes(48).toString("base64")}\n${randomBytes(48).toString("base64")}\n🔑 the end`,
    `long-${randomBytes(9000).toString("hex")}`,
  ];
  const reprise = async (args: readonly string[], code = 0, secret = secrets[0] as string): Promise<void> => {
    const finished = await project.reprise(args, { env: { API_KEY: secret } });
    assert.equal(finished.code, code, `${args.join(" ")}: ${finished.stdout}${finished.stderr}`);
    outputs.push(finished);
  };
  const key = ["--param-env", "apiKey=API_KEY"];
  for (const secret of secrets) {
    await reprise(["run", "ask.ts", ...key], 0, secret);
    await reprise(["run", "ask.ts", ...key, "--json", "--no-cache"], 0, secret);
    await reprise(["run", "ask.ts", ...key, "--reporter", "plain", "--question", "why?", "-v"], 0, secret);
    await reprise(["run", "ask.ts", ...key, "--question", "break"], 1, secret);
    await reprise(["run", "ask.ts", ...key, "--question", "break", "--json"], 1, secret);
    await reprise(["show", "last", "-v"]);
  }
  // Too short for its schema: the error says so, and not what was found.
  await reprise(["run", "ask.ts", "--param-env", "apiKey=API_KEY", "-p", "question=1", "-p", "apikey=2"], 2);
  await reprise(["run", "ask.ts", ...key]);
  await reprise(["plan", "ask.ts", ...key, "--json"]);
  await reprise(["verify", "last", ...key]);
  await reprise(["cache", "export", "-o", "results.tar"]);
  for (const words of [
    "show last",
    "show last call",
    "why call",
    "logs last",
    "runs",
    "diff last~1 last",
    "status",
    "versions ask",
    "artifacts",
    "get answer",
    "lineage last",
    "graph --run last",
    "cache ls",
    "cache why call",
    "cache stats",
    "pipelines",
    "doctor",
    "gc --older-than 1d -n",
  ]) {
    await reprise(words.split(" "));
    await reprise([...words.split(" "), "--json"]);
  }
  await reprise(["run", "ask.ts", "--help"]);
  assert.match(outputs.at(-1)?.stdout ?? "", /--apiKey.*\(secret\)/u);
  assert.doesNotMatch(outputs.at(-1)?.stdout ?? "", /a key of the source/u);
  await assertNowhere(secrets, outputs);
});

test("a secret comes from a variable, a file or standard input, and one in the command line is warned of", async () => {
  await project.write("key.txt", "the key of a file\n");
  const run = async (args: readonly string[], options = {}): Promise<Finished> => {
    const finished = await project.reprise(
      ["run", "ask.ts", "--reporter", "pretty", "--question", "how?", ...args],
      options,
    );
    assert.equal(finished.code, 0, finished.stdout + finished.stderr);
    return finished;
  };
  const first = await run(["--param-file", "apiKey=key.txt"]);
  assert.match(first.stdout, /apiKey=\*\*\*/u);
  const again = await run(["--param-file", "apiKey=-"], { input: "the key of a file\r\n" });
  assert.match(again.stdout, /4 cached/u);
  assert.match((await run(["--param-env", "apiKey=KEY"], { env: { KEY: "the key of a file" } })).stdout, /4 cached/u);
  assert.equal(first.stderr, "");
  const warned = await run(["--apiKey", "the key of a file"]);
  assert.match(warned.stdout, /4 cached/u);
  assert.match(warned.stderr, /"apiKey" is secret, and the shell remembers it/u);
  assert.equal((await run(["-q", "-p", "apiKey=the key of a file"])).stderr, "");
});

test("what cannot be read for a param is refused, without a word of what may be a secret", async () => {
  for (const [args, message] of [
    [["--param-env", "apiKey=sk-123456"], /variable that --param-env names for "apiKey" is not set/u],
    [["--param-file", "apiKey=sk-123456"], /file that --param-file names for "apiKey" is not there/u],
    [["--param-env", "sk-123456"], /--param-env takes a parameter's name/u],
    [["--param-env", "apikye=PATH"], /Did you mean "apiKey"/u],
    [["--param-env", "apiKey=PATH", "--apiKey", "sk-123456"], /"apiKey" is given twice/u],
  ] as const) {
    const { code, stdout, stderr } = await project.reprise(["run", "ask.ts", ...args]);
    assert.equal(code, 2);
    assert.match(stderr, message);
    assert.ok(!`${stdout}${stderr}`.includes("sk-123456"), stderr);
  }
});

test("what a secret is needed for says so: verify asks for it, status cannot tell", async () => {
  const secret = `sk-${randomBytes(12).toString("hex")}`;
  const options = { env: { KEY: secret } };
  assert.equal((await project.reprise(["run", "ask.ts", "--param-env", "apiKey=KEY"], options)).code, 0);
  const refused = await project.reprise(["verify", "last"]);
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /"apiKey" was not kept, as it is secret/u);
  assert.match(refused.stderr, /--param-env apiKey=VARIABLE/u);
  const verified = await project.reprise(["verify", "last", "--param-env", "apiKey=KEY"], options);
  assert.equal(verified.code, 0, verified.stdout);
  assert.match(verified.stdout, /4 steps equal/u);
  const other = await project.reprise(["verify", "last", "--param-env", "apiKey=KEY"], { env: { KEY: "another key" } });
  assert.match(other.stdout, /1 step equal, 3 not executed/u);
  const doubled = await project.reprise(["verify", "last", "-p", "question=x", "--param-env", "apiKey=KEY"], options);
  assert.match(doubled.stderr, /has its own value of parameter "question"/u);
  assert.match((await project.reprise(["status"])).stdout, /unknown[\s\S]*"apiKey" is secret, and was not kept/u);
});

test("a script that fails prints nothing of its secret, whatever the step threw", async () => {
  const secret = `sk-${randomBytes(12).toString("hex")}`;
  await project.write(
    "script.ts",
    'import { ask } from "./ask.ts";\nawait ask.run({ apiKey: process.env.KEY, question: "break" });\n',
  );
  const finished = await project.node(["script.ts"], { env: { KEY: secret } });
  assert.equal(finished.code, 1);
  assert.match(finished.stderr, /the key "\*\*\*" is refused/u);
  await assertNowhere([secret], [finished]);
});

test("a pipeline that a step runs keeps the secrets of the step, though it knows of none", async () => {
  const secret = `sk-${randomBytes(12).toString("hex")}`;
  await project.write(
    "outer.ts",
    `
import { pipeline, step } from "reprise";
import { inner } from "./inner.ts";
const play = step({
  name: "play",
  run: async ({ key }: { key: string }) => (await inner.run({ key }, { reporter: "plain" })).id,
});
export const outer = pipeline({ name: "outer", secrets: ["key"], build: ({ key }: { key: string }) => ({ id: play({ key }) }) });
`,
  );
  const finished = await project.reprise(["run", "outer.ts", "--param-env", "key=KEY"], { env: { KEY: secret } });
  assert.equal(finished.code, 0, finished.stdout + finished.stderr);
  const [run] = await project.json<{ run: { params: Record<string, { shown: string }> } }[]>([
    "runs",
    "pipeline:inner",
  ]);
  assert.equal(run?.run.params["key"]?.shown, "***");
  await assertNowhere([secret], [finished]);
});

test("what is named by a secret is not recorded: a file bars the reuse, a URL counts as asked with credentials", async () => {
  const secret = `sk-${randomBytes(12).toString("hex")}`;
  const server = createServer((_request, response) => response.setHeader("etag", '"1"').end("yes"));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  try {
    await project.write(
      "named.ts",
      `
import { existsSync } from "node:fs";
import { pipeline, step } from "reprise";
const look = step({ name: "look", run: ({ key }: { key: string }) => ({ found: existsSync("of-" + key) }) });
const get = step({
  name: "get",
  run: async ({ key }: { key: string }) => ({ text: await (await fetch("http://127.0.0.1:${port}/bot" + key + "/me?appid=" + key)).text() }),
});
export const named = pipeline({
  name: "named",
  secrets: ["key"],
  build: ({ key }: { key: string }) => ({ found: look({ key }).found, text: get({ key }).text }),
});
`,
    );
    const run = ["run", "named.ts", "--reporter", "pretty", "--param-env", "key=KEY"];
    const first = await project.reprise(run, { env: { KEY: secret } });
    assert.match(first.stdout, /its result will not be reused: it reads something that is named by a secret/u);
    const second = await project.reprise(run, { env: { KEY: secret } });
    assert.match(second.stdout, /get +cached/u);
    assert.match(second.stdout, /look +ran +.*named by a secret/u);
    const why = await project.reprise(["why", "get"]);
    assert.match(why.stdout, /gets http:\/\/127\.0\.0\.1:\d+\/bot\*\*\*\/me with credentials/u);
    await assertNowhere([secret], [first, second, why]);
  } finally {
    server.close();
  }
});

test("results with a secret that is ignored are reused in another store; with one that counts they are not", async () => {
  const elsewhere = await makeProject(files);
  try {
    const env = { KEY: "the key of two people" };
    const run = ["run", "ask.ts", "--reporter", "pretty", "--param-env", "apiKey=KEY"];
    assert.equal((await project.reprise(run, { env })).code, 0);
    assert.equal((await project.reprise(["cache", "export", "last", "-o", "two.tar"])).code, 0);
    assert.equal((await elsewhere.reprise(["cache", "import", join(project.path, "two.tar")])).code, 0);
    const { stdout } = await elsewhere.reprise(run, { env });
    assert.match(stdout, /door +cached/u);
    assert.match(stdout, /call +ran/u);
    assert.match(stdout, /1 cached, 3 ran/u);
    const key = await project.read(".reprise/secret-key");
    assert.ok(!(await project.read("two.tar")).includes(key));
    assert.notEqual(await elsewhere.read(".reprise/secret-key"), key);
  } finally {
    await elsewhere[Symbol.asyncDispose]();
  }
});
