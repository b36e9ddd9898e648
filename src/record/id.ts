/** Ids of what is remembered. All are strings that sort by time of creation within their kind. */

/** `r-` and a short typeable text: `r-7k3f2m`. */
export type RunId = string & { readonly __brand: "RunId" };
/** A run's id, a slash, and the node's id: `r-7k3f2m/splitter`. */
export type StepRunId = string & { readonly __brand: "StepRunId" };

export function toStepRunId(run: RunId, node: string): StepRunId {
  return `${run}/${node}` as StepRunId;
}
