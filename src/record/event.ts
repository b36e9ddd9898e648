/** What happens in a run, as data: terminal, JSON output and dashboard are readers of the same stream. */
import type { CacheMode } from "../define/options.ts";
import type { Artifact } from "./artifact.ts";
import type { LeaseHolder } from "./lease.ts";
import type { PipelineVersion, Run, StepRun, LogLine, MetricPoint } from "./run.ts";

export type RunEvent =
  | {
      readonly kind: "run-started";
      readonly time: number;
      readonly run: Run;
      readonly version: PipelineVersion;
      readonly steps: number;
      /** What the pipeline itself says of caching, whatever the run says. */
      readonly pipelineCache: CacheMode;
    }
  /** Somebody else is executing what the step would: it waits for the result. Told anew for each line that the other one writes. */
  | {
      readonly kind: "step-waiting";
      readonly time: number;
      readonly step: StepRun["id"];
      readonly holder: LeaseHolder;
      /** The last line of the other step run. */
      readonly line: string | undefined;
    }
  | { readonly kind: "step-started"; readonly time: number; readonly step: StepRun }
  | {
      readonly kind: "step-attempt-failed";
      readonly time: number;
      readonly step: StepRun;
      readonly attempt: number;
      readonly willRetry: boolean;
    }
  | { readonly kind: "log"; readonly time: number; readonly line: LogLine }
  | { readonly kind: "metric"; readonly time: number; readonly point: MetricPoint }
  | { readonly kind: "artifact"; readonly time: number; readonly step: StepRun["id"]; readonly artifact: Artifact }
  | { readonly kind: "step-ended"; readonly time: number; readonly step: StepRun }
  | {
      readonly kind: "warning";
      readonly time: number;
      readonly step: StepRun["id"] | undefined;
      readonly message: string;
    }
  | { readonly kind: "run-ended"; readonly time: number; readonly run: Run; readonly savedMs: number };
