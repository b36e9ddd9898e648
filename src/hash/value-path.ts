/** Where in a value a part of it is: `params.model.layers[2].init`. */

/** One step into a value. */
export type PathStep = string | number | { readonly map: "key" | "value" | "item"; readonly at: unknown };

const maxSteps = 24;

/** Writes a path as the expression that reads it; of a very long one, both ends. */
export function formatPath(root: string, steps: readonly PathStep[]): string {
  if (steps.length <= maxSteps) return root + steps.map(formatStep).join("");
  const [first, last] = [steps.slice(0, maxSteps / 2), steps.slice(-maxSteps / 2)];
  return `${root}${first.map(formatStep).join("")} … ${last.map(formatStep).join("")}`;
}

function formatStep(step: PathStep): string {
  if (typeof step === "number") return `[${step}]`;
  if (typeof step === "string") {
    return /^[A-Za-z_$][\w$]*$/u.test(step) ? `.${step}` : `[${JSON.stringify(shorten(step))}]`;
  }
  if (step.map === "value") {
    if (typeof step.at === "string") return `.get(${JSON.stringify(shorten(step.at))})`;
    return typeof step.at === "number" ? `.get(${step.at})` : ".get(…)";
  }
  return step.map === "key" ? `.keys()[${String(step.at)}]` : `.values()[${String(step.at)}]`;
}

function shorten(text: string): string {
  return text.length <= 40 ? text : `${text.slice(0, 39)}…`;
}
