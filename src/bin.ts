#!/usr/bin/env node
/** The command line's entry: checks Node, then loads the rest. */
// Whole modules, not names: an older Node lacks some names, and would refuse the file before it can say why.
import module from "node:module";
import process from "node:process";
import { complainAboutNode } from "./stack/node-version.ts";

const complaint = complainAboutNode();
if (complaint === undefined) {
  module.enableCompileCache();
  const { main } = await import("./cli/main.ts");
  process.exitCode = await main(process.argv.slice(2));
} else {
  process.stderr.write(`${complaint}\n`);
  process.exitCode = 1;
}
