/** Compares a run with what the model says and with a run from nothing, and counts. */
import { isDeepStrictEqual } from "node:util";
import { isTold } from "./look.ts";
import { byNamespace, otherReads, sameBytes } from "./edit.ts";
import type { Outputs, Prediction } from "./model.ts";
import { nodeName } from "./print-project.ts";
import { stepOf, type Project } from "./project.ts";
import type { NodeOutcome, RunResult, RunWay } from "./tally.ts";

export interface SequenceReport {
  runs: number;
  interrupted: number;
  /** Runs of which two went on at once. */
  together: number;
  /** Nodes that ended in a way that the model can be asked about. */
  decisions: number;
  executed: number;
  reused: number;
  /** Decisions that the model leaves open. */
  open: number;
  /** Results that were reused because nobody could be asked whether they hold, or nothing said by what. */
  assumed: number;
  /** Outputs of which no run from nothing says what they should be. */
  unproved: number;
  falseMisses: number;
  /** What had been edited before a false miss, and the reason that Reprise gave: how often. */
  readonly causes: Record<string, number>;
  /** What was done, a line each. */
  readonly story: string[];
  /** False hits and wrong results; the sequence ends with the first. */
  readonly failures: string[];
  edits: number;
}

export type Predictions = ReadonlyMap<string, Prediction>;

export interface Run {
  readonly project: Project;
  readonly way: RunWay;
  readonly result: RunResult;
  /** By what the run itself handed to its nodes and what they found. */
  readonly predictions: Predictions;
  readonly reference: RunResult;
  /** By what the run from nothing handed to its nodes and what they found there. */
  readonly expectations: Predictions;
}

export class Judge {
  readonly report: SequenceReport = {
    runs: 0,
    interrupted: 0,
    together: 0,
    decisions: 0,
    executed: 0,
    reused: 0,
    open: 0,
    assumed: 0,
    unproved: 0,
    falseMisses: 0,
    causes: {},
    story: [],
    failures: [],
    edits: 0,
  };
  /** Names of all edits so far. */
  readonly edits: string[] = [];
  /** What came of the same code, arguments and finds before: from nothing, or else from the first that was executed. */
  readonly #truths = new Map<string, Outputs>();

  /** A step fails where it was made to; any other failure is a mistake in how projects are made, and would hide others. */
  expectWhole(project: Project, reference: RunResult): void {
    for (const node of project.nodes) {
      const status = reference.nodes.get(nodeName(node))?.status;
      const isMeant = status === "completed" || status === "skipped" || stepOf(project, node).fragile;
      if (!isMeant) this.report.failures.push(`the project is broken: ${nodeName(node)} was ${status}`);
    }
  }

  /** Runs that went on at once are judged together: of what they have in common one executes. */
  compare(runs: readonly Run[], hasDamage: () => boolean): void {
    for (const { expectations, reference } of runs) this.#learn(expectations, reference);
    for (const run of runs) {
      // A step that loads from a pipeline of its own what turns out to be altered fails, and what is below is skipped.
      const mayFail = hasDamage() && findFailedInside(run);
      const mayBreakOff = hasDamage() && run.way.interrupt?.kind === "cancel";
      for (const [name, prediction] of run.predictions) {
        const status = run.result.nodes.get(name)?.status;
        if (mayFail && (status === "failed" || status === "skipped")) continue;
        if ((mayFail || mayBreakOff) && isLeftByRepair(run, name)) continue;
        this.#compareNode(run, runs, name, prediction);
      }
      this.#compareInner(run, runs);
      if (run.way.interrupt === undefined && runs.length === 1) this.#compareTwins(run);
      this.#compareValues(run, hasDamage);
    }
  }

