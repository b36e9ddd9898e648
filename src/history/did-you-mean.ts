/** A hint for a near miss. */
import { suggestName } from "../define/suggest-name.ts";

/** `Did you mean "model"?`, or undefined when nothing known is near. */
export function didYouMean(word: string, known: Iterable<string>): string | undefined {
  const name = suggestName(word, known);
  return name === undefined ? undefined : `Did you mean "${name}"?`;
}
