/** The leases of one store in this process: taken, kept alive while something executes, and waited for. */
import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { StepRunId } from "../record/id.ts";
import type { KeyDigest } from "../record/key.ts";
import type { Lease, LeaseToken } from "../record/lease.ts";
import type { AskedLease, LeaseAnswer, LeaseName, MetadataStore } from "../store/metadata-store.ts";
import { askProcessState, describeProcess, findProcessState, isHere } from "../store/process.ts";

/** A lease that this process holds. */
export interface HeldLease extends LeaseName {
  /** To be called when a change has ended it in the store: whoever waits for it in this process goes on. */
  ended(): void;
}

export type Acquired =
  | { readonly kind: "granted"; readonly lease: HeldLease }
  | Exclude<LeaseAnswer, { readonly kind: "granted" }>;

/** What is asked of the store besides the lease itself. */
export type AskedWith = Pick<AskedLease, "seen" | "changes">;

/** Somebody who waits for the holder of a lease, until it is disposed of. */
export interface Wait extends Disposable {
  readonly lease: Lease;
  /** Leases of the steps inside of which it waits: a step may run a pipeline. */
  readonly above: readonly LeaseToken[];
}

/** So often does a holder say that it lives, before it counts as dead. */
const beatsPerLease = 4;
const firstPauseMs = 25;
const longestPauseMs = 250;
/** Timers count in 32 bits. */
const longestTimerMs = 2 ** 31 - 1;

let ownInstance: string | undefined;

/** Of this copy of Reprise in this thread. Most runs execute nothing, and load nothing to draw it. */
function instance(): string {
  return (ownInstance ??= randomUUID());
}

/**
 * What this copy holds, of whatever store, or is about to take: settled when it has ended, or somebody took over. A lease
 * that bears this copy's word and is not among these is held by nobody.
 */
const alive = new Map<LeaseToken, Promise<void>>();

const opened = new WeakMap<MetadataStore, Leases>();

/**
 * Closes a store, and ends before that what is held in it: who executes for a store that is closed can record nothing
 * there. A store that refuses that is kept open and asked again, or other processes would wait for as long as this one lives.
 */
export async function closeStore(metadata: MetadataStore): Promise<void> {
  await (opened.get(metadata)?.close() ?? metadata[Symbol.asyncDispose]());
}

/** The leases of a store: the same for all runs of this process. */
export function leasesOf(metadata: MetadataStore, leaseMs: number): Leases {
  const known = opened.get(metadata) ?? new Leases(metadata, leaseMs);
  opened.set(metadata, known);
  return known;
}

export class Leases {
  readonly #metadata: MetadataStore;
  readonly #leaseMs: number;
  readonly #held = new Map<LeaseToken, HeldLease>();
  /** Holders that gave no sign of life: the beat at which they stayed. */
  readonly #silent = new Map<LeaseToken, number>();
  readonly #waits = new Set<Wait>();
  /** Ended here, and not yet in the store, which refused. */
  readonly #unended = new Map<LeaseToken, LeaseName>();
  #timer: NodeJS.Timeout | undefined;
  #isClosing = false;

  /** @param leaseMs - How long a holder that gives no sign of life keeps a lease, where nothing else can be told of it. */
  constructor(metadata: MetadataStore, leaseMs: number) {
    this.#metadata = metadata;
    this.#leaseMs = leaseMs;
  }

  /** Takes the lease of a key, if nobody has it or who has it is dead. */
  async acquire(key: KeyDigest, stepRun: StepRunId, also: AskedWith = {}): Promise<Acquired> {
    const lease = this.#open(key);
    const { token } = lease;
    const asked = { ...also, key, token, holder: { process: describeProcess(), instance: instance(), stepRun } };
    try {
      let answer = await this.#metadata.acquireLease(asked);
      if (answer.kind === "held" && this.#isDead(answer.lease)) {
        this.#silent.delete(answer.lease.token);
        answer = await this.#metadata.acquireLease({ ...asked, insteadOf: answer.lease });
      }
      if (answer.kind === "granted") {
        this.#held.set(token, lease);
        this.#startBeating();
        return { kind: "granted", lease };
      }
      lease.ended();
      return answer;
    } catch (error) {
      lease.ended();
      throw error;
    }
  }

