#!/usr/bin/env node
/** The command line's entry: checks Node, then loads the rest. */
import { complainAboutNode } from "./stack/node-version.ts";

const complaint = complainAboutNode();
if (complaint === undefined) {
  process.getBuiltinModule("node:module").enableCompileCache();
  const { main } = await import("./cli/main.ts");
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write(`${complaint}\n`);
  process.exitCode = 1;
}
