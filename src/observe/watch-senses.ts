/** Watches what is different each time: the clock, randomness, the machine. It is told, and decides nothing. */
import fs from "node:fs";
import os from "node:os";
import process from "node:process";
import type { Notice } from "../record/trace.ts";
import { currentRecording, insideNode } from "./current.ts";
import type { Recording } from "./recording.ts";
import { isCalledByNode, replace, watchCall, watchSense, type Holder } from "./wrap.ts";

export function watchSenses(): void {
  const crypto = process.getBuiltinModule("node:crypto");
  const clock = { kind: "clock", text: "reads the clock" } as const;
  const random = { kind: "random", text: "draws random numbers" } as const;
  const host = { kind: "host", text: "asks about the machine" } as const;
  const locale = { kind: "locale", text: "depends on the locale or the time zone" } as const;
  watchSense(Date as unknown as Holder, "now", clock);
  watchSense(performance as unknown as Holder, "now", clock);
  watchSense(process.hrtime as unknown as Holder, "bigint", clock);
  watchSense(process as unknown as Holder, "hrtime", clock);
  watchSense(process as unknown as Holder, "uptime", clock);
  watchSense(Math as unknown as Holder, "random", random);
  for (const name of ["randomUUID", "randomBytes", "randomInt", "randomFill", "randomFillSync", "getRandomValues"]) {
    watchSense(crypto as unknown as Holder, name, random);
  }
  const web = Object.getPrototypeOf(globalThis.crypto) as Holder;
  for (const name of ["randomUUID", "getRandomValues"]) watchSense(web, name, random);
  for (const name of [
    "hostname",
    "userInfo",
    "homedir",
    "networkInterfaces",
    "cpus",
    "totalmem",
    "freemem",
    "loadavg",
  ]) {
    watchSense(os as unknown as Holder, name, host);
  }
  for (const name of ["statfs", "statfsSync"]) watchSense(fs as unknown as Holder, name, host);
  watchSense(fs.promises as unknown as Holder, "statfs", host);
  for (const name of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString", "getHours", "getTimezoneOffset"]) {
    watchSense(Date.prototype as unknown as Holder, name, locale);
  }
  watchSense(Number.prototype as unknown as Holder, "toLocaleString", locale);
  watchDate(clock);
}

/** Where the process stands, and the folder for temporary files. */
export function watchFolders(): void {
  watchCall(process as unknown as Holder, "cwd", (recording) => {
    recording.folder();
    if (!recording.hasNotice("folder")) recording.notice("folder", "asks for the current folder");
  });
  // It is where scratch files are put; its place is no input.
  replace(
    os as unknown as Holder,
    "tmpdir",
    (original) =>
      function (this: unknown, ...args) {
        return insideNode(() => original.apply(this, args));
      },
  );
}

/** `new Date()` reads the clock, `new Date(0)` does not. */
function watchDate({ kind, text }: Pick<Notice, "kind" | "text">): void {
  const asking = (): Recording | undefined => {
    const recording = currentRecording();
    return recording === undefined || recording.hasNotice(kind) ? undefined : recording;
  };
  const note = (recording: Recording): void => insideNode(() => recording.notice(kind, text));
  const RealDate = Date;
  const Watched: DateConstructor = new Proxy(RealDate, {
    construct(target, args: unknown[], newTarget): object {
      const recording = args.length === 0 ? asking() : undefined;
      if (recording !== undefined && !isCalledByNode()) note(recording);
      return Reflect.construct(target, args, newTarget === Watched ? target : newTarget) as object;
    },
    apply(target, self, args: unknown[]) {
      const recording = asking();
      if (recording !== undefined && !isCalledByNode()) note(recording);
      return Reflect.apply(target, self, args) as unknown;
    },
  });
  RealDate.prototype.constructor = Watched;
  globalThis.Date = Watched;
}