  #learn(expectations: Predictions, reference: RunResult): void {
    for (const [name, prediction] of expectations) {
      const node = reference.nodes.get(name);
      if (node?.status === "completed") this.#truths.set(momentOf(prediction), node.outputs);
    }
  }

  #compareNode(run: Run, runs: readonly Run[], name: string, prediction: Prediction): void {
    const { report } = this;
    const { result, way } = run;
    const { verdict, madeAt } = prediction;
    const node = result.nodes.get(name);
    if (node === undefined || !isJudged(node.status, way)) return;
    const facts = `${name} was ${node.status} (${node.reason}), the model says ${verdict}`;
    if (node.status === "skipped" || verdict === "skip") {
      if (node.status !== "skipped" || verdict !== "skip") report.failures.push(`wrong end: ${facts}`);
      return;
    }
    report.decisions += 1;
    if (node.executed) report.executed += 1;
    else report.reused += 1;
    if (verdict === "either") report.open += 1;
    if (!this.#isRight(run, name, prediction, node)) {
      report.failures.push(`${node.executed ? "wrong output" : "false hit"}: ${facts}`);
    } else if (!node.executed && verdict === "run" && !isMadeByAnother(run, runs, name, prediction)) {
      report.failures.push(`false hit with the right output: ${facts}`);
    }
    if (!node.executed) return;
    if (verdict === "hit") {
      this.#countMiss(this.#causeOf(run.project, name, madeAt ?? 0, node.reason), facts);
    } else if (verdict === "run" && run === runs[0] && isMadeByAnother(run, runs, name, prediction)) {
      this.#countMiss(`two runs at once: ${node.reason}`, facts);
    }
  }

  #isRight(
    { predictions, result, expectations, reference }: Run,
    name: string,
    prediction: Prediction,
    node: NodeOutcome,
  ): boolean {
    const { report } = this;
    if (!node.executed && prediction.assumed !== undefined) {
      report.assumed += 1;
      // Or what an equal node has just made, where that one was executed all the same.
      const made = [...predictions].filter(
        ([other, { key }]) => key === prediction.key && result.nodes.get(other)?.executed,
      );
      const expected = [...prediction.assumed, ...made.map(([other]) => result.nodes.get(other)!.outputs)];
      return expected.some((outputs) => isDeepStrictEqual(node.outputs, outputs));
    }
    const expectation = expectations.get(name)!;
    if (momentOf(expectation) === momentOf(prediction)) {
      const truth = reference.nodes.get(name)!;
      return (
        (node.status === "failed") === (truth.status === "failed") && isDeepStrictEqual(node.outputs, truth.outputs)
      );
    }
    // It was handed something else than in the run from nothing, by what is assumed or by files that were not written again.
    const truth = isTold(prediction.found) ? this.#truths.get(momentOf(prediction)) : undefined;
    if (truth !== undefined) return isDeepStrictEqual(node.outputs, truth);
    report.unproved += 1;
    if (node.status === "completed") this.#truths.set(momentOf(prediction), node.outputs);
    return true;
  }

  /** Steps in pipelines that steps run: those of which the outer one executed. */
  #compareInner({ project, predictions, result, reference }: Run, runs: readonly Run[]): void {
    const { report } = this;
    const all = runs.flatMap((run) => run.result.inner);
    for (const { pipeline, param, outcome } of result.inner) {
      const { status, executed, reason, outputs } = outcome;
      if (status !== "completed" && status !== "cached") continue;
      const isSame = (other: { readonly pipeline: string; readonly param: unknown }): boolean =>
        other.pipeline === pipeline && other.param === param;
      const prediction = [...predictions.values()]
        .flatMap(({ inner }) => inner)
        .find(({ call }) => isSame({ pipeline: `inner_${call.step}`, param: call.param }));
      if (prediction === undefined) continue;
      report.decisions += 1;
      if (executed) report.executed += 1;
      else report.reused += 1;
      const facts = `the step in ${pipeline} was ${status} (${reason}), the model says ${prediction.verdict}`;
      const truth = reference.inner.find(isSame)?.outcome.outputs;
      if (truth === undefined) report.unproved += 1;
      else if (!isDeepStrictEqual(outputs, truth)) {
        report.failures.push(`${executed ? "wrong output" : "false hit"}: ${facts}`);
      }
      const makers = all.filter((other) => isSame(other) && other.outcome.executed);
      if (!executed && prediction.verdict === "run" && makers.length === 0) {
        report.failures.push(`false hit with the right output: ${facts}`);
      }
      if (executed && prediction.verdict === "hit") {
        const step = project.steps.find(({ id }) => id === prediction.call.step)!;
        this.#countMiss(this.#causeOfStep(project, step, prediction.madeAt ?? 0, reason), facts);
      }
    }
  }

  /** Of equal nodes exactly one executes, whichever it is. */
  #compareTwins({ predictions, result: { nodes } }: Run): void {
    const groups = new Set([...predictions.values()].flatMap(({ twins }) => twins ?? []));
    for (const { names, isMadeAnyway } of groups) {
      if (isMadeAnyway) continue;
      const executed = names.filter((name) => nodes.get(name)?.executed);
      if (executed.length === 0) this.report.failures.push(`false hit: none of ${names.join()} executed`);
      for (const name of executed.slice(1)) {
        this.#countMiss("an equal node in the same run", `${name} executed as ${executed[0]} did`);
      }
    }
  }

  #compareValues({ way, result, reference }: Run, hasDamage: () => boolean): void {
    for (const [name, value] of result.values) {
      // Damage that nobody has seen before, or that could not be mended because the disk is full.
      const isDamaged = value === undefined && (way.interrupt?.kind === "refuse" || hasDamage());
      const node = name.slice(0, name.indexOf("_"));
      const isComparable = isDeepStrictEqual(result.nodes.get(node)?.outputs, reference.nodes.get(node)?.outputs);
      if (!isDamaged && isComparable && value !== reference.values.get(name)) {
        this.report.failures.push(`wrong value of ${name}: ${value} instead of ${reference.values.get(name)}`);
      }
    }
  }

  #countMiss(cause: string, facts: string): void {
    this.report.falseMisses += 1;
    this.report.causes[cause] = (this.report.causes[cause] ?? 0) + 1;
    this.report.story.push(`   false miss: ${facts} after ${cause}`);
  }

  #causeOf(project: Project, name: string, madeAt: number, reason: string): string {
    const node = project.nodes.find((each) => nodeName(each) === name)!;
    return this.#causeOfStep(project, stepOf(project, node), madeAt, reason);
  }

  /** What had been edited since the result was made that could have been reused, and what Reprise says. */
  #causeOfStep(project: Project, step: Project["steps"][number], madeAt: number, reason: string): string {
    const edits = [...new Set(this.edits.slice(madeAt))].toSorted();
    if (edits.includes(byNamespace)) return byNamespace;
    if (project.namespaces && edits.some((edit) => /declaration|step moved|as it was/u.test(edit))) {
      return "a declaration renamed, moved or exchanged for an equal one, imported as a namespace";
    }
    const reads = JSON.stringify(step.reads);
    if (reason === "http") return sameBytes;
    if (reason === "file" && reads.includes('"lstat"'))
      return "a link leads elsewhere, and the step asks only whether it is one";
    if (edits.includes(otherReads) && /^(?:code|import|cache-key)$/u.test(reason)) return otherReads;
    if (reads.includes('"memo"')) return "what another step read that shares a memo";
    if (reason === "env" && /"presence"|"names"/u.test(reads))
      return "another value of a variable of which only its presence counts";
    return `${edits.length === 0 ? "no edit" : edits.join(" + ")}: ${reason}`;
  }
}

