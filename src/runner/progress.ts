/** A run while it goes on: ready nodes are looked up, hits end at once, misses execute, damage is repaired. */
import { openMissExplainer, type ExplainMiss } from "../cache/explain-miss.ts";
import { isDamage, lookUp, ruleOut, type CachePorts, type LookUp, type Seen, type ToldMiss } from "../cache/look-up.ts";
import { RecentSteps } from "../cache/recent-steps.ts";
import { dependenciesOf, makeNodeKey, toKeyArguments } from "../cache/node-key.ts";
import type { Key } from "../cache/key.ts";
import type { CodeIdentity } from "../code/identity.ts";
import { type Argument, type NodeId, type Plan, type PlanNode } from "../define/plan.ts";
import { assertInternal, RunError } from "../error.ts";
import type { Digest } from "../hash/digest.ts";
import type { ArtifactContent } from "../record/artifact.ts";
import type { Observer } from "../observe/observer.ts";
import type { Reason } from "../record/reason.ts";
import type { Run, RunStatus, StepRun, StepRunStatus } from "../record/run.ts";
import { DamagedInput } from "./attempt.ts";
import { toErrorRecord } from "./error-record.ts";
import { executeStep } from "./execute-step.ts";
import { toHitReason } from "./hit-reason.ts";
import { leasesOf, type HeldLease, type Wait } from "./leases.ts";
import { isSame, type NodeState } from "./node-state.ts";
import { NodeStates } from "./node-states.ts";
import { offerWithheld, type Withheld } from "./offer-withheld.ts";
import { mapRecord, toArgumentRecord } from "./plan-record.ts";
import { Permits } from "./permits.ts";
import { policyOf } from "./policy.ts";
import type { PlayedRun, RunPlanOptions } from "./played-run.ts";
import type { PlanPorts } from "./plan-ports.ts";
import { reopenOutdated } from "./reopen-outdated.ts";
import { recordedCodeOf } from "./recorded-code.ts";
import { Recorder } from "./recorder.ts";
import { toRepeatable, type Repeat } from "./repeat.ts";
import { Schedule } from "./schedule.ts";
import type { Selection } from "./selection.ts";
import { tellReusedMetrics } from "./tell-reused-metrics.ts";
import { SingleFlight } from "./single-flight.ts";

export interface ProgressParts {
  readonly plan: Plan;
  readonly ports: PlanPorts;
  readonly options: RunPlanOptions;
  readonly run: Run;
  readonly selection: Selection;
  readonly identities: ReadonlyMap<PlanNode["step"], CodeIdentity>;
  readonly recorder: Recorder;
  readonly observer: Observer;
  /** Undefined where the run is none that another one could repeat. */
  readonly repeat: Repeat | undefined;
}

interface Waiting {
  readonly state: NodeState;
  readonly found: LookUp | { readonly kind: "miss"; readonly told: ToldMiss; readonly seen?: Seen };
}

/** A run while it goes on. */
export class Progress {
  readonly #parts: ProgressParts;
  readonly #states: NodeStates;
  readonly #schedule: Schedule;
  readonly #abort = new AbortController();
  readonly #permits: Permits;
  readonly #recent: RecentSteps;
  readonly #explainMiss: ExplainMiss;
  readonly #flight: SingleFlight;
  readonly #queue: Waiting[] = [];
  /** Contents of artifacts made or read in this run, by digest. */
  readonly #contents = new Map<Digest, ArtifactContent>();
  readonly #withheld = new Map<NodeState, Withheld>();
  /** Nodes below one that was executed twice: they may have read files that it wrote again afterwards. */
  readonly #doubted = new Set<NodeState>();
  /** Nodes that wait for who executes the same, until what follows from that is done. */
  #waits = 0;
  #wake: () => void = () => {};
  #failure: { readonly thrown: unknown } | undefined;
  #cancelled = false;
  /** Why no further node is started. */
  #stopped: Reason | undefined;

