import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { csv, file, markdown, pipeline, step, svg, table, tensor } from "reprise";

export const makeKinds = step({
  name: "kinds",
  run: async (_: object, { tempDir }) => {
    const path = join(await tempDir(), "weights.bin");
    await writeFile(path, new Uint8Array(1000));
    const rows = [
      { day: new Date("2026-11-02"), price: 12.5, open: true },
      { day: new Date("2026-11-03"), price: 12.9, open: false },
    ];
    return {
      plain: { when: new Date("2026-11-02"), limits: new Map([["a", 1n]]) },
      words: "text is kept as text",
      losses: new Float32Array([0.9, 0.5, 0.25]),
      image: tensor({ data: new Uint8Array(12), shape: [2, 2, 3] }),
      prices: table(rows),
      weights: file(path),
      report: markdown("# Prices\n\nThey rise."),
      list: csv([{ day: 2, price: 12.5 }]),
      chart: svg(`<svg xmlns="http://www.w3.org/2000/svg"><circle r="4"/></svg>`),
    };
  },
});

export const kinds = pipeline({ name: "kinds", build: () => makeKinds() });
