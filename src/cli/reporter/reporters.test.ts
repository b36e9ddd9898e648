/* oxlint-disable no-control-regex -- escape codes are what these tests are about */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Digest } from "../../hash/digest.ts";
import type { RunEvent } from "../../record/event.ts";
import type { RunId, StepRunId } from "../../record/id.ts";
import type { Run, StepRun } from "../../record/run.ts";
import { createReporter, type ReporterKind } from "./index.ts";
import type { ReporterOptions } from "./reporter.ts";

const root = mkdtempSync(join(tmpdir(), "reprise-reporter-"));
writeFileSync(join(root, "rag.ts"), "const hit = hits.find(isAnswer);\nreturn hit.score;\n");
after(() => rmSync(root, { recursive: true, force: true }));

const digest = `sha256:${"ab".repeat(32)}` as Digest;
const runId = "r-7k3f2m" as RunId;

const run: Run = {
  id: runId,
  name: "rag-22_Nov_26-12_05_54_573248",
  pipeline: "rag",
  version: 12,
  status: "running",
  params: { k: { digest, value: 8, shown: "8" } },
  stack: "default",
  cache: undefined,
  startedAt: 1000,
  finishedAt: undefined,
  git: undefined,
  environment: { node: "24", platform: "linux", arch: "x64", reprise: "0.1.0", host: "h", pid: 1 },
  tags: {},
  error: undefined,
  outputs: {},
};

const stepOf = (node: string, change: Partial<StepRun> = {}): StepRun => ({
  id: `${runId}/${node}` as StepRunId,
  run: runId,
  node,
  step: node,
  status: "running",
  reason: undefined,
  key: undefined,
  cache: "use",
  startedAt: 1100,
  finishedAt: undefined,
  attempts: [],
  inputs: [],
  outputs: [],
  origin: undefined,
  savedMs: undefined,
  error: undefined,
  metadata: {},
  tags: [],
  ...change,
});

const node = (id: string) => ({ id, step: id, arguments: {}, after: [] });

const start = (cache: Run["cache"] = undefined): RunEvent => ({
  kind: "run-started",
  time: 1000,
  run: { ...run, cache },
  version: {
    pipeline: "rag",
    version: 12,
    digest,
    plan: { nodes: [node("chunk"), node("embed"), node("report")], outputs: {} },
    code: {},
    createdAt: 1,
  },
  steps: 3,
  pipelineCache: "use",
});

const cached = stepOf("chunk", {
  status: "cached",
  reason: { code: "same-fingerprint", text: "nothing it depends on has changed", differences: [] },
  origin: "r-7k2p/chunk" as StepRunId,
  finishedAt: 1114,
  savedMs: 6200,
});
const embedReason = {
  code: "import" as const,
  text: "src/score.ts#cosine changed",
  differences: [
    { code: "import" as const, part: "src/score.ts#cosine", from: "1", to: "2", place: "src/score.ts:12" },
    { code: "param" as const, part: "k", from: "5", to: "8" },
  ],
};

const green: readonly RunEvent[] = [
  start(),
  { kind: "step-ended", time: 1114, step: cached },
  { kind: "step-started", time: 1120, step: stepOf("embed", { startedAt: 1120, reason: embedReason }) },
  {
    kind: "log",
    time: 1130,
    line: {
      stepRun: `${runId}/embed` as StepRunId,
      seq: 0,
      time: 1130,
      stream: "stdout",
      level: undefined,
      text: "\u001b[32m120 chunks\u001b[0m \u001b[2Jdone",
    },
  },
  {
    kind: "metric",
    time: 1140,
    point: { stepRun: `${runId}/embed` as StepRunId, name: "recall", step: undefined, value: 0.861, time: 1140 },
  },
  {
    kind: "step-ended",
    time: 1229,
    step: stepOf("embed", { status: "completed", reason: embedReason, startedAt: 1120, finishedAt: 1229 }),
  },
  { kind: "warning", time: 1230, step: undefined, message: "the disk is nearly full" },
  { kind: "step-started", time: 1230, step: stepOf("report", { startedAt: 1230 }) },
  {
    kind: "step-ended",
    time: 1260,
    step: stepOf("report", {
      status: "completed",
      reason: { code: "first-run", text: "it runs for the first time", differences: [] },
      startedAt: 1230,
      finishedAt: 1260,
    }),
  },
  { kind: "run-ended", time: 1417, run: { ...run, status: "completed", finishedAt: 1417 }, savedMs: 6200 },
];

