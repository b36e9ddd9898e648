import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DefinitionError } from "../error.ts";
import { checkPlan } from "./check-plan.ts";
import type { NodeId, Plan, PlanNode } from "./plan.ts";
import { step } from "./step.ts";

const { definition } = step({ name: "any", run: () => 1 });

function makePlan(edges: Readonly<Record<string, readonly string[]>>, changes: Partial<Plan> = {}): Plan {
  const nodes = Object.entries(edges).map(([id, inputs]): PlanNode => ({
    id: id as NodeId,
    step: definition,
    arguments: {
      inputs: { kind: "list", items: inputs.map((node) => ({ kind: "ref", node: node as NodeId, output: "output" })) },
    },
    after: [],
    callOptions: {},
    pipelineOptions: [],
  }));
  return { place: undefined, pipeline: "by_hand", params: {}, nodes, outputs: {}, options: {}, ...changes };
}

const messages = (plan: Plan): readonly string[] => {
  try {
    checkPlan(plan);
    return [];
  } catch (error) {
    assert.ok(error instanceof DefinitionError);
    return error.problems.map((problem) => `${problem.code} ${problem.message}`);
  }
};

test("a plan without a cycle passes, in whatever order its nodes stand", () => {
  assert.deepEqual(messages(makePlan({ c: ["a", "b"], b: ["a"], a: [] })), []);
});

test("a cycle is shown in the direction in which data flows", () => {
  assert.deepEqual(messages(makePlan({ a: ["c"], b: ["a"], c: ["b"] })), [
    'RPS1005 The plan of "by_hand" has a cycle: a → b → c → a',
  ]);
  assert.deepEqual(messages(makePlan({ a: ["a"] })), ['RPS1005 The plan of "by_hand" has a cycle: a → a']);
});

test("edges to nowhere, doubled nodes and bad names are told all at once", () => {
  const plan = makePlan({ a: ["x"], "b c": [] });
  const outputs: Plan["outputs"] = { model: { kind: "ref", node: "y" as NodeId, output: "model" } };
  assert.deepEqual(messages({ ...plan, nodes: [...plan.nodes, plan.nodes[0]!], outputs }), [
    `RPS1008 The name of node "b c", "b c", holds more than letters, digits, "_" and "-"`,
    'RPS1006 Two nodes of the plan of "by_hand" are named "a"',
    'RPS1009 Node "a" depends on "x", which is no node of the plan',
    'RPS1009 Node "a" depends on "x", which is no node of the plan',
    'RPS1009 Output "model" depends on "y", which is no node of the plan',
  ]);
});

test("a chain of ten thousand nodes is checked without deep recursion", () => {
  const names = Array.from({ length: 10_000 }, (_, index) => `n${index}`);
  const chain = Object.fromEntries(names.map((name, index) => [name, index === 0 ? [] : [names[index - 1]!]]));
  assert.deepEqual(messages(makePlan(chain)), []);
});

test("random graphs have a cycle exactly where sorting them fails", () => {
  const graph = fc
    .integer({ min: 1, max: 8 })
    .chain((size) =>
      fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 14 }).map((edges) => ({ size, edges })),
    );
  fc.assert(
    fc.property(graph, ({ size, edges }) => {
      const inputs = Object.fromEntries(
        Array.from({ length: size }, (_, node) => [
          `n${node}`,
          edges.filter(([to]) => to === node).map(([, from]) => `n${from}`),
        ]),
      );
      const found = messages(makePlan(inputs)).some((message) => message.startsWith("RPS1005"));
      assert.equal(found, !isSortable(inputs));
    }),
  );
});

/** By taking away what waits for nothing until nothing is left. */
function isSortable(inputs: Readonly<Record<string, readonly string[]>>): boolean {
  const left = new Map(Object.entries(inputs));
  for (;;) {
    const ready = [...left].filter(([, wanted]) => wanted.every((each) => !left.has(each)));
    if (ready.length === 0) return left.size === 0;
    for (const [node] of ready) left.delete(node);
  }
}
