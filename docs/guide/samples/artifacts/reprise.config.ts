import { defineConfig } from "reprise";
import { histogram } from "./histogram.ts";

export default defineConfig({ materializers: [histogram] });
