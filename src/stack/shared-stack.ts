/** Stacks that stay open while the process lives, so that a script's second run, and outputs it loads later, open nothing again. */
import process from "node:process";
import { resolve } from "node:path";
import { openStack, type OpenStackOptions, type Stack } from "./stack.ts";

const open = new Map<string, Promise<Stack>>();

/** The stack for these options. It belongs to the process: do not dispose of it. */
export async function openSharedStack(options: OpenStackOptions = {}): Promise<Stack> {
  const cwd = resolve(options.cwd ?? process.cwd());
  const environment = [process.env["REPRISE_STORE"], process.env["REPRISE_STACK"]];
  const key = JSON.stringify([cwd, options.config, options.store, options.stack, options.purpose, ...environment]);
  let stack = open.get(key);
  if (stack === undefined) {
    stack = openStack({ ...options, cwd });
    open.set(key, stack);
    stack.then(
      // Where there was no store, there may be one the next time.
      ({ hasStore }) => hasStore || open.delete(key),
      () => open.delete(key),
    );
  }
  return await stack;
}
