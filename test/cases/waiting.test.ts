/** The cases that wait, each with its reason. */
import { test } from "node:test";
import { waiting } from "./waiting.ts";

for (const [name, reason] of Object.entries(waiting)) test(name, { skip: reason });
