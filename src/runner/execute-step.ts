/** A node executed to its end: attempts, then its outputs, its key and its entry recorded together. */
import { setTimeout as delay } from "node:timers/promises";
import { textsOf, toCodeRecord } from "../cache/explain-miss.ts";
import type { Key } from "../cache/key.ts";
import type { CodeIdentity } from "../code/identity.ts";
import { resolveReads, type EffectiveOptions } from "../define/resolve-options.ts";
import { singleOutput, type PlanNode } from "../define/plan.ts";
import type { Digest } from "../hash/digest.ts";
import { RunError } from "../error.ts";
import type { Observation, Observed, Observer } from "../observe/observer.ts";
import type { StoredValue } from "../materializer/stored-value.ts";
import { toArtifactName, unnumbered, type Artifact } from "../record/artifact.ts";
import type { CacheEntry } from "../record/cache-entry.ts";
import type { ArtifactUse, AttemptRecord, Run, StepRun } from "../record/run.ts";
import type { Notice, Obstacle } from "../record/trace.ts";
import type { Change, NewArtifact } from "../store/metadata-store.ts";
import { attemptStep, DamagedInput, type AttemptParts } from "./attempt.ts";
import { toErrorRecord } from "./error-record.ts";
import type { HeldLease } from "./leases.ts";
import { hideObserved } from "./hide-observed.ts";
import type { Withheld } from "./offer-withheld.ts";
import type { PlanPorts } from "./plan-ports.ts";
import type { Recorder } from "./recorder.ts";
import { openContext, type StepNotes } from "./step-context.ts";

export interface ExecuteParts {
  readonly ports: PlanPorts;
  readonly recorder: Recorder;
  readonly run: Run;
  readonly node: PlanNode;
  readonly code: CodeIdentity;
  readonly key: Key;
  readonly stepRun: StepRun;
  readonly options: EffectiveOptions;
  /** Whether the result may be reused. */
  readonly reusable: boolean;
  /** Held while it executes, when others wait for its result. */
  readonly lease: HeldLease | undefined;
  /** Whether what is stored of it is damaged, so that no blob of it is believed to be there. */
  readonly heal: boolean;
  readonly notes: StepNotes;
  /** Aborted when the run is to stop. */
  readonly signal: AbortSignal;
  readonly contentOf: AttemptParts["contentOf"];
  readonly observer: Observer;
  /** Called when it has ended well, and only that is to be recorded. */
  readonly onDone: () => void;
  /** Digests of code that the store is known to have. */
  readonly recordedCode: Set<Digest>;
}

export interface Executed {
  readonly stepRun: StepRun;
  readonly artifacts: readonly Artifact[];
  /** What may be reused when the store has taken its bytes after all. */
  readonly withheld?: Withheld;
  /** What the last attempt threw, when it did not end well. */
  readonly thrown?: unknown;
}

/** Before the second attempt; doubled for each one after it. */
const firstRetryMs = 200;
const longestRetryMs = 30_000;

/** Executes. A failing step is an answer; only a {@link DamagedInput} and a store that refuses to write are thrown. */
export async function executeStep(parts: ExecuteParts): Promise<Executed> {
  const { options, signal, recorder, notes, observer, code, ports } = parts;
  const attempts: AttemptRecord[] = [];
  const observation = observer.observe({
    memos: code.memos,
    declared: resolveReads(parts.node),
    http: options.http,
    packages: () => code.packages(),
    isSecret: (text) => ports.secrets?.mask.holds(text) === true,
  });
  for (let attempt = 1; ; attempt += 1) {
    const startedAt = Date.now();
    let outputs: ReadonlyMap<string, StoredValue>;
    try {
      outputs = await attemptOnce(parts, observation, attempt);
    } catch (thrown) {
      if (thrown instanceof DamagedInput) {
        await observation.close();
        throw thrown;
      }
      const error = toErrorRecord(thrown, ports);
      attempts.push({ startedAt, finishedAt: Date.now(), error });
      const willRetry = attempt <= options.retry && !signal.aborted;
      const stepRun: StepRun = { ...withNotes(parts.stepRun, notes), attempts, error };
      recorder.emit({ kind: "step-attempt-failed", time: Date.now(), step: stepRun, attempt, willRetry });
      if (!willRetry) return await recordFailure(parts, await closeOf(observation, ports), stepRun, thrown);
      await delay(Math.min(firstRetryMs * 2 ** (attempt - 1), longestRetryMs), undefined, { signal }).catch(() => {});
      continue;
    }
    attempts.push({ startedAt, finishedAt: Date.now(), error: undefined });
    // Not tried again where this fails: the step did its work.
    return await recordSuccess(parts, await closeOf(observation, ports), outputs, attempts);
  }
}

async function closeOf(observation: Observation, { secrets }: PlanPorts): Promise<Observed> {
  const observed = await observation.close();
  return secrets === undefined ? observed : hideObserved(observed, secrets.mask);
}

