import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { pipeline, step } from "reprise";

const run = promisify(execFile);

/** Another program reads the file, where nobody sees it. */
export const countLines = step({
  name: "count_lines",
  run: async ({ path }: { path: string }) => {
    const { stdout } = await run("wc", ["-l", path]);
    return { count: Number.parseInt(stdout, 10) };
  },
});

export const lines = pipeline({
  name: "lines",
  build: () => ({ count: countLines({ path: "notes.txt" }).count }),
});
