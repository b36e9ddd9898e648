/** Which nodes of a run execute at this moment: so many at once, and no more. */
import type { NodeId } from "../define/plan.ts";

export class Permits {
  readonly #most: number;
  readonly #held = new Set<NodeId>();
  /** Of these, the ones that have given theirs back and whose end is being recorded. */
  readonly #ending = new Map<NodeId, PromiseWithResolvers<void>>();

  constructor(most: number) {
    this.#most = Math.max(1, most);
  }

  /** Whether one more may be taken. */
  get isFree(): boolean {
    return this.#held.size - this.#ending.size < this.#most;
  }

  /** Whether nobody executes, and nobody's end is being recorded. */
  get isIdle(): boolean {
    return this.#held.size === 0;
  }

  has(node: NodeId): boolean {
    return this.#held.has(node);
  }

  take(node: NodeId): void {
    this.#held.add(node);
  }

  /** Of a node that did its work: another one may prepare, so that the end of this one and its beginning are written together. */
  giveBack(node: NodeId): void {
    if (!this.#ending.has(node)) this.#ending.set(node, Promise.withResolvers());
  }

  /** Of a node that ended. */
  end(node: NodeId): void {
    this.#held.delete(node);
    this.#ending.get(node)?.resolve();
    this.#ending.delete(node);
  }

  /** Waits for those that gave theirs back: who took one of these begins when their ends are recorded. */
  async untilEnded(): Promise<void> {
    await Promise.all(Array.from(this.#ending.values(), ({ promise }) => promise));
  }
}
