/** Facts that a step gives with a line or about itself, as JSON has them: a copy, which nobody changes afterwards. */
import { ValueError } from "../error.ts";
import type { JsonObject } from "../hash/json.ts";
import { showValue } from "../hash/show-value.ts";

/** Throws a ValueError (RPS2004) for what JSON cannot have: a big integer, a record that holds itself, what is no record. */
export function toFacts(given: unknown, what: string): JsonObject {
  const refuse = (why: string, cause?: unknown): ValueError =>
    new ValueError("RPS2004", `${what} cannot be recorded: ${why}`, {
      hint: "Pass a record of what JSON can hold, such as { rows: 3 }",
      ...(cause === undefined ? {} : { cause }),
    });
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw refuse(`${showValue(given, 60)} is no record`);
  let text: string | undefined;
  try {
    text = JSON.stringify(given);
  } catch (cause) {
    throw refuse((cause as Error).message.split("\n")[0] as string, cause);
  }
  const facts: unknown = text === undefined ? undefined : JSON.parse(text);
  if (typeof facts !== "object" || facts === null || Array.isArray(facts)) throw refuse("it is written as no record");
  return facts as JsonObject;
}
