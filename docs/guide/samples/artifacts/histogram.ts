import type { Materializer } from "reprise";

export class Histogram {
  readonly counts: readonly number[];

  constructor(counts: readonly number[]) {
    this.counts = counts;
  }
}

export const histogram: Materializer<Histogram> = {
  name: "histogram",
  version: 1,
  mediaType: "application/json",
  extension: "json",
  accepts: (value) => value instanceof Histogram,
  write: async (value, blobs) => ({ root: await blobs.put(JSON.stringify(value.counts)) }),
  read: async (root, blobs) => new Histogram(JSON.parse(await blobs.text(root.digest)) as number[]),
  describe: ({ counts }) => ({
    preview: { kind: "text", text: counts.map((count) => "#".repeat(count)).join("\n"), truncated: false },
    metadata: { bins: counts.length, items: counts.reduce((sum, count) => sum + count, 0) },
  }),
};
