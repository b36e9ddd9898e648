/** Durations as people write them. */
import { DefinitionError } from "../error.ts";
import { showValue } from "../hash/show-value.ts";
import type { Duration } from "./options.ts";

const millisecondsPerUnit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;

/**
 * The milliseconds of a {@link Duration}. A number counts as milliseconds; `Infinity` is a duration without end.
 * Throws a DefinitionError (RPS1012) on anything else.
 */
export function parseDuration(duration: Duration | string): number {
  const milliseconds = toMilliseconds(duration);
  if (milliseconds === undefined) {
    throw new DefinitionError([
      { code: "RPS1012", message: `${showValue(duration)} is no duration`, hint: durationHint },
    ]);
  }
  return milliseconds;
}

export const durationHint = 'Write a number with a unit (ms, s, m, h, d, w) as in "90s" or "7d", or milliseconds';

/** As {@link parseDuration}; undefined where that throws. */
export function toMilliseconds(duration: unknown): number | undefined {
  if (typeof duration === "number") return duration >= 0 ? duration : undefined;
  if (typeof duration !== "string") return undefined;
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|w)$/u.exec(duration);
  if (match === null) return undefined;
  const milliseconds = Number(match[1]) * millisecondsPerUnit[match[2] as keyof typeof millisecondsPerUnit];
  // Rounded, because 1.1 * 60_000 is not whole in binary fractions.
  return Number.isFinite(milliseconds) ? Math.round(milliseconds) : undefined;
}
