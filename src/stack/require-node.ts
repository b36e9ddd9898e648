/** Throws on a Node that is too old. Imported for that effect, before what would fail in a less telling way. */
import { UsageError } from "../error.ts";
import { complainAboutNode } from "./node-version.ts";

const complaint = complainAboutNode();
if (complaint !== undefined) throw new UsageError("RPS6005", complaint);
