/** A real project and its store in a temporary folder, played in this process as a new process would play it. */
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { outsideStep } from "../../src/define/step-scope.ts";
import { runPlan, type RunPlanOptions } from "../../src/runner/run.ts";
import { toRunHandle } from "../../src/stack/run-handle.ts";
import { openStack, type Stack } from "../../src/stack/stack.ts";
import { loadPlan } from "../model/load.ts";
import { repository } from "../rig/project.ts";

/** Files by path. `pipeline.ts` exports the pipeline as `main`. */
export type Sources = Readonly<Record<string, string>>;

export interface PlayOptions extends RunPlanOptions {
  readonly params?: Readonly<Record<string, unknown>>;
  /** Done when the modules are loaded, before the first step runs. */
  readonly afterLoad?: () => void;
}

export interface Played {
  readonly id: string;
  /** `NODE STATUS: REASON`, in the order of the plan. */
  readonly steps: readonly string[];
  /** The runs that made what was reused, in the order of the plan. */
  readonly origins: readonly string[];
  /** What came out, where it is there. */
  readonly outputs: Readonly<Record<string, unknown>>;
  /** All that the run and its steps said of themselves: warnings, notices, obstacles, errors. */
  readonly told: string;
}

export class Playground implements Disposable {
  #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static open(sources: Sources): Playground {
    const root = realpathSync(mkdtempSync(join(tmpdir(), "reprise-case-")));
    const playground = new Playground(root);
    playground.write({
      "package.json": JSON.stringify({ name: "project", private: true, type: "module" }),
      ...sources,
    });
    symlinkSync(repository, join(playground.at("node_modules"), "reprise"), "dir");
    for (const name of ["apache-arrow", "tsx"]) {
      symlinkSync(join(repository, "node_modules", name), join(playground.at("node_modules"), name), "dir");
    }
    return playground;
  }

  get root(): string {
    return this.#root;
  }

  /** The path of a file of the project. */
  at(path: string): string {
    const full = join(this.#root, path);
    if (path === "node_modules") mkdirSync(full, { recursive: true });
    return full;
  }

  write(sources: Sources): void {
    for (const [path, text] of Object.entries(sources)) {
      const full = join(this.#root, path);
      mkdirSync(dirname(full), { recursive: true });
      writeFileSync(full, text);
    }
  }

  /** Replaces the one occurrence of a text. */
  edit(path: string, from: string, to: string): void {
    const parts = readFileSync(this.at(path), "utf8").split(from);
    if (parts.length !== 2) throw new Error(`${path} holds ${JSON.stringify(from)} ${parts.length - 1} times`);
    writeFileSync(this.at(path), parts.join(to));
  }

  remove(path: string): void {
    rmSync(this.at(path), { recursive: true });
  }

  /** To a folder of another name, with its store. */
  move(): void {
    const to = `${this.#root}-moved`;
    process.chdir(tmpdir());
    renameSync(this.#root, to);
    this.#root = to;
  }

  /** Runs the pipeline from modules that are loaded anew. */
  async play({ params = {}, afterLoad, ...options }: PlayOptions = {}): Promise<Played> {
    process.chdir(this.#root);
    await using stack = await openStack({ cwd: this.#root });
    const plan = await loadPlan(this.#root, stack.code, params);
    if (afterLoad !== undefined) outsideStep(afterLoad);
    return await playOn(plan, stack, options);
  }

  [Symbol.dispose](): void {
    process.chdir(repository);
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 3 });
  }
}

/** Runs a plan on a stack. */
export async function playOn(
  plan: Parameters<typeof runPlan>[0],
  stack: Stack,
  options: RunPlanOptions = {},
): Promise<Played> {
  const told: string[] = [];
  const outcome = await runPlan(plan, stack, {
    ...options,
    onEvent: (event) => {
      options.onEvent?.(event);
      if (event.kind === "warning") told.push(event.message);
    },
  });
  for (const { notices = [], obstacle, error, reason } of outcome.steps) {
    told.push(...notices.map(({ text }) => text), obstacle?.text ?? "", error?.message ?? "", reason?.text ?? "");
    told.push(...(reason?.differences ?? []).map(({ part }) => part));
  }
  const outputs: Record<string, unknown> = {};
  for (const [name, output] of Object.entries(toRunHandle(plan, outcome, stack).outputs)) {
    try {
      outputs[name] = await output.load();
    } catch (error) {
      if (outcome.run.status === "completed") throw error;
    }
  }
  return {
    id: outcome.run.id,
    steps: outcome.steps.map(({ node, status, reason }) => `${node} ${status}: ${reason?.code}`),
    origins: outcome.steps.flatMap(({ origin }) =>
      origin === undefined ? [] : [origin.slice(0, origin.indexOf("/"))],
    ),
    outputs,
    told: told.filter((line) => line !== "").join("\n"),
  };
}

/** A pipeline of the one step `work` of `steps.ts`, without params. */
export const single = `
import { pipeline } from "reprise";
import { work } from "./steps.ts";
export const main = pipeline({ name: "main", build: () => ({ y: work() }) });
`;

export const firstTime = ["work completed: first-run"] as const;
export const cached = ["work cached: same-fingerprint"] as const;
