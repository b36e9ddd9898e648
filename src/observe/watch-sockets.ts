/** Watches who is talked to in other ways than HTTP: sockets, as drivers of databases use them, HTTP/2, and the names of hosts. */
import { channel } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import process from "node:process";
import { currentRecording, insideNode } from "./current.ts";
import { hostAndPort } from "./http-resource.ts";
import type { Recording } from "./recording.ts";
import { watchWhenAsked } from "./when-asked.ts";
import { handledFrames, isCalledByNode, replace, replaceInSteps, watchCall, type Holder } from "./wrap.ts";

/** Whom a socket is connected to, whoever connected it: a step that writes to one that was open before talks to them too. */
const peers = new WeakMap<object, string>();

export function watchSockets(): void {
  watchWhenAsked("net", watchConnections);
  for (const name of ["dns", "dns/promises"]) watchWhenAsked(name, watchNames, "never");
  watchWhenAsked("dgram", watchPackets, "never");
  // A session may be older than the step.
  channel("http2.client.stream.created").subscribe((message) => {
    const { headers } = message as { readonly headers: Readonly<Record<string, unknown>> };
    const url = `${String(headers[":scheme"] ?? "https")}://${String(headers[":authority"] ?? headers["host"])}`;
    if (URL.canParse(url)) tell(currentRecording(), hostAndPort(new URL(url)));
  });
}

function watchConnections(): void {
  const holder = process.getBuiltinModule("node:net").Socket.prototype as unknown as Holder;
  replace(
    holder,
    "connect",
    (original) =>
      function (this: unknown, ...args) {
        const peer = toPeer(args);
        if (peer !== undefined) peers.set(this as object, peer);
        tell(currentRecording(), peer);
        return original.apply(this, args);
      },
  );
  replace(
    holder,
    "write",
    (original) =>
      function (this: unknown, ...args) {
        const recording = currentRecording();
        if (recording !== undefined) tell(recording, peerOf(this as Socket));
        return original.apply(this, args);
      },
  );
}

function tell(recording: Recording | undefined, peer: string | undefined): void {
  if (recording !== undefined && peer !== undefined) insideNode(() => recording.talked(peer));
}

/** From the arguments of `connect`: options, a port and a host, a path, or what Node has made of them, in a list. */
function toPeer([first, second]: readonly unknown[]): string | undefined {
  if (Array.isArray(first)) return toPeer(first);
  if (typeof first === "object" && first !== null) {
    const { path, port, host } = first as { readonly path?: unknown; readonly port?: unknown; readonly host?: unknown };
    return typeof path === "string" ? path : join(host, port);
  }
  return typeof first === "string" && !/^\d+$/u.test(first) ? first : join(second, first);
}

function join(host: unknown, port: unknown): string | undefined {
  if (typeof port !== "number" && typeof port !== "string") return undefined;
  const name = typeof host === "string" && host !== "" ? host : "localhost";
  return `${name.includes(":") ? `[${name}]` : name}:${port}`;
}

interface Inner {
  /** The socket below one of TLS. */
  readonly _parent?: object | null;
  /** The name that it was connected by. */
  readonly _host?: string | null;
  /** Who listens, on the side of a server: there others talk to the step. */
  readonly server?: unknown;
}

function peerOf(socket: Socket & Inner): string | undefined {
  const known = peers.get(socket) ?? peers.get(socket._parent ?? socket);
  if (known !== undefined || (socket.server !== undefined && socket.server !== null)) return known;
  const { remoteAddress, remotePort } = socket;
  return remoteAddress === undefined ? undefined : join(socket._host ?? remoteAddress, remotePort);
}

const nameQuestions = ["lookup", "lookupService", "reverse", "resolve"];
const nameRecords = ["4", "6", "Any", "Caa", "Cname", "Mx", "Naptr", "Ns", "Ptr", "Soa", "Srv", "Tlsa", "Txt"];

let areNamesWatched = false;

/** Watches questions for the addresses of hosts. */
function watchNames(): void {
  if (areNamesWatched) return;
  areNamesWatched = true;
  const dns = process.getBuiltinModule("node:dns");
  const { promises } = dns;
  const holders = [dns, promises, dns.Resolver.prototype, promises.Resolver.prototype] as unknown as Holder[];
  for (const holder of holders) {
    for (const name of [...nameQuestions, ...nameRecords.map((each) => `resolve${each}`)]) {
      // Node's own functions look up whom they connect to, which is told.
      replaceInSteps(holder, name, ({ recording, original, self, args }) => {
        if (!isCalledByNode(handledFrames)) {
          insideNode(() =>
            recording.notice("network", `looks up ${String(args[0])}, and what is answered is not seen`),
          );
        }
        return original.apply(self, args);
      });
    }
  }
}

function watchPackets(): void {
  const dgram = process.getBuiltinModule("node:dgram");
  watchCall(dgram.Socket.prototype as unknown as Holder, "send", (recording) => {
    recording.notice("network", "sends packets, and what is answered is not seen");
  });
}