const failure = {
  name: "TypeError",
  message: "Cannot read properties of undefined (reading 'score')",
  place: { file: "rag.ts", line: 2, column: 12 },
  stack: "TypeError: …\n    at score (rag.ts:2:12)",
};
const red: readonly RunEvent[] = [
  start("refresh"),
  { kind: "step-started", time: 1120, step: stepOf("embed", { startedAt: 1120 }) },
  {
    kind: "step-attempt-failed",
    time: 1150,
    step: stepOf("embed", { attempts: [{ startedAt: 1120, finishedAt: 1150, error: failure }] }),
    attempt: 1,
    willRetry: true,
  },
  {
    kind: "step-ended",
    time: 1240,
    step: stepOf("embed", {
      status: "failed",
      startedAt: 1120,
      finishedAt: 1240,
      error: failure,
      attempts: [
        { startedAt: 1120, finishedAt: 1150, error: failure },
        { startedAt: 1150, finishedAt: 1240, error: failure },
      ],
    }),
  },
  {
    kind: "step-ended",
    time: 1240,
    step: stepOf("report", {
      status: "skipped",
      reason: { code: "upstream-failed", text: '"embed" failed', differences: [] },
    }),
  },
  { kind: "run-ended", time: 1300, run: { ...run, status: "failed", finishedAt: 1300 }, savedMs: 0 },
];

interface Screen {
  readonly tty?: boolean;
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly options?: Partial<ReporterOptions>;
}

function show(kind: ReporterKind, events: readonly RunEvent[], screen: Screen = {}): string {
  let text = "";
  const { tty = false, columns = 100, env = { LANG: "C.UTF-8" }, options = {} } = screen;
  const stdout = { write: (part: string | Uint8Array) => (text += String(part)), isTTY: tty, columns };
  const reporter = createReporter(kind, { stdout, env }, { root, now: () => 1240, ...options });
  for (const event of events) reporter.report(event);
  reporter.close();
  return text;
}

test("the plain reporter prints the lines of the starter guide", (t) => {
  t.assert.snapshot(show("plain", green).split("\n"));
});

test("the plain reporter says when a run overrides the cache settings, and shows the failing line", (t) => {
  t.assert.snapshot(show("plain", red).split("\n"));
});

test("the plain reporter tells reasons with their codes when it is verbose, and little when it is quiet", (t) => {
  t.assert.snapshot(show("plain", green, { options: { level: "verbose" } }).split("\n"));
  t.assert.snapshot(show("plain", red, { options: { level: "quiet" } }).split("\n"));
});

test("the pretty reporter leaves finished lines, and compares with the last run", (t) => {
  const previous = {
    params: { k: { digest: "sha256:5" as Digest, value: 5, shown: "5" } },
    metrics: { "embed.recall": 0.829 },
  };
  t.assert.snapshot(show("pretty", green, { options: { previous } }).split("\n"));
});

test("the pretty reporter shows a failure with its line", (t) => {
  t.assert.snapshot(show("pretty", red).split("\n"));
});

test("the pretty reporter fits 40 columns in ASCII without colour", (t) => {
  const screen = { tty: true, columns: 40, env: { LANG: "C", NO_COLOR: "1", CI: "1" } };
  const text = show("pretty", [...green, ...red], screen);
  t.assert.snapshot(text.split("\n"));
  assert.match(text, /^[\u0000-\u007f]*$/u);
  assert.doesNotMatch(text, /\u001b/u);
});

test("on a live terminal every line but the last few stays as it was printed", () => {
  const text = show("pretty", green, { tty: true, columns: 100, env: { LANG: "C.UTF-8", NO_COLOR: "1" } });
  const { kept, widest } = replay(text);
  assert.deepEqual(kept, show("pretty", green, { env: { LANG: "C.UTF-8", NO_COLOR: "1" } }).split("\n"));
  assert.ok(widest <= 100);
});

test("nothing but a live terminal gets escape codes", () => {
  for (const kind of ["auto", "pretty", "plain", "json", "github"] as const) {
    for (const env of [{}, { TERM: "dumb" }, { CI: "1" }, { GITHUB_ACTIONS: "true" }]) {
      const text = show(kind, kind === "json" ? red : green, { env });
      assert.doesNotMatch(text, /\u001b/u, `${kind} ${JSON.stringify(env)}`);
    }
  }
});

test("auto is pretty on a terminal, github in its actions, plain elsewhere", () => {
  assert.match(show("auto", green, { tty: true }), /rag @ v12/u);
  assert.match(show("auto", green, { tty: true, env: { CI: "1" } }), /^Creating run for pipeline: rag$/mu);
  assert.match(show("auto", green, { env: { GITHUB_ACTIONS: "true" } }), /^::group::chunk/mu);
});

test("the github reporter groups a step's lines and annotates the failing line", (t) => {
  t.assert.snapshot(show("github", green).split("\n"));
  t.assert.snapshot(show("github", red).split("\n"));
});

test("the json reporter prints each event as it is", () => {
  const lines = show("json", green).trimEnd().split("\n");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    JSON.parse(JSON.stringify(green)),
  );
});

