import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { NodeId, PlanNode } from "../define/plan.ts";
import { Schedule } from "./schedule.ts";

const id = (index: number): NodeId => `n${index}` as NodeId;

function makeNode(index: number, needs: readonly number[]): PlanNode {
  return { id: id(index), arguments: {}, after: needs.map(id) } as unknown as PlanNode;
}

/** A random graph in which a node needs only nodes before it. */
const graphs = fc
  .integer({ min: 1, max: 25 })
  .chain((count) =>
    fc.tuple(
      ...Array.from({ length: count }, (_, index) => fc.subarray(Array.from({ length: index }, (__, at) => at))),
    ),
  );

function makeSchedule(graph: readonly (readonly number[])[]): Schedule {
  const nodes = graph.map((needs, index) => makeNode(index, needs));
  return new Schedule(nodes, new Set(nodes.map((node) => node.id)));
}

function needed(graph: readonly (readonly number[])[], from: number): Set<number> {
  const found = new Set<number>();
  const visit = (index: number): void => {
    for (const need of graph[index] ?? []) {
      if (found.has(need)) continue;
      found.add(need);
      visit(need);
    }
  };
  visit(from);
  return found;
}

test("every node is handed out once, after all that it needs", () => {
  fc.assert(
    fc.property(graphs, fc.infiniteStream(fc.nat()), (graph, choices) => {
      const schedule = makeSchedule(graph);
      const done = new Set<string>();
      const taken: PlanNode[] = [];
      let count = 0;
      while (!schedule.finished) {
        const ready = schedule.take();
        count += ready.length;
        for (const node of ready) assert.ok(node.after.every((need) => done.has(need)));
        taken.push(...ready);
        const [next] = taken.splice((choices.next().value as number) % taken.length, 1);
        assert.ok(next);
        done.add(next.id);
        schedule.done(next.id);
      }
      assert.equal(count, graph.length);
    }),
  );
});

test("a dropped node takes exactly those with it that need it", () => {
  fc.assert(
    fc.property(graphs, fc.nat(), (graph, choice) => {
      const schedule = makeSchedule(graph);
      const victim = choice % graph.length;
      const played: string[] = [];
      let dropped: readonly string[] = [];
      while (!schedule.finished) {
        for (const node of schedule.take()) {
          if (node.id === id(victim)) dropped = schedule.drop(node.id);
          else {
            schedule.done(node.id);
            played.push(node.id);
          }
        }
      }
      const expected = graph.map((_, index) => index).filter((index) => needed(graph, index).has(victim));
      assert.deepEqual(dropped, expected.map(id));
      assert.equal(played.length + dropped.length + 1, graph.length);
    }),
  );
});

test("a reopened node is taken again, and a taken node that waits for it afterwards", () => {
  const schedule = makeSchedule([[], [0], [1]]);
  const [first] = schedule.take();
  schedule.done(first!.id);
  assert.deepEqual(
    schedule.take().map((node) => node.id),
    [id(1)],
  );
  schedule.reopen(id(0), [id(1)]);
  assert.deepEqual(
    schedule.take().map((node) => node.id),
    [id(0)],
  );
  schedule.done(id(0));
  assert.deepEqual(
    schedule.take().map((node) => node.id),
    [id(1)],
  );
  schedule.done(id(1));
  assert.deepEqual(
    schedule.take().map((node) => node.id),
    [id(2)],
  );
  schedule.done(id(2));
  assert.ok(schedule.finished);
});

test("a reopened node whose dependants are done leaves them done", () => {
  const schedule = makeSchedule([[], [0]]);
  for (const index of [0, 1]) {
    schedule.take();
    schedule.done(id(index));
  }
  assert.ok(schedule.finished);
  schedule.reopen(id(0));
  assert.ok(!schedule.finished);
  schedule.take();
  schedule.done(id(0));
  assert.ok(schedule.finished);
});

test("a chain of any length can be dropped at its head", () => {
  const graph = Array.from({ length: 20_000 }, (_, index) => (index === 0 ? [] : [index - 1]));
  const schedule = makeSchedule(graph);
  schedule.take();
  const dropped = schedule.drop(id(0));
  assert.equal(dropped.length, 19_999);
  assert.deepEqual(dropped.slice(0, 2), [id(1), id(2)]);
  assert.ok(schedule.finished);
});
