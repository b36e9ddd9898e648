/** Ages in flags. */
import { toMilliseconds } from "../define/duration.ts";
import { UsageError } from "../error.ts";

/** `30d` as milliseconds. Throws a UsageError that names the flag. */
export function parseAge(flag: string, text: string): number {
  const ms = toMilliseconds(text);
  if (ms !== undefined) return ms;
  throw new UsageError("RPS6001", `--${flag} needs a duration, but got "${text}"`, { hint: "Write 30d or 12h" });
}
