/** What a running step is given, and what it leaves behind through it. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkMetric } from "../define/check-metric.ts";
import type { LogFunction, StepContext } from "../define/context.ts";
import type { SecretMask } from "../define/secret-mask.ts";
import type { JsonObject, JsonValue } from "../hash/json.ts";
import type { StepRunId } from "../record/id.ts";
import type { LogLine, Run } from "../record/run.ts";
import { toFacts } from "../define/to-facts.ts";
import { outsideStep } from "../define/step-scope.ts";
import type { OutputStream } from "./log-capture.ts";
import type { Recorder } from "./recorder.ts";

/** What one step run said, over all its attempts. */
export interface StepNotes {
  readonly metadata: Record<string, JsonValue>;
  readonly tags: Set<string>;
  /** Outputs that have a secret in them, in words. */
  readonly revealed: Set<string>;
  /** Number of the next log line. */
  nextLine: number;
}

export interface ContextParts {
  readonly run: Pick<Run, "id" | "name" | "pipeline">;
  readonly step: StepContext["step"];
  readonly stepRun: StepRunId;
  readonly notes: StepNotes;
  readonly recorder: Pick<Recorder, "line" | "point">;
  /** Hides secrets in all that the step says. */
  readonly mask: SecretMask | undefined;
  readonly signal: AbortSignal;
}

export interface OpenContext extends AsyncDisposable {
  readonly context: StepContext;
  /** Takes a line that the step wrote to a stream. */
  readonly writeLine: (stream: OutputStream, text: string) => void;
}

export function makeNotes(): StepNotes {
  return { metadata: {}, tags: new Set(), revealed: new Set(), nextLine: 0 };
}

/** Opens the context of one attempt; closing it removes the attempt's temporary folder. */
export function openContext({ run, step, stepRun, notes, recorder, mask, signal }: ContextParts): OpenContext {
  let folder: Promise<string> | undefined;
  const hide = (text: string): string => mask?.hide(text) ?? text;
  const hideIn = (facts: JsonObject): JsonObject => (mask === undefined ? facts : mask.hideIn(facts));
  const write = (stream: LogLine["stream"], level: LogLine["level"], said: string, data?: JsonObject): void => {
    const text = hide(said);
    // Reprise's own work, though a step asked for it.
    outsideStep(() => {
      const line = { stepRun, seq: notes.nextLine, time: Date.now(), stream, level, text };
      notes.nextLine += 1;
      recorder.line(data === undefined ? line : { ...line, data });
    });
  };
  const logAt =
    (level: LogLine["level"]) =>
    (text: string, data?: JsonObject): void => {
      const facts = data === undefined ? undefined : hideIn(toFacts(data, "The data of a log line"));
      write("log", level, String(text), facts);
    };
  const log: LogFunction = Object.assign(logAt("info"), {
    debug: logAt("debug"),
    warn: logAt("warn"),
    error: logAt("error"),
  });
  const context: StepContext = {
    log,
    metric(name, value, at) {
      checkMetric(name, value, at);
      outsideStep(() => recorder.point({ stepRun, name: hide(name), step: at, value, time: Date.now() }));
    },
    metadata(facts) {
      Object.assign(notes.metadata, hideIn(toFacts(facts, "Metadata")));
    },
    tag(...tags) {
      for (const tag of tags) notes.tags.add(hide(String(tag)));
    },
    signal,
    run: { id: run.id, name: run.name, pipeline: run.pipeline },
    step,
    tempDir: () => (folder ??= mkdtemp(join(tmpdir(), "reprise-"))),
  };
  return {
    context,
    writeLine: (stream, text) => write(stream, undefined, text),
    async [Symbol.asyncDispose]() {
      // What cannot be removed is the system's to clean up: it is no failure of the step.
      await folder?.then((path) => rm(path, { recursive: true, force: true, maxRetries: 2 })).catch(() => {});
    },
  };
}
