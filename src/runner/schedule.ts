/** What is ready: the state of a plan's nodes while a run goes on. Pure: no clock, no I/O. */
import { dependenciesOf } from "../cache/node-key.ts";
import { assertInternal } from "../error.ts";
import type { NodeId, PlanNode } from "../define/plan.ts";

type State = "waiting" | "ready" | "taken" | "done" | "dropped";

interface Entry {
  readonly node: PlanNode;
  readonly needs: ReadonlySet<NodeId>;
  readonly neededBy: NodeId[];
  /** How many of `needs` are not done. */
  missing: number;
  state: State;
}

/**
 * Hands out nodes whose needs are done. Every node is handed out once, unless it is reopened; `drop` takes a node and all that needs it
 * out of the run.
 */
export class Schedule {
  readonly #entries = new Map<NodeId, Entry>();
  #ready: NodeId[] = [];
  #open = 0;

  /** Nodes outside `selected` are left out; nobody selected may need them. */
  constructor(nodes: readonly PlanNode[], selected: ReadonlySet<NodeId>) {
    for (const node of nodes) {
      if (!selected.has(node.id)) continue;
      const needs = dependenciesOf(node);
      for (const id of needs) {
        const need = this.#entries.get(id);
        assertInternal(need, `node "${node.id}" stands before "${id}", which it needs`);
        need.neededBy.push(node.id);
      }
      this.#entries.set(node.id, { node, needs, neededBy: [], missing: needs.size, state: "waiting" });
      this.#open += 1;
      if (needs.size === 0) this.#makeReady(node.id);
    }
  }

  /** Whether every node is done or dropped. */
  get finished(): boolean {
    return this.#open === 0;
  }

  /** All nodes that are ready now; they count as taken. In plan order within what became ready together. */
  take(): readonly PlanNode[] {
    const taken = this.#ready;
    this.#ready = [];
    const nodes: PlanNode[] = [];
    for (const id of taken) {
      const entry = this.#entry(id);
      if (entry.state !== "ready") continue;
      entry.state = "taken";
      nodes.push(entry.node);
    }
    return nodes;
  }

  /** A taken node ended well. */
  done(id: NodeId): void {
    const entry = this.#entry(id);
    assertInternal(entry.state === "taken", `node "${id}" ended without having been taken`);
    entry.state = "done";
    this.#open -= 1;
    for (const other of entry.neededBy) {
      const next = this.#entry(other);
      next.missing -= 1;
      if (next.missing === 0 && next.state === "waiting") this.#makeReady(other);
    }
  }

  /** A taken node ended badly, or is not wanted any more. Answers with the other nodes that can no longer run, in plan order. */
  drop(id: NodeId): readonly NodeId[] {
    const dropped = new Set<NodeId>();
    const open = [id];
    for (let each = open.pop(); each !== undefined; each = open.pop()) {
      const entry = this.#entry(each);
      if (entry.state === "dropped" || entry.state === "done") continue;
      entry.state = "dropped";
      this.#open -= 1;
      dropped.add(each);
      for (const other of entry.neededBy) open.push(other);
    }
    dropped.delete(id);
    return dropped.size === 0 ? [] : [...this.#entries.keys()].filter((each) => dropped.has(each));
  }

  /** Nodes that have not been taken yet; a cancelled run drops them. */
  untaken(): readonly NodeId[] {
    return [...this.#entries.values()]
      .filter(({ state }) => state === "waiting" || state === "ready")
      .map(({ node }) => node.id);
  }

  /**
   * A done node has to be taken again: what it left is damaged. Every node that needs it and is not done waits for it; `taken` ones
   * among them must be named in `waiting`, and are handed out again afterwards.
   */
  reopen(id: NodeId, waiting: readonly NodeId[] = []): void {
    const entry = this.#entry(id);
    assertInternal(entry.state === "done", `node "${id}" is reopened though it is not done`);
    this.#open += 1;
    for (const other of entry.neededBy) {
      const next = this.#entry(other);
      next.missing += 1;
      if (next.state === "ready" || (next.state === "taken" && waiting.includes(other))) next.state = "waiting";
    }
    entry.state = "waiting";
    if (entry.missing === 0) this.#makeReady(id);
  }

  /** A taken node is handed out once more, as soon as needs that were reopened meanwhile are done. */
  wait(id: NodeId): void {
    const entry = this.#entry(id);
    assertInternal(entry.state === "taken", `node "${id}" is to be handed out again though it was not taken`);
    entry.state = "waiting";
    if (entry.missing === 0) this.#makeReady(id);
  }

  /** Nodes that need this one directly. */
  dependants(id: NodeId): readonly NodeId[] {
    return this.#entry(id).neededBy;
  }

  /** Nodes that need this one, directly or by way of others. */
  below(id: NodeId): ReadonlySet<NodeId> {
    const found = new Set(this.dependants(id));
    // A set hands out what is added to it meanwhile.
    for (const each of found) for (const other of this.dependants(each)) found.add(other);
    return found;
  }

  /** Whether something that it needs was reopened, and is not done yet. */
  isBehind(id: NodeId): boolean {
    return this.#entry(id).missing > 0;
  }

  isDone(id: NodeId): boolean {
    return this.#entries.get(id)?.state === "done";
  }

  isDropped(id: NodeId): boolean {
    return this.#entries.get(id)?.state === "dropped";
  }

  #makeReady(id: NodeId): void {
    this.#entry(id).state = "ready";
    this.#ready.push(id);
  }

  #entry(id: NodeId): Entry {
    const entry = this.#entries.get(id);
    assertInternal(entry, `node "${id}" is not part of the run`);
    return entry;
  }
}
