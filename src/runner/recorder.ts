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

export class Recorder implements AsyncDisposable {
  readonly records: Records;
  readonly #listener: ((event: RunEvent) => void) | undefined;
  #changes: Change[] = [];
  #lines: LogLine[] = [];
  #points: MetricPoint[] = [];
  #writing: Promise<unknown> = Promise.resolve();
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

  /** Writes all that is queued, after what is being written, and answers what that found out. Throws when the store refused it, or an earlier write. */
  async flush(): Promise<Written> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const changes = this.#changes;
    if (this.#lines.length > 0) changes.push({ kind: "log", lines: this.#lines });
    if (this.#points.length > 0) changes.push({ kind: "metric", points: this.#points });
    this.#changes = [];
    this.#lines = [];
    this.#points = [];
    const before = this.#writing;
    const written = before.then(async () =>
      changes.length > 0 ? await this.records.write(changes) : { lost: new Set<never>(), artifacts: [] },
    );
    this.#writing = written;
    this.#unwritten += 1;
    const result = await written.finally(() => (this.#unwritten -= 1));
    if (this.#failure !== undefined) throw this.#failure;
    return result;
  }

  /**
   * What is to be waited for before something that may block this process: that others had a turn of the event loop, and,
   * unless it is known to be quick, that all that has ended is written. To be asked again after that; undefined when nothing is.
   */
  makeWay({ isQuick }: { readonly isQuick: boolean }): Promise<unknown> | undefined {
    if (performance.now() < turnAt + longestWithoutTurnMs) {
      return this.#unwritten > 0 && !isQuick ? this.#writing.catch(() => {}) : undefined;
    }
    return new Promise((resolve) => {
      setImmediate(() => {
        turnAt = performance.now();
        resolve(undefined);
      });
    });
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
