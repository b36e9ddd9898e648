/** One run's part in executing each key once: it takes a lease for what it executes, and waits for what others execute. */
import { AsyncLocalStorage } from "node:async_hooks";
import { setTimeout as delay } from "node:timers/promises";
import { ruleOut } from "../cache/look-up.ts";
import type { Key } from "../cache/key.ts";
import type { NodeId } from "../define/plan.ts";
import type { LeaseToken } from "../record/lease.ts";
import type { StepRunId } from "../record/id.ts";
import type { Change, MetadataStore } from "../store/metadata-store.ts";
import type { Acquired, HeldLease, Leases, Wait } from "./leases.ts";
import type { NodeState } from "./node-state.ts";
import type { Recorder } from "./recorder.ts";

export interface FlightParts {
  readonly metadata: MetadataStore;
  readonly leases: Leases;
  readonly recorder: Recorder;
}

/** What a node that is about to execute is to do. */
export type Clearance =
  | {
      readonly kind: "execute";
      /** Undefined when nobody is to wait for it. With a lease, its beginning is recorded already. */
      readonly lease: HeldLease | undefined;
    }
  /** Something was stored under its key since it was looked up. */
  | { readonly kind: "look-again" }
  | { readonly kind: "wait"; readonly wait: Wait };

/** So often are the holder's lines looked for. */
const followEveryMs = 250;

/** Leases of the steps that the current code was called by, innermost last: a step may run a pipeline. */
const above = new AsyncLocalStorage<readonly LeaseToken[]>();

export class SingleFlight {
  readonly #parts: FlightParts;
  readonly #waiting = new Map<NodeId, AbortController>();

  constructor(parts: FlightParts) {
    this.#parts = parts;
  }

  /** Nodes that wait. */
  get waiting(): readonly NodeId[] {
    return [...this.#waiting.keys()];
  }

  /**
   * Clears a node for execution.
   *
   * @param seen - Who had made what stood under its key when it was looked up; undefined when it was not.
   * @param begun - What is recorded with the lease.
   */
  async clear(state: NodeState, seen: readonly StepRunId[] | undefined, begun: Change): Promise<Clearance> {
    // What is executed whatever is stored waits for nobody, and nobody waits for what nobody may take.
    if (state.unshared || ruleOut(state.policy, state.code) !== undefined) return { kind: "execute", lease: undefined };
    const { leases } = this.#parts;
    const { records } = this.#parts.recorder;
    // A store that refuses cannot tell others to wait, and does not keep the result for them either.
    if (records.isRefused) return { kind: "execute", lease: undefined };
    let acquired: Acquired;
    try {
      const also = { changes: [begun], ...(seen === undefined ? {} : { seen }) };
      acquired = await leases.acquire((state.key as Key).digest, state.stepRun.id, also);
    } catch (error) {
      records.refuse(error);
      return { kind: "execute", lease: undefined };
    }
    if (acquired.kind === "granted") return { kind: "execute", lease: acquired.lease };
    if (acquired.kind === "unseen") return { kind: "look-again" };
    const wait = leases.openWait(acquired.lease, above.getStore() ?? []);
    // A step that, through runs of its own, comes to need itself: nobody else will make it.
    return wait === undefined ? { kind: "execute", lease: undefined } : { kind: "wait", wait };
  }

  /** Executes under a lease, and ends it where what was executed has not. */
  async hold<T>(lease: HeldLease | undefined, execute: () => Promise<T>): Promise<T> {
    if (lease === undefined) return await execute();
    try {
      return await above.run([...(above.getStore() ?? []), lease.token], execute);
    } finally {
      await this.#parts.leases.end(lease);
    }
  }

  /** Waits for who executes the same, and answers whether the node is to be looked up again: else it was told to stop. */
  async wait(state: NodeState, opened: Wait): Promise<boolean> {
    using wait = opened;
    const { id } = state.node;
    const stop = new AbortController();
    this.#waiting.set(id, stop);
    const { recorder, leases } = this.#parts;
    const { holder } = wait.lease;
    const tell = (line: string | undefined): void =>
      recorder.emit({ kind: "step-waiting", time: Date.now(), step: state.stepRun.id, holder, line });
    tell(undefined);
    try {
      if (recorder.isHeard) void this.#follow(holder.stepRun, tell, stop.signal).catch(() => {});
      await leases.untilFree(wait, stop.signal);
      state.unshared = await this.#isNeverReused(holder.stepRun);
      return true;
    } catch (error) {
      if (stop.signal.aborted) return false;
      throw error;
    } finally {
      this.#waiting.delete(id);
      stop.abort();
    }
  }

  /** Whether a step run found that results of its step cannot be reused: then those who wait need not execute in turn. */
  async #isNeverReused(stepRun: StepRunId): Promise<boolean> {
    const [ended] = await this.#parts.metadata.stepRuns({ ids: [stepRun] });
    return ended?.obstacle?.code === "unobserved" || ended?.obstacle?.code === "own-output";
  }

  /** Ends the wait of a node, if it waits. */
  stop(node: NodeId): void {
    this.#waiting.get(node)?.abort();
  }

  /** Tells the newest line of another step run, again and again. */
  async #follow(stepRun: StepRunId, tell: (line: string) => void, signal: AbortSignal): Promise<void> {
    for (let afterSeq = -1; ;) {
      const last = (await this.#parts.metadata.logs({ stepRuns: [stepRun], afterSeq })).at(-1);
      if (signal.aborted) return;
      if (last !== undefined) {
        afterSeq = last.seq;
        tell(last.text);
      }
      // What is waited for keeps the process alive, or nothing does.
      await delay(followEveryMs, undefined, { signal, ref: false });
    }
  }
}
