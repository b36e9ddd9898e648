/** `reprise completion`. */
import { renderCompletion, type Shell } from "../completion.ts";
import type { Handler } from "../context.ts";

export const completion: Handler<"completion"> = async (context) => {
  const script = renderCompletion(context.args[0] as Shell);
  context.answer({ script }, () => void context.io.stdout.write(script));
};