  constructor(parts: ProgressParts) {
    this.#parts = parts;
    const { plan, ports, options, run, selection, identities } = parts;
    this.#recent = new RecentSteps(ports.metadata, run.pipeline, run.id);
    this.#explainMiss = openMissExplainer(ports.metadata, run.pipeline, this.#recent);
    const { metadata, leaseMs } = ports;
    this.#flight = new SingleFlight({ metadata, leases: leasesOf(metadata, leaseMs), recorder: parts.recorder });
    this.#permits = new Permits(options.jobs ?? ports.jobs);
    this.#states = new NodeStates(
      plan,
      run,
      identities,
      (node) => policyOf(node, options, selection, ports),
      selection,
    );
    this.#schedule = new Schedule(plan.nodes, selection.selected);
  }

  /** Step runs that execute at this moment. */
  get executing(): readonly StepRun[] {
    return this.#states.stepRuns.filter(({ status }) => status === "running");
  }

  /** Plays every selected node, or as many as can be. */
  async play(): Promise<void> {
    const { signal } = this.#parts.options;
    const cancel = (): void => this.#cancel();
    if (signal?.aborted) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    try {
      while (!this.#schedule.finished) {
        const ready = this.#schedule.take();
        if (ready.length > 0) await this.#settle(ready.map((node) => this.#states.get(node.id)));
        else await this.#somethingEnds();
        if (this.#stopped !== undefined) this.#dropRest(this.#stopped);
        else await reopenOutdated(this.#doubted, this.#schedule, this.#parts);
        this.#startQueued();
      }
      while (!this.#permits.isIdle) await this.#somethingEnds();
    } catch (error) {
      // The store refuses, most likely. Nothing goes on behind the back of whoever is told so.
      this.#abort.abort(error);
      for (const id of this.#flight.waiting) this.#flight.stop(id);
      while (!this.#permits.isIdle) await this.#somethingEnds();
      throw error;
    } finally {
      signal?.removeEventListener("abort", cancel);
    }
  }

  /** Writes the run's end. */
  async end(git: Run["git"]): Promise<PlayedRun> {
    const { run, ports, recorder, repeat } = this.#parts;
    for (const stepRun of await offerWithheld([...this.#withheld.values()], ports, recorder)) {
      this.#states.get(stepRun.node as NodeId).stepRun = stepRun;
    }
    const steps = this.#states.stepRuns;
    for (const stepRun of steps) if (stepRun.status === "skipped") recorder.add({ kind: "step-run", stepRun });
    const status: RunStatus = this.#cancelled ? "cancelled" : this.#failure === undefined ? "completed" : "failed";
    const thrown = this.#failure?.thrown;
    const outputs = this.#states.outputsOfBuild();
    const ended: Run = {
      ...run,
      outputs: mapRecord(outputs, toArgumentRecord),
      status,
      git,
      finishedAt: Date.now(),
      error: this.#failure === undefined ? undefined : toErrorRecord(thrown, ports),
    };
    recorder.add({ kind: "run", run: ended });
    if (repeat !== undefined) recorder.add(...toRepeatable(repeat, ended, this.#states.all));
    await recorder.flush();
    if (!recorder.records.isRefused) await this.#recent.ended(this.#states.endedSteps);
    await tellReusedMetrics(steps, ports.metadata, recorder);
    const savedMs = steps.reduce((sum, step) => sum + (step.savedMs ?? 0), 0);
    recorder.emit({ kind: "run-ended", time: Date.now(), run: ended, savedMs });
    const { artifacts } = this.#states;
    return { run: ended, steps, outputs, artifacts, contents: this.#contents, savedMs, error: thrown };
  }

  /** Looks ready nodes up: hits end at once, misses queue for execution. */
  async #settle(states: readonly NodeState[]): Promise<void> {
    const asked: { state: NodeState; key: Key }[] = [];
    for (const state of states) {
      try {
        const key = this.#makeKey(state);
        const told = state.damage ?? ruleOut(state.policy, state.code);
        // Of what was damaged, somebody may have made a new one meanwhile.
        if (told === undefined || state.again) asked.push({ state, key });
        else await this.#miss({ state, found: { kind: "miss", told } });
      } catch (error) {
        this.#fail(state, error);
      }
    }
    if (asked.length === 0) return;
    const { observer, ports: stack } = this.#parts;
    const ports: CachePorts = {
      metadata: stack.metadata,
      checkBlobs: (refs) => stack.content.verify(refs),
      checkTraces: (traces) => observer.check(traces),
    };
    const requests = asked.map(({ state, key }) => ({ key, policy: state.policy }));
    const found = await lookUp(ports, requests, Date.now());
    for (const [index, each] of found.entries()) {
      const { state } = asked[index] as (typeof asked)[number];
      const { damage } = state;
      if (each.kind === "hit" && (damage === undefined || each.entry.origin !== state.stepRun.origin)) {
        this.#reuse(state, each);
      } else {
        await this.#miss({ state, found: damage === undefined ? each : { kind: "miss", told: damage } });
      }
    }
  }

  #makeKey(state: NodeState): Key {
    const { node, code } = state;
    const { secrets } = this.#parts.ports;
    const args = toKeyArguments(node, (id, output) => this.#states.outputOf(id, output).digest, secrets);
    state.key = makeNodeKey(node, code, args, secrets);
    state.given = new Map([...dependenciesOf(node)].map((id) => [id, this.#states.get(id).outputs]));
    // Nothing stays of what was reused or executed before and is not to be taken.
    state.stepRun = {
      ...state.blank,
      origin: state.stepRun.origin,
      key: state.key.digest,
      inputs: this.#states.inputsOf(node),
      startedAt: Date.now(),
    };
    return state.key;
  }

  #reuse(state: NodeState, { entry, warnings, isNewest }: Extract<LookUp, { kind: "hit" }>): void {
    const { recorder } = this.#parts;
    state.taken = isNewest && warnings.length === 0 && entry.unsteady === undefined ? entry : undefined;
    for (const message of warnings) this.#warn(state, message);
    if (entry.unsteady !== undefined) this.#warn(state, `its result was found nondeterministic: ${entry.unsteady}`);
    const upstreamRan = state.stepRun.inputs.length > 0 && this.#states.anyInputExecuted(state.node);
    const now = Date.now();
    const reason = toHitReason(entry, state.stepRun, { meanwhile: state.again, upstreamRan });
    if (entry.trace !== undefined) this.#parts.observer.reused(entry.trace);
    const before = state.outputs;
    state.damage = undefined;
    state.again = false;
    state.outputs = new Map(entry.outputs.map((use) => [use.slot, use]));
    state.trace = entry.trace;
    state.executed = false;
    state.stepRun = {
      ...state.stepRun,
      status: "cached",
      reason,
      finishedAt: now,
      outputs: entry.outputs,
      origin: entry.origin,
      savedMs: entry.durationMs,
      originAt: entry.createdAt,
    };
    recorder.add({ kind: "step-run", stepRun: state.stepRun });
    recorder.emit({ kind: "step-ended", time: now, step: state.stepRun });
    this.#done(state, before);
  }

  async #miss(waiting: Waiting): Promise<void> {
    const { state, found } = waiting;
    const isReuseOnly = this.#parts.selection.reuseOnly.has(state.node.id);
    if (state.policy.mode !== "require" && !isReuseOnly) {
      this.#queue.push(waiting);
      return;
    }
    const reason = await this.#explain(state, found);
    state.stepRun = { ...state.stepRun, reason };
    const hint = isReuseOnly
      ? "Use until instead of only, to run what it needs as well"
      : "Run once without requiring the cache, or undo what changed";
    this.#fail(state, new RunError("RPS3004", `Step "${state.node.id}" is not cached: ${reason.text}`, { hint }));
  }

  #startQueued(): void {
    while (this.#permits.isFree && this.#queue.length > 0 && !this.#abort.signal.aborted) {
      const waiting = this.#queue.shift() as Waiting;
      const { id } = waiting.state.node;
      if (this.#schedule.isDropped(id)) continue;
      if (this.#schedule.isBehind(id)) this.#schedule.wait(id);
      else {
        this.#permits.take(id);
        void this.#execute(waiting);
      }
    }
  }

  async #somethingEnds(): Promise<void> {
    assertInternal(!this.#permits.isIdle || this.#waits > 0, "a run waits for nothing");
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
  }

  /** Executes a node, unless somebody else does. Never rejects: whatever goes wrong is the node's failure. */
  async #execute(waiting: Waiting): Promise<void> {
    const { state, found } = waiting;
    try {
      const begun = await this.#begin(waiting);
      const seen = "seen" in found ? found.seen : undefined;
      const clearance = await this.#flight.clear(state, seen, { kind: "step-run", stepRun: begun });
      if (clearance.kind === "execute") {
        return await this.#flight.hold(clearance.lease, () => this.#executeAlone(waiting, begun, clearance.lease));
      }
      state.again = true;
      if (clearance.kind === "wait") void this.#waitFor(state, clearance.wait);
      else if (!this.#schedule.isDropped(state.node.id)) this.#schedule.wait(state.node.id);
    } catch (error) {
      this.#fail(state, error);
    } finally {
      this.#permits.end(state.node.id);
      this.#wake();
    }
  }

  /** Waits without a permit for who executes the same, and has the node looked up again. */
  async #waitFor(state: NodeState, wait: Wait): Promise<void> {
    const { id } = state.node;
    this.#waits += 1;
    try {
      const waiting = this.#flight.wait(state, wait);
      if (this.#schedule.isDropped(id)) this.#flight.stop(id);
      const isOver = await waiting;
      if (isOver && !this.#schedule.isDropped(id)) this.#schedule.wait(id);
    } catch (error) {
      if (!this.#schedule.isDropped(id)) this.#fail(state, error);
    } finally {
      this.#waits -= 1;
      this.#wake();
    }
  }

  /** A node's step run as it is when the node begins to execute. */
  async #begin({ state, found }: Waiting): Promise<StepRun> {
    const reason = await this.#explain(state, found);
    return { ...state.stepRun, origin: undefined, status: "running", reason, startedAt: Date.now() };
  }

  async #executeAlone({ state, found }: Waiting, begun: StepRun, lease: HeldLease | undefined): Promise<void> {
    const { ports, run, recorder } = this.#parts;
    const key = state.key as Key;
    try {
      await this.#permits.untilEnded();
      state.again = false;
      state.stepRun = begun;
      recorder.emit({ kind: "step-started", time: begun.startedAt, step: begun });
      if (lease === undefined) {
        recorder.add({ kind: "step-run", stepRun: begun });
        await recorder.flush();
      }
      const result = await executeStep({
        ports,
        recorder,
        run,
        node: state.node,
        code: state.code,
        key,
        stepRun: state.stepRun,
        options: state.options,
        // What cannot be told apart is not reused, so nothing reusable is recorded of it.
        reusable: state.policy.mode !== "off" && (state.code.verdict !== "opaque" || state.policy.hasVersion),
        lease,
        heal: found.kind === "miss" && isDamage(found.told),
        notes: state.notes,
        signal: this.#abort.signal,
        contentOf: (ref) => this.#contentOf(state, ref),
        observer: this.#parts.observer,
        onDone: () => {
          this.#permits.giveBack(state.node.id);
          this.#wake();
        },
        recordedCode: recordedCodeOf(ports.metadata),
      });
      const { obstacle } = result.stepRun;
      if (result.withheld === undefined) this.#withheld.delete(state);
      else this.#withheld.set(state, result.withheld);
      // That the store refuses is told once, for the whole run.
      if (obstacle !== undefined && obstacle.code !== "store-refused")
        this.#warn(state, `its result will not be reused: ${obstacle.text}`);
      for (const artifact of result.artifacts) this.#contents.set(artifact.digest, artifact);
      await this.#recent.made(result.artifacts);
      state.stepRun = result.stepRun;
      recorder.emit({ kind: "step-ended", time: Date.now(), step: state.stepRun });
      if (this.#schedule.isDropped(state.node.id)) return;
      if (result.stepRun.status === "completed") {
        const before = state.outputs;
        state.outputs = new Map(result.stepRun.outputs.map((use) => [use.slot, use]));
        state.trace = result.stepRun.trace;
        state.executed = true;
        this.#done(state, before);
      } else {
        this.#drop(state, result.thrown);
      }
    } catch (error) {
      const isDropped = this.#schedule.isDropped(state.node.id);
      if (!isDropped && error instanceof DamagedInput && this.#repair(state, error)) return;
      this.#fail(state, error instanceof DamagedInput ? error.cause : error);
    }
  }

  async #explain(state: NodeState, found: Waiting["found"]): Promise<Reason> {
    if (found.kind === "miss") {
      const { code, text, differences = [] } = found.told;
      const origin = "entry" in found ? found.entry?.origin : undefined;
      return { code, text, differences, ...(origin === undefined ? {} : { against: origin }) };
    }
    const { node, code, key } = state;
    assertInternal(key, `node "${node.id}" is explained before it has a key`);
    return await this.#explainMiss({ node: node.id, key, code, inputs: state.stepRun.inputs });
  }

  #warn({ stepRun }: NodeState, message: string): void {
    this.#parts.recorder.emit({ kind: "warning", time: Date.now(), step: stepRun.id, message });
  }

  /**
   * An input's bytes are damaged: its producer is executed again, and the node waits for it. One that was executed in
   * this run is executed once more: what it gave was taken to be stored already, by what `stat` says.
   */
  #repair(state: NodeState, { ref }: DamagedInput): boolean {
    const producer = this.#states.get(ref.node);
    const isMended = producer.executed && producer.outputs !== state.given.get(ref.node);
    if (isMended || !this.#schedule.isDone(ref.node)) {
      // Somebody else found the damage first; the node waits for the same repair.
      this.#schedule.wait(state.node.id);
      return true;
    }
    if (producer.executed && producer.damage !== undefined) return false;
    producer.damage = { code: "corrupt-output", text: `its stored output "${ref.output}" was altered in the store` };
    this.#schedule.reopen(ref.node, [state.node.id]);
    return true;
  }

  #done(state: NodeState, before: NodeState["outputs"]): void {
    const { id } = state.node;
    this.#schedule.done(id);
    // A node that it needs was repaired meanwhile, and did not give the same again.
    const isStale = [...state.given].some(([need, given]) => !isSame(given, this.#states.get(need).outputs));
    if (isStale) this.#schedule.reopen(id);
    if (before === undefined) return;
    if (state.executed) for (const other of this.#schedule.below(id)) this.#doubted.add(this.#states.get(other));
    if (isSame(before, state.outputs)) return;
    // The node ended for the second time: nodes that took what it left the first time are asked again.
    for (const other of this.#schedule.dependants(id)) {
      if (this.#schedule.isDone(other)) this.#schedule.reopen(other);
    }
  }

  /** Something went wrong outside an attempt. */
  #fail(state: NodeState, thrown: unknown): void {
    const error = toErrorRecord(thrown, this.#parts.ports);
    const status: StepRunStatus = this.#cancelled ? "cancelled" : "failed";
    state.stepRun = { ...state.stepRun, status, finishedAt: Date.now(), error };
    this.#parts.recorder.add({ kind: "step-run", stepRun: state.stepRun });
    this.#parts.recorder.emit({ kind: "step-ended", time: Date.now(), step: state.stepRun });
    this.#drop(state, thrown);
  }

  #drop(state: NodeState, thrown: unknown): void {
    if (state.stepRun.status !== "cancelled") this.#failure ??= { thrown };
    for (const id of this.#schedule.drop(state.node.id)) {
      const isCancelled = state.stepRun.status === "cancelled";
      const text = isCancelled ? "the run was cancelled" : `"${state.node.id}" failed`;
      this.#skip(id, { code: isCancelled ? "cancelled" : "upstream-failed", text, differences: [] });
    }
    if (this.#parts.options.onFailure === "stop-all" && this.#stopped === undefined) {
      this.#stopRest(`"${state.node.id}" failed`, "upstream-failed");
    }
  }

  #cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#stopRest("the run was cancelled", "cancelled");
    this.#wake();
  }

  #stopRest(text: string, code: "cancelled" | "upstream-failed"): void {
    this.#stopped = { code, text, differences: [] };
    this.#abort.abort(new RunError("RPS3002", `The run was stopped: ${text}`));
    this.#dropRest(this.#stopped);
  }

  #dropRest(reason: Reason): void {
    const queued = this.#queue.splice(0).map(({ state }) => state.node.id);
    for (const id of [...this.#schedule.untaken(), ...queued, ...this.#flight.waiting]) {
      this.#schedule.drop(id);
      this.#skip(id, reason);
    }
  }

  #skip(id: NodeId, reason: Reason): void {
    this.#flight.stop(id);
    const state = this.#states.get(id);
    if (state.stepRun.status === "skipped" && state.stepRun.reason !== undefined) return;
    // What executes comes to its own end: what it was given is still what it was.
    if (this.#permits.has(id)) return;
    state.stepRun = { ...state.stepRun, status: "skipped", reason, finishedAt: Date.now() };
    this.#parts.recorder.emit({ kind: "step-ended", time: Date.now(), step: state.stepRun });
  }

  /** By what the node's key was made of, whatever became of that meanwhile. */
  async #contentOf({ given }: NodeState, ref: Extract<Argument, { kind: "ref" }>): Promise<ArtifactContent> {
    const use = given.get(ref.node)?.get(ref.output);
    assertInternal(use, `output "${ref.output}" of node "${ref.node}" is read without being in the key`);
    const { digest, artifact, version } = use;
    const known = this.#contents.get(digest);
    if (known !== undefined) return known;
    const [found] = await this.#parts.ports.metadata.artifacts({ name: artifact, version, limit: 1 });
    assertInternal(found, `artifact "${artifact}" version ${version} is not recorded`);
    this.#contents.set(digest, found);
    return found;
  }
}
