/** An archive from a stranger: what its results say that they have read is looked at only where the user allows it. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeProject, type Project } from "../rig/project.ts";

const source = `
import { readFileSync } from "node:fs";
import { pipeline, step } from "reprise";
const inside = step({ name: "inside", run: () => ({ text: readFileSync("inside.txt", "utf8") }) });
const file = step({ name: "file", run: () => ({ text: readFileSync(process.env.OUTSIDE!, "utf8") }) });
const page = step({ name: "page", run: async () => ({ text: await (await fetch(process.env.PAGE!)).text() }) });
export const reading = pipeline({ name: "reading", build: () => ({ a: inside().text, b: file().text, c: page().text }) });
`;

interface Report {
  readonly applied: boolean;
  readonly added: readonly { readonly step: string }[];
  readonly skipped: readonly { readonly step: string; readonly why: string }[];
  readonly outside: { readonly hosts: readonly string[]; readonly paths: readonly string[] };
}

async function openPage(): Promise<{ readonly host: string; readonly requests: string[] } & AsyncDisposable> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(request.method ?? "");
    const isKnown = request.headers["if-none-match"] === '"1"';
    response.writeHead(isKnown ? 304 : 200, { etag: '"1"' }).end(isKnown ? undefined : "the page");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const close = async (): Promise<void> => void (server.closeAllConnections(), server.close());
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, requests, [Symbol.asyncDispose]: close };
}

async function statusesOf(project: Project, env: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const { code, stderr, stdout } = await project.reprise(["run", "reading"], { env });
  assert.equal(code, 0, stdout + stderr);
  const { steps } = await project.json<{ steps: { stepRun: { step: string; status: string } }[] }>(["show", "last"]);
  return steps.map(({ stepRun }) => `${stepRun.step} ${stepRun.status}`);
}

test("results that read outside of the project stay away until the host or the path is allowed, and ask nobody till then", async () => {
  await using page = await openPage();
  const elsewhere = await mkdtemp(join(tmpdir(), "reprise-elsewhere-"));
  const files = { "reading.pipeline.ts": source, "inside.txt": "inside" };
  await using here = await makeProject(files);
  await using there = await makeProject(files);
  try {
    const outside = join(elsewhere, "outside.txt");
    await writeFile(outside, "outside");
    const env = { OUTSIDE: outside, PAGE: `http://${page.host}/` };
    await here.reprise(["run", "reading"], { env });
    const file = join(here.path, "results.tar");
    assert.equal((await here.reprise(["cache", "export", "-o", file])).code, 0);
    page.requests.length = 0;

    const first = await there.json<Report>(["cache", "import", file]);
    assert.deepEqual(
      first.added.map((each) => each.step),
      ["inside"],
    );
    assert.deepEqual(first.skipped.map((each) => `${each.step} ${each.why}`).toSorted(), [
      "file reads-outside",
      "page reads-outside",
    ]);
    assert.deepEqual(first.outside, { hosts: [page.host], paths: [outside] });
    const told = await there.reprise(["cache", "import", file]);
    assert.match(told.stdout, /2 results stay away, as they read outside of the project/u);
    assert.match(told.stdout, new RegExp(`--allow-host ${page.host}\n.*--allow-path ${outside}\n`, "u"));
    // Neither the look-up nor anybody else asks.
    assert.notEqual((await there.reprise(["cache", "why", "page"], { env })).code, 0);
    assert.deepEqual(page.requests, []);

    const wrong = await there.reprise(["cache", "import", file, "--allow-host", `http://${page.host}/`]);
    assert.match(wrong.stderr, /RPS6001.*is no host/u);
    const allow = ["--allow-host", page.host, "--allow-path", elsewhere];
    const second = await there.json<Report>(["cache", "import", file, ...allow]);
    assert.deepEqual(second.added.map((each) => each.step).toSorted(), ["file", "page"]);
    assert.deepEqual(second.outside, { hosts: [], paths: [] });
    assert.deepEqual(await statusesOf(there, env), ["inside cached", "file cached", "page cached"]);
    assert.deepEqual(page.requests, ["GET"]);
  } finally {
    await rm(elsewhere, { recursive: true, force: true });
  }
});

test("the file that an imported run says it is from is not loaded", async () => {
  const files = { "reading.pipeline.ts": source, "inside.txt": "inside" };
  await using here = await makeProject({ ...files, "tools/deploy.ts": source });
  await using there = await makeProject({ "tools/deploy.ts": `console.error("deployed");\nexport {};\n` });
  const env = { OUTSIDE: "inside.txt", PAGE: "data:text/plain,page" };
  await here.reprise(["run", "tools/deploy.ts"], { env });
  const file = join(here.path, "results.tar");
  assert.equal((await here.reprise(["cache", "export", "-o", file])).code, 0);
  const report = await there.json<Report>(["cache", "import", file]);
  assert.ok(report.applied && report.added.some(({ step }) => step === "inside"), JSON.stringify(report));
  const [run] = await there.json<{ run: { id: string; file?: string } }[]>(["runs"]);
  assert.equal(run?.run.file, "tools/deploy.ts");
  for (const command of [["pipelines"], ["run", "reading"], ["verify", run.run.id]]) {
    const { stdout, stderr } = await there.reprise(command, { env });
    assert.doesNotMatch(stdout + stderr, /deployed/u, command.join(" "));
  }
});
