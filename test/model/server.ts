/** The server that the steps of a project ask: real, on this machine, one a process. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Project, Resource } from "./project.ts";

export class ResourceServer implements AsyncDisposable {
  readonly #server = createServer((request, response) => this.#answer(request, response));
  #project: Pick<Project, "resources" | "offline"> = { resources: {}, offline: true };

  static async open(): Promise<ResourceServer> {
    const server = new ResourceServer();
    const listening = Promise.withResolvers<void>();
    server.#server.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    return server;
  }

  private constructor() {
    // Who is offline hangs up, so that nobody else gets the port meanwhile.
    this.#server.on("connection", (socket) => {
      if (this.#project.offline) socket.destroy();
    });
    this.#server.unref();
  }

  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** From now on answers are those of this project. */
  serve({ resources, offline }: Project): void {
    this.#project = { resources: structuredClone(resources), offline };
  }

  #answer({ url = "", headers }: IncomingMessage, response: ServerResponse): void {
    const resource = this.#project.resources[url];
    // A connection each: none is left open to somebody who goes offline.
    response.shouldKeepAlive = false;
    if (resource === undefined) return void response.writeHead(404).end();
    const { movedTo, status, text } = resource;
    if (movedTo !== undefined) return void response.writeHead(302, { location: movedTo }).end();
    if (status !== 200) return void response.writeHead(status).end("there is something wrong");
    const { etag, modified } = validatorsOf(resource);
    if (etag !== undefined) response.setHeader("etag", etag);
    if (modified !== undefined) response.setHeader("last-modified", modified);
    const isKnown =
      (etag !== undefined && headers["if-none-match"] === etag) ||
      (modified !== undefined && headers["if-modified-since"] === modified);
    if (isKnown) response.writeHead(304).end();
    else response.end(text);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = Promise.withResolvers<void>();
    this.#server.close(() => closed.resolve());
    this.#server.closeAllConnections();
    await closed.promise;
  }
}

function validatorsOf({ validator, tag }: Resource): { readonly etag?: string; readonly modified?: string } {
  if (validator === "etag") return { etag: `"${tag}"` };
  if (validator === "modified") return { modified: new Date(Date.UTC(2026, 0, 1) + tag * 1000).toUTCString() };
  return {};
}
