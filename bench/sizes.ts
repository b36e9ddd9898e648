/** How large the large artifacts are: by default so that all rows end in minutes. */
import process from "node:process";
import type { Mode } from "./harness.ts";

/** `REPRISE_BENCH_MEGABYTES`, 256 when it says nothing. */
export function artifactMegabytes({ quick }: Mode): number {
  return quick ? 2 : Number(process.env["REPRISE_BENCH_MEGABYTES"] ?? 256);
}
