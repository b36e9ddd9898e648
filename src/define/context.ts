/** What a step gets besides its inputs. */
import type { JsonObject, JsonValue } from "../hash/json.ts";

export interface LogFunction {
  (text: string, data?: JsonObject): void;
  debug(text: string, data?: JsonObject): void;
  warn(text: string, data?: JsonObject): void;
  error(text: string, data?: JsonObject): void;
}

/** The second argument of a step's function. All of it may be destructured. */
export interface StepContext {
  /** Writes a line to the step's log; kept with the result, so a reused step shows it too. */
  readonly log: LogFunction;
  /** Records a number: a scalar, or a point of a series when `at` is given (an epoch, a batch). */
  metric(name: string, value: number, at?: number): void;
  /** Adds facts to the step run; a later value of a key replaces the earlier one. */
  metadata(facts: Readonly<Record<string, JsonValue>>): void;
  /** Marks the step run. */
  tag(...tags: readonly string[]): void;
  /** Aborted when the run is cancelled or the step has timed out. */
  readonly signal: AbortSignal;
  readonly run: { readonly id: string; readonly name: string; readonly pipeline: string };
  readonly step: { readonly name: string; readonly node: string; readonly attempt: number };
  /** An empty folder of this attempt's own, removed when it has ended. */
  tempDir(): Promise<string>;
}