  /** Ends a lease that no change has ended. What the store refuses is tried again later. */
  async end(lease: HeldLease): Promise<void> {
    if (!this.#held.has(lease.token)) return;
    const name: LeaseName = { key: lease.key, token: lease.token };
    try {
      await this.#metadata.write([{ kind: "end-lease", lease: name, changes: [], otherwise: [] }]);
    } catch {
      this.#unended.set(name.token, name);
    }
    lease.ended();
  }

  /** Ends all that is held, and closes the store when it has taken that. */
  async close(): Promise<void> {
    this.#isClosing = true;
    for (const { key, token, ended } of this.#held.values()) {
      this.#unended.set(token, { key, token });
      ended();
    }
    if (this.#unended.size > 0) await this.#beat();
    await this.#closeWhenEnded();
  }

  /** Opens a wait; undefined when its end would wait for itself, through this and other waits of this process. */
  openWait(lease: Lease, above: readonly LeaseToken[]): Wait | undefined {
    const seen = new Set<LeaseToken>([lease.token]);
    for (const token of seen) {
      if (above.includes(token)) return undefined;
      for (const other of this.#waits) if (other.above.includes(token)) seen.add(other.lease.token);
    }
    const wait: Wait = { lease, above, [Symbol.dispose]: () => void this.#waits.delete(wait) };
    this.#waits.add(wait);
    return wait;
  }

  /**
   * Waits until a lease may be asked for again: it has ended, somebody else has it, or who has it is dead.
   *
   * Of a process of this machine it is seen when it ends. Of any other, and of one that was stopped, only its beat
   * tells; its silence is counted by this process's own steady clock, while this process itself is awake.
   */
  async untilFree({ lease }: Wait, signal: AbortSignal): Promise<void> {
    let { beat } = lease;
    let silentMs = 0;
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
      const own = alive.get(lease.token);
      if (own !== undefined) return await untilAborted(own, signal);
      if (lease.holder.instance === instance()) return;
      const startedAt = performance.now();
      await delay(pauseMs, undefined, { signal });
      const now = (await this.#metadata.leases([lease.key])).get(lease.key);
      if (now?.token !== lease.token) return;
      const { process } = lease.holder;
      // Another copy of Reprise in this very thread, which blocks nobody's beat at this moment.
      const isOtherCopy = isHere(process);
      const state = isOtherCopy ? "unknown" : findProcessState(process);
      if (state === "gone") return;
      // Who slept for an hour has not listened for an hour.
      const listenedMs = Math.min(performance.now() - startedAt, 2 * pauseMs);
      silentMs = state === "running" || now.beat !== beat ? 0 : silentMs + listenedMs;
      beat = now.beat;
      if (silentMs < this.#leaseMs) continue;
      // A step may block its process, which then cannot say that it lives.
      if (!isOtherCopy && (await askProcessState(process)) === "running") {
        silentMs = 0;
        continue;
      }
      this.#silent.set(lease.token, beat);
      return;
    }
  }

  /** Known here before the store knows of it: nobody is to take it for one that is left over. */
  #open(key: KeyDigest): HeldLease {
    const token = randomUUID() as string as LeaseToken;
    const { promise: over, resolve } = Promise.withResolvers<void>();
    alive.set(token, over);
    return {
      key,
      token,
      ended: () => {
        alive.delete(token);
        this.#held.delete(token);
        this.#restIfIdle();
        resolve();
      },
    };
  }

  #startBeating(): void {
    const pauseMs = Math.min(this.#leaseMs / beatsPerLease, longestTimerMs);
    this.#timer ??= setInterval(() => void this.#beat().then(() => this.#closeWhenEnded()), pauseMs).unref();
  }

  #isDead({ token, beat, holder }: Lease): boolean {
    if (holder.instance === instance()) return !alive.has(token);
    return this.#silent.get(token) === beat || findProcessState(holder.process) === "gone";
  }

  async #beat(): Promise<void> {
    const leases = [...this.#held.values()].map(({ key, token }) => ({ key, token }));
    const unended = [...this.#unended.values()];
    try {
      const { lost } = await this.#metadata.write([
        { kind: "beat-leases", leases },
        ...unended.map((lease) => ({ kind: "end-lease" as const, lease, changes: [], otherwise: [] })),
      ]);
      // Whoever waits for it here has to wait for somebody else now.
      for (const token of lost) this.#held.get(token)?.ended();
      for (const { token } of unended) this.#unended.delete(token);
      this.#restIfIdle();
    } catch {
      // A store that is full or closed: the next beat tries again, and who executes finds out by itself.
    }
  }

  async #closeWhenEnded(): Promise<void> {
    if (!this.#isClosing || this.#unended.size > 0) return;
    this.#isClosing = false;
    await this.#metadata[Symbol.asyncDispose]();
  }

  #restIfIdle(): void {
    if (this.#held.size > 0 || this.#unended.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

async function untilAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = (): void => reject(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
