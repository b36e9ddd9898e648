/** A step's context without a run: what it says is collected instead of recorded. */
import type { JsonObject, JsonValue } from "../hash/json.ts";
import { checkMetric } from "./check-metric.ts";
import type { LogFunction, StepContext } from "./context.ts";
import { toFacts } from "./to-facts.ts";

export interface CollectedLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly text: string;
  readonly data?: JsonObject;
}

/** A {@link StepContext} for tests. Prints nothing; closing it (`await using`) removes its temporary folder. */
export interface TestContext extends StepContext, AsyncDisposable {
  /** What the step has said so far, in its order. */
  readonly collected: {
    readonly lines: readonly CollectedLine[];
    readonly metrics: readonly { readonly name: string; readonly value: number; readonly at?: number }[];
    readonly metadata: JsonObject;
    readonly tags: readonly string[];
  };
}

/** Opens a context for `step.run(inputs, context)`. `parts` replaces parts of it: a signal, an attempt. */
export function openTestContext(parts: Partial<StepContext> = {}): TestContext {
  const lines: CollectedLine[] = [];
  const metrics: { name: string; value: number; at?: number }[] = [];
  const metadata: Record<string, JsonValue> = {};
  const tags: string[] = [];
  let folder: Promise<string> | undefined;

  const logAt =
    (level: CollectedLine["level"]) =>
    (text: string, data?: JsonObject): void => {
      const line = { level, text };
      lines.push(data === undefined ? line : { ...line, data: toFacts(data, "The data of a log line") });
    };
  const log: LogFunction = Object.assign(logAt("info"), {
    debug: logAt("debug"),
    warn: logAt("warn"),
    error: logAt("error"),
  });
  return {
    log,
    metric(name, value, at) {
      checkMetric(name, value, at);
      metrics.push(at === undefined ? { name, value } : { name, value, at });
    },
    metadata: (facts) => void Object.assign(metadata, toFacts(facts, "Metadata")),
    tag: (...added) => void tags.push(...added),
    signal: new AbortController().signal,
    run: { id: "test", name: "test", pipeline: "test" },
    step: { name: "test", node: "test", attempt: 1 },
    tempDir: () => (folder ??= makeFolder()),
    ...parts,
    collected: { lines, metrics, metadata, tags },
    async [Symbol.asyncDispose]() {
      if (folder === undefined) return;
      const { rm } = await import("node:fs/promises");
      await rm(await folder, { recursive: true, force: true });
    },
  };
}

/** The one place where a definition touches a disk, and only when a step asks for it. */
async function makeFolder(): Promise<string> {
  const [{ mkdtemp }, { tmpdir }, { join }] = await Promise.all([
    import("node:fs/promises"),
    import("node:os"),
    import("node:path"),
  ]);
  return await mkdtemp(join(tmpdir(), "reprise-test-"));
}
