/** Opens what observes the steps of one run. */
import { join } from "node:path";
import type { DeclaredRead } from "../define/declared-read.ts";
import type { Digest } from "../hash/digest.ts";
import type { Trace } from "../record/trace.ts";
import { findUserPlace } from "../define/user-place.ts";
import { checkTraces, type Answers } from "./check-traces.ts";
import { currentRecording, runRecorded } from "./current.ts";
import { statSync } from "./disk.ts";
import { endRecording } from "./end-recording.ts";
import { inquire, showFresh } from "./http-resource.ts";
import { installSenses, installWatchers } from "./install.ts";
import { filesBelow } from "./listing.ts";
import { closeMemos, openMemos } from "./memo-reads.ts";
import { noteAddOns } from "./watch-processes.ts";
import type { Observation, ObservationParts, Observed, Observer, ObserverParts } from "./observer.ts";
import { Recording } from "./recording.ts";
import { Territory } from "./territory.ts";
import { World } from "./world.ts";

export function openObserver({ root, storePath, salt, files }: ObserverParts): Observer {
  const territory = new Territory(root, storePath);
  const world = new World(territory, files);
  const answers: Answers = new Map();
  /** Of the step that runs this pipeline, if one does. */
  const outer = currentRecording();
  const held = new Map<Digest, Trace>();
  const findPlace = (stack: string | undefined): ReturnType<typeof findUserPlace> => findUserPlace(stack, root);
  return {
    observe({ memos, declared, http, packages, isSecret }: ObservationParts): Observation {
      installWatchers();
      installSenses();
      const recording = new Recording({ territory, salt, http, findPlace, isSecret: isSecret ?? (() => false) });
      const ids = memos.map((memo) => `${root}\0${memo}`);
      openMemos(ids, recording.reads);
      const asked = readDeclared(recording, territory, declared ?? [], http);
      return {
        run: (work) => runRecorded(recording, work),
        async close() {
          recording.isClosed = true;
          await asked;
          await noteAddOns(recording, packages);
          closeMemos(ids, recording.reads, recording.nameOf);
          const observed = await endRecording({ recording, world, salt, isVouched: declared !== undefined });
          if (outer !== undefined) passOn(observed, outer);
          return observed;
        },
      };
    },
    reused(digest) {
      const trace = held.get(digest);
      if (trace !== undefined) outer?.absorb(trace);
    },
    async check(traces) {
      if (outer !== undefined) for (const [digest, trace] of traces) held.set(digest, trace);
      return await checkTraces(traces, world, answers);
    },
  };
}

function passOn({ trace, obstacle }: Observed, outer: Recording): void {
  if (trace !== undefined) outer.absorb(trace.content);
  if (obstacle !== undefined) outer.blind.add(`runs a pipeline with a step that cannot be reused: ${obstacle.text}`);
}

/** Reads at once what a step says it reads; what URLs answer comes later. */
async function readDeclared(
  recording: Recording,
  territory: Territory,
  declared: readonly DeclaredRead[],
  http: ObservationParts["http"],
): Promise<void> {
  const urls: string[] = [];
  for (const { kind, name } of declared) {
    switch (kind) {
      case "file":
        recording.opened(territory.pathOf(name));
        break;
      case "directory":
        readTree(recording, territory.pathOf(name));
        break;
      case "glob":
        for (const match of recording.globbed(territory.root, name)) recording.opened(join(territory.root, match));
        break;
      case "env":
        recording.variable(name, process.env[name]);
        break;
      case "http":
        urls.push(name);
    }
  }
  if (http === "ignore") return;
  await Promise.all(
    urls.map(async (name) => {
      const found = typeof http === "object" ? showFresh(Date.now() + http.ttlMs) : await inquire(name);
      if (found === undefined) recording.blind.add(`says that it reads ${name}, which nobody answers`);
      else recording.reads.addOther({ read: { kind: "http", name, found } }, name);
    }),
  );
}

/** All that is below a directory: names, and the bytes of files. */
function readTree(recording: Recording, path: string): void {
  recording.listed(path, { kinds: true, recursive: true });
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return;
  for (const inside of filesBelow(path)) if (recording.locate(inside) !== undefined) recording.opened(inside);
}
