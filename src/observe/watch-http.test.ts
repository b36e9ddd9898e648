import assert from "node:assert/strict";
import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, beforeEach, describe, it } from "node:test";
import { observeIn, readsOf } from "../../test/rig/observing.ts";
import { installWatchers } from "./install.ts";

installWatchers();

const root = realpathSync(mkdtempSync(join(tmpdir(), "reprise-http-")));
after(() => rmSync(root, { recursive: true, force: true }));
const { observe, checkOf, differencesOf } = observeIn(root);

describe("HTTP", () => {
  let server: http.Server;
  let base: string;
  let etag: string | undefined;
  let asked: string[];

  beforeEach(async () => {
    etag = '"1"';
    asked = [];
    server = http.createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers["if-none-match"] ?? "-"}`);
      if (request.url === "/moved") return response.writeHead(302, { location: "/thing" }).end();
      if (etag !== undefined) response.setHeader("etag", etag);
      if (etag !== undefined && request.headers["if-none-match"] === etag) return response.writeHead(304).end();
      return response.end("thing");
    });
    server.listen(0, "127.0.0.1");
    await new Promise((listening) => server.once("listening", listening));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });

  afterEach(() => {
    server.closeAllConnections();
    server.close();
  });

  const get = async (path: string): Promise<void> => void (await (await fetch(`${base}${path}`)).text());

  it("counts by the validator of what is answered, asked for with one conditional request", async () => {
    const observed = await observe(() => get("/thing?a=1"));
    assert.deepEqual(readsOf(observed), [`http ${base}/thing?a=1`]);
    asked = [];
    assert.deepEqual(await differencesOf(observed), []);
    assert.deepEqual(asked, ['GET /thing?a=1 "1"']);
    etag = '"2"';
    assert.deepEqual(await differencesOf(observed), [`http ${base}/thing?a=1`]);
  });

  it("sees node:http, and follows redirects step by step", async () => {
    const observed = await observe(async () => {
      await new Promise<void>((done) => http.get(`${base}/thing`, (response) => response.resume().on("end", done)));
      await get("/moved");
    });
    assert.deepEqual(readsOf(observed), [`http ${base}/moved`, `http ${base}/thing`]);
    assert.deepEqual(await differencesOf(observed), []);
  });

  it("is taken to hold when nobody answers, with a warning", async () => {
    const observed = await observe(() => get("/thing"));
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    const check = await checkOf(observed);
    assert.deepEqual(check?.differences, []);
    assert.match(check?.warnings[0] ?? "", /cannot be asked/u);
  });

  it("counts as unanswered where nobody answers, until somebody does", async () => {
    const { port } = server.address() as AddressInfo;
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
    for (const ask of [
      () => get("/thing").catch(() => undefined),
      () => new Promise<void>((done) => http.get(`${base}/thing`).on("error", () => done())),
    ]) {
      const observed = await observe(ask);
      assert.deepEqual(readsOf(observed), [`http ${base}/thing`]);
      assert.deepEqual(await differencesOf(observed), []);
      server.listen(port, "127.0.0.1");
      await new Promise((listening) => server.once("listening", listening));
      assert.deepEqual(await differencesOf(observed), [`http ${base}/thing`]);
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    }
  });

  it("goes by the answer where the question is repeated, and by none where the last one breaks off", async () => {
    let isCut = true;
    const cutting = http.createServer((_, response) => {
      response.writeHead(200, { etag: '"1"', "content-length": "10" }).write("12345");
      if (isCut) response.write("", () => response.destroy());
      else response.end("67890");
    });
    cutting.listen(0, "127.0.0.1");
    await new Promise((listening) => cutting.once("listening", listening));
    const url = `http://127.0.0.1:${(cutting.address() as AddressInfo).port}/thing`;
    const ask = async (): Promise<unknown> => await (await fetch(url)).text().catch(() => undefined);
    const broken = await observe(ask);
    const mended = await observe(async () => {
      await ask();
      isCut = false;
      await ask();
    });
    assert.deepEqual(await differencesOf(broken), [`http ${url}`]);
    assert.deepEqual(await differencesOf(mended), []);
    assert.deepEqual([broken.obstacle, mended.obstacle], [undefined, undefined]);
    cutting.closeAllConnections();
    cutting.close();
  });

  it("is told once where there is no validator, where it is no GET, and where it takes credentials", async () => {
    etag = undefined;
    const observed = await observe(async () => {
      await get("/thing");
      await get("/thing");
      await fetch(`${base}/x?api_key=hunter2`, { method: "POST", body: "x" });
      await fetch(`${base}/y?api_key=hunter2`);
    });
    assert.deepEqual([observed.trace, observed.obstacle], [undefined, undefined]);
    assert.equal(observed.notices.length, 3);
    assert.ok(!JSON.stringify(observed).includes("hunter2"));
  });

  it("holds for its ttl without being asked, and not at all by the policy to ignore it", async () => {
    const fresh = await observe(() => get("/thing"), { http: { ttlMs: 60_000 } });
    const stale = await observe(() => get("/thing"), { http: { ttlMs: 0 } });
    const ignored = await observe(() => get("/thing"), { http: "ignore" });
    asked = [];
    assert.deepEqual(await differencesOf(fresh), []);
    assert.deepEqual(await differencesOf(stale), [`http ${base}/thing`]);
    assert.deepEqual(asked, []);
    assert.equal(ignored.trace, undefined);
  });

  it("is asked for at once where it is declared, by its body where it has no validator", async () => {
    etag = undefined;
    const observed = await observe(() => {}, { declared: [{ kind: "http", name: `${base}/thing` }] });
    assert.deepEqual(await differencesOf(observed), []);
  });
});
