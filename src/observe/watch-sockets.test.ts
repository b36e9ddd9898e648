import assert from "node:assert/strict";
import { createSocket } from "node:dgram";
import dns from "node:dns";
import { once } from "node:events";
import fs from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import net, { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import tls from "node:tls";
import { observeIn, toldOf, type Observing } from "../../test/rig/observing.ts";
import { installWatchers } from "./install.ts";

installWatchers();

let root: string;
let observe: Observing["observe"];
/** What ends with a test, last first. */
let ends: (() => unknown)[];

beforeEach(() => {
  root = fs.realpathSync(fs.mkdtempSync(join(tmpdir(), "reprise-sockets-")));
  ({ observe } = observeIn(root));
  ends = [];
});

afterEach(() => {
  for (const end of ends.toReversed()) end();
  fs.rmSync(root, { recursive: true, force: true });
});

async function listen(server: net.Server, where: { port: 0; host: string } | { path: string }): Promise<string> {
  server.listen(where);
  ends.push(() => server.close());
  await once(server, "listening");
  const address = server.address() as AddressInfo | string;
  return typeof address === "string" ? address : `127.0.0.1:${address.port}`;
}

const here = { port: 0, host: "127.0.0.1" } as const;

/** Answers each question with the same again, as a database would with rows. */
function echo(): net.Server {
  return net.createServer((socket) => {
    ends.push(() => socket.destroy());
    socket.on("error", () => {}).pipe(socket);
  });
}

async function ask(socket: net.Socket): Promise<void> {
  ends.push(() => socket.destroy());
  socket.write("select 1");
  await once(socket, "data");
}

const portOf = (peer: string): number => Number(peer.split(":").at(-1));

describe("a step that talks to a database", () => {
  it("is told so once, whatever way it connects, and may be reused", async () => {
    const peer = await listen(echo(), here);
    const observed = await observe(async () => {
      await ask(net.connect(portOf(peer), "127.0.0.1"));
      await ask(net.createConnection({ port: portOf(peer), host: "127.0.0.1" }));
      await ask(new net.Socket().connect({ port: portOf(peer), host: "127.0.0.1" }));
    });
    assert.deepEqual(toldOf(observed), [`talks to ${peer}, and what is answered is not seen`]);
    assert.deepEqual([observed.trace, observed.obstacle], [undefined, undefined]);
  });

  it("is told so by a connection of a pool that was open before", async () => {
    const peer = await listen(echo(), here);
    const socket = net.connect(portOf(peer), "127.0.0.1");
    await ask(socket);
    assert.deepEqual(toldOf(await observe(() => ask(socket))), [`talks to ${peer}, and what is answered is not seen`]);
  });

  it("is told so by a socket in the file system", async () => {
    const path = await listen(echo(), { path: join(root, "socket") });
    const observed = await observe(() => ask(net.connect(path)));
    assert.deepEqual(toldOf(observed), [`talks to ${path}, and what is answered is not seen`]);
  });

  it("is told so when nobody answers", async () => {
    const server = net.createServer();
    const peer = await listen(server, here);
    server.close();
    const observed = await observe(async () => {
      await assert.rejects(once(net.connect(portOf(peer), "127.0.0.1"), "connect"), /ECONNREFUSED/u);
    });
    assert.deepEqual(toldOf(observed), [`talks to ${peer}, and what is answered is not seen`]);
    // Asked by HTTP, they can be asked again.
    const asked = await observe(async () => await assert.rejects(fetch(`http://${peer}`)));
    assert.deepEqual(toldOf(asked), []);
    assert.deepEqual(asked.trace?.content.reads, [{ kind: "http", name: `http://${peer}/`, found: "no answer" }]);
  });

  it("is told so once when the connection is encrypted on the way", async () => {
    const peer = await listen(echo(), here);
    const observed = await observe(async () => {
      const socket = net.connect(portOf(peer), "localhost");
      await ask(socket);
      const secured = tls.connect({ socket });
      ends.push(() => secured.destroy());
      secured.write("select 1");
      await once(secured, "error");
    });
    assert.deepEqual(toldOf(observed), [`talks to localhost:${portOf(peer)}, and what is answered is not seen`]);
  });

  it("is not told so for what it serves itself", async () => {
    const { promise: served, resolve: isServed } = Promise.withResolvers<string>();
    const serving = observe(async () => {
      const server = net.createServer((socket) => {
        socket.write("hello");
        socket.end();
      });
      isServed(await listen(server, here));
      await once(server, "connection");
    });
    const client = net.connect(portOf(await served), "127.0.0.1");
    ends.push(() => client.destroy());
    await once(client, "data");
    assert.deepEqual(toldOf(await serving), []);
  });
});

describe("HTTP", () => {
  it("is not told a second time by its sockets, new ones and those that are kept", async () => {
    const server = http.createServer((_, response) => response.setHeader("etag", '"1"').end("thing"));
    const peer = await listen(server, here);
    ends.push(() => server.closeAllConnections());
    const agent = new http.Agent({ keepAlive: true });
    ends.push(() => agent.destroy());
    for (let round = 0; round < 2; round += 1) {
      const observed = await observe(async () => {
        await (await fetch(`http://${peer}/a`)).text();
        await new Promise((done) =>
          http.get(`http://${peer}/b`, { agent }, (response) => response.resume().on("end", done)),
        );
      });
      assert.deepEqual(toldOf(observed), []);
      assert.equal(observed.trace?.content.reads.length, 2);
    }
  });

  it("over a socket in the file system is told by the socket, and asked for by no URL", async () => {
    const server = http.createServer((_, response) => response.setHeader("etag", '"1"').end("thing"));
    const socketPath = await listen(server, { path: join(root, "socket") });
    ends.push(() => server.closeAllConnections());
    const observed = await observe(
      () => new Promise((done) => http.get({ socketPath, path: "/" }, (response) => response.resume().on("end", done))),
    );
    assert.deepEqual(toldOf(observed), [`talks to ${socketPath}, and what is answered is not seen`]);
    assert.equal(observed.trace, undefined);
  });

  it("of version 2 is told, in a session that was open before too", async () => {
    const server = http2.createServer((_, response) => response.end("thing"));
    const peer = await listen(server as unknown as net.Server, here);
    const session = http2.connect(`http://${peer}`);
    ends.push(() => session.destroy());
    await once(session, "connect");
    const observed = await observe(async () => {
      const request = session.request({ ":path": "/" });
      request.resume();
      await once(request, "end");
    });
    assert.deepEqual(toldOf(observed), [`talks to ${peer}, and what is answered is not seen`]);
  });
});

describe("a step that looks a host up", () => {
  it("is told so", async () => {
    const observed = await observe(async () => {
      await dns.promises.lookup("localhost");
      await new Promise((done) => dns.lookup("localhost", done));
      await assert.rejects(new dns.promises.Resolver({ timeout: 1, tries: 1 }).resolve4("x".repeat(300)));
    });
    assert.deepEqual(toldOf(observed), [
      "looks up localhost, and what is answered is not seen",
      `looks up ${"x".repeat(300)}, and what is answered is not seen`,
    ]);
  });
});

describe("a step that sends packets", () => {
  it("is told so", async () => {
    const observed = await observe(async () => {
      const socket = createSocket("udp4");
      await new Promise((done) => socket.send("x", 9, "127.0.0.1", done));
      socket.close();
    });
    assert.deepEqual(toldOf(observed), ["sends packets, and what is answered is not seen"]);
  });
});
