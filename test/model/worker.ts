/** A process that plays the sequences it is told, one after the other: what their modules take is freed with it. */
import { runWithStore, type Sabotage } from "./run-project.ts";
import type { SequenceReport } from "./judge.ts";
import { playSequence } from "./sequence.ts";
import { ResourceServer } from "./server.ts";
import type { Worlds } from "./project.ts";

export interface PlayRequest {
  readonly folder: string;
  readonly seed: number;
  readonly worlds: Worlds;
  readonly sabotage: Sabotage | undefined;
  readonly without: readonly number[];
}

const server = await ResourceServer.open();

process.on("message", (request: PlayRequest) => {
  void play(request).then((report) => process.send?.(report));
});

async function play({ without, sabotage, ...request }: PlayRequest): Promise<SequenceReport> {
  return await playSequence({
    ...request,
    server,
    without: new Set(without),
    interrupts: "within",
    run: async (root, ways) => await runWithStore(root, ways, sabotage),
  });
}
