/** Folders that refuse: for reading only, or of a size. Root is refused nothing by modes, so that it takes mounts. */
import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";

const isRoot = process.getuid?.() === 0;

/** Why folders cannot be made read-only here; false where they can. */
export const noReadOnly: string | false = process.platform === "win32" ? "modes of folders mean nothing here" : false;
/** Why no file system of a size can be mounted here; false where one can. */
export const noSmallDisk: string | false =
  isRoot && process.platform === "linux" && canMount() ? false : "mounting a small disk needs root on Linux";

/** Until it is disposed of, nothing in the folder can be written. */
export function makeReadOnly(folder: string): Disposable {
  if (isRoot) {
    execFileSync("mount", ["--bind", folder, folder]);
    execFileSync("mount", ["-o", "remount,ro,bind", folder]);
    return { [Symbol.dispose]: () => void execFileSync("umount", ["-l", folder]) };
  }
  const change = (add: number, remove: number): void => {
    for (const path of [folder, ...everythingIn(folder)]) chmodSync(path, (statSync(path).mode | add) & ~remove);
  };
  change(0, 0o222);
  return { [Symbol.dispose]: () => change(0o200, 0) };
}

/** A new file system in memory, mounted at the folder. */
export function mountSmallDisk(folder: string, bytes: number): Disposable {
  mkdirSync(folder, { recursive: true });
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", folder]);
  return { [Symbol.dispose]: () => void execFileSync("umount", ["-l", folder]) };
}

/** Gives a small disk another size. */
export function resizeDisk(folder: string, bytes: number): void {
  execFileSync("mount", ["-o", `remount,size=${bytes}`, folder]);
}

function canMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "true"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function everythingIn(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).map((name) => join(folder, name));
}
