/** For names that may be of one kind or of another. */
import { UsageError } from "../error.ts";

/** The answer, or undefined where there is nothing of that name. */
export async function orUndefined<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}
