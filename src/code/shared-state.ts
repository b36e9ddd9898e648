/** State of modules that one step changes while it runs and another one reaches: what the other gives then depends on who ran. */
import type { GraphNode } from "./graph.ts";
import type { CodeNote } from "./identity.ts";
import type { Judge } from "./judge.ts";

/** A step and what it reaches. */
export interface Reach {
  readonly name: string;
  readonly nodes: readonly GraphNode[];
  /** The units that hold the step itself, when its function uses variables of a function or loop around it. */
  readonly around: ReadonlySet<GraphNode>;
}

interface Writer {
  readonly step: string;
  readonly node: GraphNode;
}

/**
 * For each of the steps, notes on what it reaches and another one changes by code that is not its own. What both reach
 * the changing code of, as a memo in a helper that both call, is taken to be meant.
 */
export function noteSharedState(steps: readonly Reach[], judge: Judge): readonly (readonly CodeNote[])[] {
  const writers = new Map<GraphNode, Writer[]>();
  for (const { name, nodes } of steps) {
    for (const node of nodes) {
      for (const written of judge.lateWrites(node)) {
        const known = writers.get(written);
        if (known === undefined) writers.set(written, [{ step: name, node }]);
        else known.push({ step: name, node });
      }
    }
  }
  if (writers.size === 0) return steps.map(() => []);
  return steps.map(({ nodes }) => {
    const own = new Set(nodes);
    return nodes.flatMap((node): CodeNote[] => {
      const writer = writers.get(node)?.find((each) => !own.has(each.node));
      return writer === undefined ? [] : [sharedNote(node, writer)];
    });
  });
}

function sharedNote(node: GraphNode, writer: Writer): CodeNote {
  const message = `it reaches ${node.id}, which step "${writer.step}" changes while it runs (${writer.node.id})`;
  const place = { file: node.file!.name, line: node.unit!.lines[0] };
  return { verdict: "opaque", kind: "shared-state", message, place };
}