export interface AttemptOnceParts
  extends
    Pick<ExecuteParts, "run" | "node" | "stepRun" | "options" | "signal" | "notes">,
    Pick<AttemptParts, "contentOf" | "ports" | "heal" | "target"> {
  readonly recorder: Pick<Recorder, "line" | "point"> & Partial<Pick<Recorder, "records" | "makeWay">>;
}

/** One attempt, within the step's time. */
export async function attemptOnce(
  { ports, recorder, run, node, stepRun, options, signal, contentOf, notes, heal, target }: AttemptOnceParts,
  observation: Observation,
  attempt: number,
): Promise<ReadonlyMap<string, StoredValue>> {
  signal.throwIfAborted();
  const abort = new AbortController();
  const stop = (): void => abort.abort(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  const { timeoutMs = Infinity } = options;
  using _timer = callAfter(timeoutMs, () => {
    const message = `Step "${node.id}" took longer than ${timeoutMs / 1000}s`;
    abort.abort(new RunError("RPS3003", message, { hint: "Raise its timeout option" }));
  });
  const step = { name: node.step.name, node: node.id, attempt };
  const mask = ports.secrets?.mask;
  await using open = openContext({ run, step, stepRun: stepRun.id, notes, recorder, mask, signal: abort.signal });
  try {
    return await attemptStep({
      step: node.step,
      arguments: node.arguments,
      contentOf,
      ports,
      heal,
      ...(target === undefined ? {} : { target }),
      open,
      observation,
      onRefusal: (refusal) => recorder.records?.refuse(refusal),
      makeWay: (kind) => recorder.makeWay?.(kind),
      onSecret: (what) => notes.revealed.add(what),
      signal: abort.signal,
    });
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Timers count in 32 bits, which are less than 25 days: a longer one would end at once. */
const longestTimerMs = 2 ** 31 - 1;

function callAfter(waitMs: number, work: () => void): Disposable {
  let timer: NodeJS.Timeout | undefined;
  const wait = (leftMs: number): void => {
    const thisTimeMs = Math.min(leftMs, longestTimerMs);
    timer = setTimeout(() => (leftMs > thisTimeMs ? wait(leftMs - thisTimeMs) : work()), thisTimeMs);
  };
  if (waitMs !== Infinity) wait(waitMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

async function recordSuccess(
  parts: ExecuteParts,
  observed: Observed,
  outputs: ReadonlyMap<string, StoredValue>,
  attempts: readonly AttemptRecord[],
): Promise<Executed> {
  const { ports, recorder, node, key, options, reusable, notes } = parts;
  const finishedAt = Date.now();
  const made = [...outputs].map(([slot, stored]) => ({ slot, stored }));
  const artifacts = made.map(({ slot, stored }): NewArtifact => ({
    digest: stored.digest,
    type: stored.type,
    typeVersion: stored.typeVersion,
    root: stored.root,
    parts: stored.parts,
    name: toArtifactName(node.step.name, slot, singleOutput),
    size: stored.size,
    mediaType: stored.mediaType,
    extension: stored.extension,
    preview: stored.preview,
    metadata: stored.metadata,
    producer: parts.stepRun.id,
    createdAt: finishedAt,
  }));
  // Numbered where they are written, and here when they are.
  const uses: ArtifactUse[] = artifacts.map(({ name, digest }, index) => ({
    slot: (made[index] as (typeof made)[number]).slot,
    artifact: name,
    version: unnumbered,
    digest,
  }));
  const blobs = artifacts.flatMap(({ root, parts: more }) => [root, ...more]);
  const edited = reusable ? parts.code.findEdited() : undefined;
  const isKept = !(await ports.overflow.holds(blobs));
  const told = withRevealed(withObserved(withNotes(parts.stepRun, notes), observed), notes);
  const stepRun: StepRun = {
    ...told,
    ...(edited === undefined ? {} : { obstacle: editedMeanwhile(edited) }),
    ...(isKept ? {} : { obstacle: refused }),
    status: "completed",
    finishedAt,
    attempts,
    outputs: uses,
  };
  for (const output of notes.revealed) {
    const message = `${output} has a secret in it, which is stored in clear`;
    recorder.emit({ kind: "warning", time: finishedAt, step: stepRun.id, message });
  }
  const changes: readonly Change[] = [
    ...artifacts.map((artifact): Change => ({ kind: "artifact", artifact })),
    ...(await keyChanges(parts)),
    ...traceChanges(observed),
  ];
  const entry: CacheEntry = {
    key: key.digest,
    trace: observed.trace?.digest,
    step: node.step.name,
    outputs: uses,
    blobs,
    origin: stepRun.id,
    durationMs: finishedAt - stepRun.startedAt,
    createdAt: finishedAt,
    expiresAt: options.expiresMs === undefined ? undefined : finishedAt + options.expiresMs,
    invalidatedAt: undefined,
    pinnedAt: undefined,
  };
  const isKeptForReuse = reusable && stepRun.obstacle === undefined;
  const late = isKeptForReuse ? { ...stepRun, obstacle: takenOver } : stepRun;
  const ending = endUnder(
    parts,
    [...changes, { kind: "step-run", stepRun }, ...(isKeptForReuse ? [{ kind: "cache-entry", entry } as const] : [])],
    [...changes, { kind: "step-run", stepRun: late }],
  );
  parts.onDone();
  const { isLate, recorded } = await ending;
  const numbered = artifacts.map(
    (artifact): Artifact =>
      recorded.find(({ name, digest }) => name === artifact.name && digest === artifact.digest) ?? {
        ...artifact,
        version: unnumbered,
      },
  );
  for (const artifact of numbered) recorder.emit({ kind: "artifact", time: finishedAt, step: stepRun.id, artifact });
  const known = { outputs: uses.map((use, index) => ({ ...use, version: (numbered[index] as Artifact).version })) };
  const { obstacle: _, ...unhindered } = stepRun;
  const isWithheld = reusable && !isKept && edited === undefined && told.obstacle === undefined;
  return {
    stepRun: { ...(isLate ? late : stepRun), ...known },
    artifacts: numbered,
    ...(isWithheld ? { withheld: { stepRun: { ...unhindered, ...known }, entry: { ...entry, ...known } } } : {}),
  };
}

const takenOver: Obstacle = {
  code: "taken-over",
  text: "its process gave no sign of life for so long that another one took over",
};

function editedMeanwhile(file: string): Obstacle {
  return { code: "unstable-input", text: `${file} was edited before it was loaded, while the run went on` };
}

const refused: Obstacle = { code: "store-refused", text: "the store refused to take it" };

/** Writes the end of a step run and ends its lease with it. Where the lease was lost, `otherwise` is written, and it is late. */
async function endUnder(
  { lease, recorder, code, recordedCode }: ExecuteParts,
  changes: readonly Change[],
  otherwise: readonly Change[] = changes,
): Promise<{ readonly isLate: boolean; readonly recorded: readonly Artifact[] }> {
  if (lease === undefined) recorder.add(...changes);
  else recorder.add({ kind: "end-lease", lease: { key: lease.key, token: lease.token }, changes, otherwise });
  const { lost, artifacts } = await recorder.flush();
  // A lease that the store has not ended is ended without the changes, so that nobody waits for a holder that is done.
  if (!recorder.records.isRefused) {
    lease?.ended();
    recordedCode.add(code.digest);
  }
  return { isLate: lease !== undefined && lost.has(lease.token), recorded: artifacts };
}

async function recordFailure(
  parts: ExecuteParts,
  observed: Observed,
  failed: StepRun,
  thrown: unknown,
): Promise<Executed> {
  const status = parts.signal.aborted ? "cancelled" : "failed";
  const stepRun: StepRun = { ...withObserved(failed, observed), status, finishedAt: Date.now() };
  const changes: Change[] = [{ kind: "step-run", stepRun }, ...(await keyChanges(parts)), ...traceChanges(observed)];
  await endUnder(parts, changes);
  return { stepRun, artifacts: [], thrown };
}

/** The key's parts and the code behind it, so that a later run can be told what changed. */
async function keyChanges({ key, code, recordedCode }: ExecuteParts): Promise<readonly Change[]> {
  const keyChange: Change = { kind: "key", digest: key.digest, key: key.record };
  if (recordedCode.has(code.digest)) return [keyChange];
  const texts = await textsOf(code);
  return [
    keyChange,
    { kind: "code", code: await toCodeRecord(code) },
    ...[...texts].map(([digest, text]): Change => ({ kind: "source", digest, text })),
  ];
}

function traceChanges({ trace }: Observed): readonly Change[] {
  return trace === undefined ? [] : [{ kind: "trace", digest: trace.digest, trace: trace.content }];
}

function withObserved(stepRun: StepRun, { trace, obstacle, notices }: Observed): StepRun {
  return {
    ...stepRun,
    ...(trace === undefined ? {} : { trace: trace.digest }),
    ...(obstacle === undefined ? {} : { obstacle }),
    ...(notices.length === 0 ? {} : { notices }),
  };
}

function withNotes(stepRun: StepRun, notes: StepNotes): StepRun {
  return { ...stepRun, metadata: { ...notes.metadata }, tags: [...notes.tags] };
}

/** What the last attempt stored in clear. */
function withRevealed(stepRun: StepRun, { revealed }: StepNotes): StepRun {
  if (revealed.size === 0) return stepRun;
  const notice: Notice = {
    kind: "secret",
    text: `returns a secret: ${[...revealed].join(", ")} has it in it, in clear`,
  };
  return { ...stepRun, notices: [...(stepRun.notices ?? []), notice] };
}
