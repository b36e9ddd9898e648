/** Keeps what happens: events to whoever listens, changes to the store, many in one transaction. */
import type { RunEvent } from "../record/event.ts";
import type { LogLine, MetricPoint } from "../record/run.ts";
import type { Change, Written } from "../store/metadata-store.ts";
import { outsideSteps } from "./log-capture.ts";
import type { Records } from "./records.ts";

/** Lines of a long step reach the store at least this often, so that another process can follow it. */
const flushEveryMs = 250;
const flushEveryLines = 500;

/** Where all that is waited for is there at once, nobody else gets a turn: neither timers nor signals. */
const longestWithoutTurnMs = 10;
let turnAt = 0;
/** That several wait for. */
let turn: Promise<void> | undefined;

async function takeTurn(): Promise<void> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  turn = undefined;
  turnAt = performance.now();
}

export class Recorder implements AsyncDisposable {
  readonly records: Records;
  readonly #listener: ((event: RunEvent) => void) | undefined;
  #changes: Change[] = [];
  #lines: LogLine[] = [];
  #points: MetricPoint[] = [];
  #writing: Promise<unknown> = Promise.resolve();
  /** The write whose turn has not come. */
  #next: Promise<Written> | undefined;
  /** How many writes are not done. */
  #unwritten = 0;
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;

  constructor(records: Records, listener: ((event: RunEvent) => void) | undefined) {
    this.records = records;
    this.#listener = listener;
  }

  /** Whether anybody listens. */
  get isHeard(): boolean {
    return this.#listener !== undefined;
  }

  emit(event: RunEvent): void {
    if (this.#listener === undefined) return;
    const listener = this.#listener;
    outsideSteps(() => listener(event));
  }

  /** Queues a change for the next {@link flush}. */
  add(...changes: readonly Change[]): void {
    this.#changes.push(...changes);
  }

  line(line: LogLine): void {
    this.#lines.push(line);
    this.emit({ kind: "log", time: line.time, line });
    this.#flushSoon(this.#lines.length);
  }

  point(point: MetricPoint): void {
    this.#points.push(point);
    this.emit({ kind: "metric", time: point.time, point });
    this.#flushSoon(this.#points.length);
  }

  /**
   * Writes all that is queued, after what is being written, and answers what that found out, to all who ask at the same
   * moment. Throws when the store refused it, or an earlier write.
   */
  async flush(): Promise<Written> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#unwritten += 1;
    const result = await (this.#next ??= this.#writeNext()).finally(() => (this.#unwritten -= 1));
    if (this.#failure !== undefined) throw this.#failure;
    return result;
  }

  #writeNext(): Promise<Written> {
    const written = this.#writing.then(async () => {
      // What is ready at this moment to be written as well comes before the next tick.
      await new Promise<void>((begin) => process.nextTick(begin));
      this.#next = undefined;
      const changes = this.#takeChanges();
      return changes.length > 0 ? await this.records.write(changes) : { lost: new Set<never>(), artifacts: [] };
    });
    this.#writing = written;
    return written;
  }

  #takeChanges(): readonly Change[] {
    const changes = this.#changes;
    if (this.#lines.length > 0) changes.push({ kind: "log", lines: this.#lines });
    if (this.#points.length > 0) changes.push({ kind: "metric", points: this.#points });
    this.#changes = [];
    this.#lines = [];
    this.#points = [];
    return changes;
  }

  /**
   * What is to be waited for before a step's function is called, which may block this process: that others had a turn of
   * the event loop, and that all that has ended is written. To be asked again after that; undefined when nothing is.
   *
   * @param kind - `quick` for one that did not block when it was called last: of these, several may go on together, and
   * their ends are written together. `waited` for another one that has waited for a turn of its own.
   */
  makeWay(kind: "quick" | "slow" | "waited"): Promise<unknown> | undefined {
    if (kind === "slow") return takeTurn();
    if (performance.now() > turnAt + longestWithoutTurnMs) return (turn ??= takeTurn());
    return kind === "waited" && this.#unwritten > 0 ? this.#writing.catch(() => {}) : undefined;
  }

  /** Writes what is left where that is possible: why it is not has been thrown already. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush().catch(() => {});
  }

  #flushSoon(queued: number): void {
    if (queued >= flushEveryLines) {
      this.#flushInBackground();
      return;
    }
    this.#timer ??= setTimeout(() => this.#flushInBackground(), flushEveryMs).unref();
  }

  #flushInBackground(): void {
    this.flush().catch((error: unknown) => {
      this.#failure = error;
    });
  }
}