test("FORCE_COLOR colours a pipe, and a step's cursor movements are dropped all the same", () => {
  const text = show("plain", green, { env: { LANG: "C.UTF-8", FORCE_COLOR: "1" } });
  assert.match(text, /\u001b\[32m120 chunks/u);
  assert.doesNotMatch(text, /\u001b\[2J/u);
});

/** A terminal as far as the reporter needs one: what stands on it at the end. */
function replay(text: string): { readonly kept: readonly string[]; readonly widest: number } {
  let lines = [""];
  let widest = 0;
  for (const part of text.split(/(\u001b\[\d*[AJ]|\r|\n)/u)) {
    const up = /^\u001b\[(?<count>\d+)A$/u.exec(part)?.groups?.["count"];
    if (up !== undefined) lines = lines.slice(0, lines.length - Number(up));
    else if (part === "\n") lines.push("");
    else if (part === "\u001b[J") lines[lines.length - 1] = "";
    else if (part !== "\r") {
      lines[lines.length - 1] += part;
      widest = Math.max(widest, (lines.at(-1) ?? "").length);
    }
  }
  return { kept: lines, widest };
}

const waits = (line?: string, stepRun: string = "r-7k2p/embed", host: string = hostname()): RunEvent => ({
  kind: "step-waiting",
  time: 1120,
  step: `${runId}/embed` as StepRunId,
  holder: { process: { host, pid: 123 }, stepRun: stepRun as StepRunId },
  line,
});

const waited: readonly RunEvent[] = [
  start(),
  waits(),
  waits("epoch 3 of 9"),
  waits(undefined, "r-8h3q/embed", "elsewhere\u001b[2J"),
  waits(undefined, `${runId}/other`),
  {
    kind: "step-ended",
    time: 1229,
    step: stepOf("embed", {
      status: "cached",
      reason: { code: "made-meanwhile", text: "run r-7k2p made it meanwhile", differences: [] },
      origin: "r-7k2p/embed" as StepRunId,
      finishedAt: 1229,
      savedMs: 6200,
    }),
  },
];

test("a step that waits for another run says for which, and what became of it", (t) => {
  for (const kind of ["plain", "github", "pretty"] as const) t.assert.snapshot(show(kind, waited).split("\n"));
  assert.doesNotMatch(show("plain", waited.slice(0, -1), { options: { level: "quiet" } }), /waits/u);
});

test("on a live terminal a step that waits shows the last line of what it waits for", () => {
  const screen = { tty: true, columns: 100, env: { LANG: "C.UTF-8", NO_COLOR: "1" } };
  const printed: RunEvent = { kind: "warning", time: 1130, step: undefined, message: "something is printed" };
  const text = show("pretty", [...waited.slice(0, 3), printed], screen);
  assert.match(text, /embed {2}waits for run r-7k2p \(process 123\) {2}0\.12s {2}epoch 3 of 9$/mu);
  const { kept } = replay(show("pretty", waited, screen));
  assert.ok(kept.every((line) => !line.includes("waits")));
  assert.ok(
    kept.some((line) => /embed +cached +made meanwhile by r-7k2p +saved 6.2s/u.test(line)),
    kept.join("\n"),
  );
});

test("metrics that do not fit stand on the next line, and those left out are counted", () => {
  const names = Array.from({ length: 8 }, (_, at) => `metric_number_${at}`);
  const metrics = names.map((name, at): RunEvent => {
    const stepRun = `${runId}/embed` as StepRunId;
    return { kind: "metric", time: 1140, point: { stepRun, name, step: undefined, value: at + 0.125, time: 1140 } };
  });
  const ending = green.at(-1) as RunEvent;
  const text = show("pretty", [start(), ...metrics, ending], {
    tty: true,
    columns: 60,
    env: { LANG: "C.UTF-8", CI: "1", NO_COLOR: "1" },
  });
  for (const at of [0, 1, 2, 3, 4, 5]) assert.match(text, new RegExp(` metric_number_${at} ${at}\\.125\\b`, "u"));
  assert.match(text, /and 2 more metrics: reprise show r-/u);
  for (const line of text.split("\n")) assert.ok(line.length <= 60, line);
});

test("a result of the same run is named by its step, and digests are cut to eight digits", () => {
  const whole = "0123456789abcdef".repeat(4);
  const again = stepOf("chunk", { ...cached, run: runId, origin: `${runId}/first` as StepRunId });
  const changed = stepOf("embed", {
    status: "completed",
    startedAt: 1,
    finishedAt: 2,
    reason: {
      code: "param",
      text: "",
      differences: [{ code: "param", part: "lock", from: whole, to: `f${whole}`.slice(0, 64) }],
    },
  });
  const text = show("pretty", [
    start(),
    ...[again, changed].map((step): RunEvent => ({ kind: "step-ended", time: 2, step })),
  ]);
  assert.match(text, /cached {3}as first of this run/u);
  assert.match(text, /lock 01234567→f0123456 /u);
});
