/** The colour of a status; its word says the same. */
import type { RunStatus, StepRunStatus } from "../record/run.ts";
import type { Style } from "./print.ts";

export function styleOfStatus(status: RunStatus | StepRunStatus): Style {
  switch (status) {
    case "completed":
      return "green";
    case "cached":
      return "blue";
    case "failed":
      return "red";
    case "running":
      return "cyan";
    case "skipped":
      return "dim";
    default:
      return "yellow";
  }
}
