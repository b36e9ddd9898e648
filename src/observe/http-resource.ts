/** What a URL answers: its status and validator, and whether that still holds. RFC 9110, sections 8.8 and 13. */
import { digestBytes } from "../hash/digest.ts";

export interface Answer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

const clock = Date.now;
const waitMs = 10_000;

/**
 * The text that an answer is compared by: `200 etag "a1"`, `200 modified Tue, …`, `404`, `302 to /there`. Undefined when
 * it carries nothing by which another answer could be told from it.
 */
export function showAnswer({ status, headers }: Answer): string | undefined {
  const location = headers.get("location");
  if (status >= 300 && status < 400 && location !== undefined) return `${status} to ${location}`;
  if (status >= 400) return String(status);
  const etag = headers.get("etag");
  if (etag !== undefined) return `${status} etag ${etag}`;
  const modified = headers.get("last-modified");
  return modified === undefined ? undefined : `${status} modified ${modified}`;
}

/** A found text that holds for a while, whatever the answer is. */
export function showFresh(untilMs: number): string {
  return `fresh until ${new Date(untilMs).toISOString()}`;
}

/** What is found where nobody answers. */
export const noAnswer = "no answer";

export type ResourceState =
  | { readonly kind: "same" }
  | { readonly kind: "other"; readonly now: string }
  /** Nobody answers, or the server is out of order. */
  | { readonly kind: "silent"; readonly why: string };

/** Asks whether a URL still answers what was found, with one conditional request. */
export async function revalidate(url: string, found: string): Promise<ResourceState> {
  const fresh = /^fresh until (.+)$/u.exec(found)?.[1];
  if (fresh !== undefined) {
    return clock() < Date.parse(fresh) ? { kind: "same" } : { kind: "other", now: "older than its ttl" };
  }
  const headers: Record<string, string> = {};
  const etag = /^\d+ etag (.+)$/u.exec(found)?.[1];
  const modified = /^\d+ modified (.+)$/u.exec(found)?.[1];
  if (etag !== undefined) headers["if-none-match"] = etag;
  if (modified !== undefined) headers["if-modified-since"] = modified;
  try {
    const response = await fetch(url, { headers, redirect: "manual", signal: AbortSignal.timeout(waitMs) });
    if (found === noAnswer) {
      await response.body?.cancel();
      return { kind: "other", now: String(response.status) };
    }
    const isBody = found.includes(" body ");
    const bytes = isBody && response.ok ? new Uint8Array(await response.arrayBuffer()) : undefined;
    if (bytes === undefined) await response.body?.cancel();
    if (response.status === 304 && (etag ?? modified) !== undefined) return { kind: "same" };
    if (response.status >= 500 && !found.startsWith("5")) return { kind: "silent", why: `answers ${response.status}` };
    const now =
      bytes === undefined
        ? showAnswer({ status: response.status, headers: new Map(response.headers) })
        : showBody(response.status, bytes);
    if (now !== undefined && comparable(now) === comparable(found)) return { kind: "same" };
    return { kind: "other", now: now ?? `${response.status}` };
  } catch (error) {
    if (found === noAnswer) return { kind: "same" };
    const { cause = error } = error as Error;
    return { kind: "silent", why: `cannot be asked (${(cause as Error).message})` };
  }
}

/** What a declared URL answers: its validator, or where it has none the digest of its body. Undefined when nobody answers. */
export async function inquire(url: string): Promise<string | undefined> {
  try {
    const response = await fetch(url, { redirect: "manual", signal: AbortSignal.timeout(waitMs) });
    const shown = showAnswer({ status: response.status, headers: new Map(response.headers) });
    if (shown !== undefined) {
      await response.body?.cancel();
      return shown;
    }
    return showBody(response.status, new Uint8Array(await response.arrayBuffer()));
  } catch {
    return undefined;
  }
}

/** Tells whether a request says who asks: what it is answered cannot be asked for again without that. */
export function hasCredentials(url: URL, headerNames: Iterable<string>): boolean {
  if (url.username !== "" || url.password !== "") return true;
  for (const name of url.searchParams.keys()) if (secretName.test(name)) return true;
  for (const name of headerNames) if (secretHeader.test(name)) return true;
  return false;
}

/** Whom a URL asks. */
export function hostAndPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port === "" ? (protocol === "http:" ? 80 : 443) : port}`;
}

const secretName = /key|token|secret|passw|signature|^sig$|auth|credential/iu;
const secretHeader = /^(?:authorization|cookie|proxy-authorization)$|key|token|secret|auth/iu;

function showBody(status: number, bytes: Uint8Array): string {
  return `${status} body ${digestBytes(bytes)}`;
}

/** Weak comparison: a proxy that compresses turns a strong tag into a weak one. */
function comparable(found: string): string {
  return found.replace(" etag W/", " etag ");
}
