/** Watches requests over HTTP: those of `fetch` and undici, and those of `http` and `https`. */
import { channel } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";
import { currentRecording, insideNode } from "./current.ts";
import type { Recording } from "./recording.ts";

interface UndiciRequest {
  readonly origin?: unknown;
  readonly path?: unknown;
  readonly method?: unknown;
  /** Names and values in turns. */
  readonly headers?: unknown;
}

export function watchHttp(): void {
  const asked = new WeakMap<object, Recording>();
  const answered = new WeakSet<object>();
  const remember = (message: unknown): void => {
    const recording = currentRecording();
    if (recording !== undefined) asked.set((message as { request: object }).request, recording);
  };
  channel("undici:request:create").subscribe(remember);
  channel("undici:request:headers").subscribe((message) => {
    const { request, response } = message as {
      request: UndiciRequest;
      response: { readonly statusCode: number; readonly headers: readonly (Uint8Array | string)[] };
    };
    const recording = asked.get(request);
    const url = toUrl(`${String(request.origin)}${String(request.path)}`);
    if (recording === undefined || recording.isClosed || url === undefined) return;
    answered.add(request);
    const headers = new Map<string, string>();
    for (let at = 0; at + 1 < response.headers.length; at += 2) {
      headers.set(toText(response.headers[at]).toLowerCase(), toText(response.headers[at + 1]));
    }
    const answer = { status: response.statusCode, headers };
    insideNode(() => recording.answered(String(request.method ?? "GET"), url, namesOf(request.headers), answer));
  });
  channel("undici:request:error").subscribe((message) => {
    const { request, error } = message as { request: UndiciRequest; error: Error };
    const recording = asked.get(request);
    const url = toUrl(`${String(request.origin)}${String(request.path)}`);
    if (recording === undefined || recording.isClosed || url === undefined) return;
    // Who has seen enough of an answer aborts the rest.
    if (answered.has(request) && error.name === "AbortError") return;
    insideNode(() => recording.unanswered(String(request.method ?? "GET"), url, namesOf(request.headers)));
  });
  channel("http.client.request.created").subscribe(remember);
  channel("http.client.request.error").subscribe((message) => {
    const { request } = message as { request: ClientRequest };
    const recording = asked.get(request);
    const url = urlOf(request);
    if (recording === undefined || recording.isClosed || url === undefined || answered.has(request)) return;
    insideNode(() => recording.unanswered(request.method, url, request.getHeaderNames()));
  });
  channel("http.client.response.finish").subscribe((message) => {
    const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
    const recording = asked.get(request);
    const url = urlOf(request);
    if (recording === undefined || recording.isClosed || url === undefined) return;
    answered.add(request);
    const headers = new Map<string, string>();
    for (const [name, value] of Object.entries(response.headers)) {
      if (value !== undefined) headers.set(name, [value].flat().join(", "));
    }
    const answer = { status: response.statusCode ?? 0, headers };
    insideNode(() => recording.answered(request.method, url, request.getHeaderNames(), answer));
  });
}

/** Undefined for a socket in the file system, which is told: whom it leads to, no URL says. */
function urlOf(request: ClientRequest): URL | undefined {
  if (typeof (request as { readonly socketPath?: unknown }).socketPath === "string") return undefined;
  return toUrl(`${request.protocol}//${request.getHeader("host")?.toString() ?? request.host}${request.path}`);
}

function namesOf(headers: unknown): readonly string[] {
  if (Array.isArray(headers)) return headers.filter((_, index) => index % 2 === 0).map(String);
  return typeof headers === "string" ? headers.split("\r\n").map((line) => line.split(":")[0] as string) : [];
}

function toText(value: Uint8Array | string | undefined): string {
  return typeof value === "string" ? value : Buffer.from(value ?? []).toString("latin1");
}

function toUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
