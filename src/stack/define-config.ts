/** What a configuration file says. */
import type { Materializer } from "../define/materializer.ts";
import type { StepOptions } from "../define/options.ts";

/** Where artifacts and metadata live, and how steps run. */
export interface StackConfig {
  /** The store's folder, relative to the configuration file. `.reprise` by default. */
  readonly store?: string;
  /** How many steps may execute at once; the number of processors by default. */
  readonly jobs?: number;
  /** Options of all steps and pipelines that do not say otherwise. */
  readonly defaults?: StepOptions;
}

export interface Config extends StackConfig {
  /** Further stacks by name; each takes what it does not say from the top level. `default` is always there. */
  readonly stacks?: Readonly<Record<string, StackConfig>>;
  /** The stack that is used when none is named. */
  readonly stack?: string;
  /** Materializers of the project's own, asked before the built-in ones. */
  readonly materializers?: readonly Materializer[];
  /** Files with pipelines, relative to the configuration file, besides every `*.pipeline.ts`. */
  readonly pipelines?: readonly string[];
}

/** Types a configuration: `export default defineConfig({ … })`. */
export function defineConfig(config: Config): Config {
  return config;
}