const momentOf = ({ key, found }: Pick<Prediction, "key" | "found">): string => `${key} ${JSON.stringify(found)}`;

/** Whether a step failed that runs a pipeline, and does not fail where nothing is stored. */
function findFailedInside({ predictions, result, reference }: Run): boolean {
  return [...predictions].some(([name, { inner }]) => {
    return (
      inner.length > 0 && result.nodes.get(name)?.status === "failed" && reference.nodes.get(name)?.status !== "failed"
    );
  });
}

/** Whether a node ended before one above it was to be repaired, and that came to nothing: it stays as it ended. */
function isLeftByRepair({ predictions, expectations }: Run, name: string): boolean {
  return predictions.get(name)?.verdict === "skip" && expectations.get(name)?.verdict !== "skip";
}

/** Where a run was interrupted, only what came to an end of its own counts. */
export function isJudged(status: string, { interrupt }: RunWay): boolean {
  return interrupt === undefined || status === "completed" || status === "cached";
}

/** Whether a run that went on at the same time executed the same, for both. One that was killed may have done so unseen. */
function isMadeByAnother(run: Run, runs: readonly Run[], name: string, { isShared }: Prediction): boolean {
  if (!isShared) return false;
  return runs.some(({ result, way }) => {
    if (result === run.result) return false;
    const node = result.nodes.get(name);
    const isKilled = way.interrupt?.kind === "kill" && !run.result.nodes.get(name)!.executed;
    if (isKilled) return result.unfinished.has(name) || node?.executed === true;
    return node?.executed === true && node.status === "completed";
  });
}
