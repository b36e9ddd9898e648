/** The most memory (resident set) that a process holds: many steps, and a large file. */
import { runForNumber } from "./command.ts";
import { atMost, compare, runAlone, type Comparison, type Mode, type Row } from "./harness.ts";
import { makeProject } from "./project.ts";
import { shapeFiles } from "./shapes.ts";
import { artifactMegabytes } from "./sizes.ts";

export const row: Row = {
  name: "memory",
  title: "Memory",
  measure,
};

const bareSource = `import { mostMemory } from "./most-memory.ts";

console.log(mostMemory());
`;

/** A step that writes a file piece by piece and hands it on, and a step that reads it so. */
const largeSource = `import { open } from "node:fs/promises";
import { file, pipeline, step, type StoredFile } from "reprise";
import { mostMemory } from "./most-memory.ts";

const write = step({
  name: "write",
  run: async ({ megabytes }: { megabytes: number }) => {
    await using handle = await open("large.bin", "w");
    const piece = Buffer.alloc(1_000_000);
    for (let at = 0; at < megabytes; at += 1) {
      piece.writeUInt32LE(at);
      await handle.write(piece);
    }
    return { large: file("large.bin") };
  },
});
const count = step({
  name: "count",
  run: async ({ large }: { large: StoredFile }) => {
    let bytes = 0;
    for await (const piece of large.stream()) bytes += piece.length;
    return bytes;
  },
});
const large = pipeline({
  name: "large",
  build: ({ megabytes }: { megabytes: number }) => count({ large: write({ megabytes }).large }),
});
await large.run({ megabytes: Number(process.argv[2]) }, { reporter: "silent" });
console.log(mostMemory());
`;

async function* measure({ quick }: Mode): AsyncGenerator<Comparison> {
  const rounds = quick ? 1 : 3;
  for (const size of quick ? [7] : [100, 1000, 10_000]) {
    using project = makeProject({ ...shapeFiles, "bare.ts": bareSource });
    const run = (): number => runForNumber(project.node("run.ts", "fan-out", String(size), "memory"));
    yield await compare({
      title: `${size.toLocaleString("en")} steps, fan-out`,
      unit: "MiB",
      limit: "Node alone",
      contenders: [
        { name: "Node alone", run: () => runForNumber(project.node("bare.ts")) },
        { name: "all executed", before: () => project.forget(), run },
        { name: "nothing changed", run },
      ],
      rounds: size < 10_000 ? rounds : 1,
    });
  }
  const large = artifactMegabytes({ quick });
  const sizes = quick ? [1, large] : [10, Math.round(large / 4), large];
  using project = makeProject({ ...shapeFiles, "bare.ts": bareSource, "large.ts": largeSource });
  const store = (megabytes: number): number => runForNumber(project.node("large.ts", String(megabytes)));
  const nameOf = (megabytes: number): string => `${megabytes} MB`;
  yield await compare({
    title: "A file, stored and read as a stream",
    unit: "MiB",
    limit: "Node alone",
    contenders: [
      { name: "Node alone", run: () => runForNumber(project.node("bare.ts")) },
      ...sizes.map((megabytes) => ({
        name: nameOf(megabytes),
        before: () => project.forget(),
        run: () => store(megabytes),
      })),
    ],
    rounds,
    conclude: (median) => ({
      goals: [
        atMost(
          median(nameOf(large)) - median(nameOf(sizes[0] as number)),
          64,
          "the largest file needs at most 64 MiB more than the smallest",
        ),
      ],
    }),
  });
}

if (import.meta.main) await runAlone(row);
