/** Graphs as text: a tree, Mermaid, DOT. */
import type { PlanRecord } from "../record/run.ts";
import { listEdges } from "./diff-versions.ts";
import type { Lineage } from "./lineage.ts";

interface DrawnNode {
  readonly id: string;
  readonly label: string;
  readonly shape: "step" | "artifact";
  /** `cached`, `failed`, … */
  readonly status?: string;
}

export interface DrawnGraph {
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly { readonly from: string; readonly to: string; readonly label?: string }[];
}

/** A plan's graph; with the status of each node where it is known. */
export function toPlanGraph(plan: PlanRecord, statuses: ReadonlyMap<string, string> = new Map()): DrawnGraph {
  return {
    nodes: plan.nodes.map(({ id, step }) => {
      const status = statuses.get(id);
      const label = id === step || id.endsWith(`/${step}`) ? id : `${id} (${step})`;
      return { id, label, shape: "step", ...(status === undefined ? {} : { status }) };
    }),
    edges: listEdges(plan).map(({ from, to, output, argument }) => {
      if (output === undefined) return { from, to, label: "after" };
      return { from, to, label: argument === undefined || argument === output ? output : `${output} as ${argument}` };
    }),
  };
}

export function toLineageGraph(lineage: Lineage): DrawnGraph {
  return {
    nodes: lineage.nodes.map((node) =>
      node.kind === "artifact"
        ? { id: node.id, label: node.id, shape: "artifact" }
        : { id: node.id, label: node.id, shape: "step", status: node.stepRun.status },
    ),
    edges: lineage.edges.map(({ from, to }) => ({ from, to })),
  };
}

/**
 * One line a node, indented below one that leads to it. A node that several lead to is written out once, and referred
 * to after that. `up`: from the ends to what leads to them.
 */
export function renderTree(graph: DrawnGraph, direction: "down" | "up" = "down"): readonly string[] {
  const next = new Map<string, string[]>();
  const hasPrevious = new Set<string>();
  for (const edge of graph.edges) {
    const [from, to] = direction === "down" ? [edge.from, edge.to] : [edge.to, edge.from];
    const known = next.get(from) ?? [];
    if (!known.includes(to)) known.push(to);
    next.set(from, known);
    hasPrevious.add(to);
  }
  const nodes = new Map(graph.nodes.map((node) => [node.id, node]));
  const lines: string[] = [];
  const written = new Set<string>();
  const write = (id: string, lead: string, branch: string): void => {
    const node = nodes.get(id);
    const children = next.get(id) ?? [];
    const again = written.has(id) && children.length > 0;
    const status = node?.status === undefined ? "" : `  ${node.status}`;
    lines.push(`${lead}${branch}${node?.label ?? id}${status}${again ? "  (above)" : ""}`);
    if (again) return;
    written.add(id);
    const below = branch === "" ? lead : `${lead}${branch.startsWith("├") ? "│  " : "   "}`;
    for (const [at, child] of children.entries()) write(child, below, at === children.length - 1 ? "└─ " : "├─ ");
  };
  for (const node of graph.nodes) if (!hasPrevious.has(node.id)) write(node.id, "", "");
  return lines;
}

export function renderMermaid(graph: DrawnGraph): string {
  const ids = new Map(graph.nodes.map((node, at) => [node.id, `n${at}`]));
  const quote = (text: string): string =>
    `"${text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;")}"`;
  const lines = ["flowchart TD"];
  for (const node of graph.nodes) {
    const text = quote(node.status === undefined ? node.label : `${node.label}: ${node.status}`);
    lines.push(`  ${ids.get(node.id)}${node.shape === "step" ? `[${text}]` : `([${text}])`}`);
  }
  for (const edge of graph.edges) {
    const label = edge.label === undefined ? "" : `|${quote(edge.label)}|`;
    lines.push(`  ${ids.get(edge.from)} -->${label} ${ids.get(edge.to)}`);
  }
  return `${lines.join("\n")}\n`;
}

export function renderDot(graph: DrawnGraph): string {
  const quote = (text: string): string => `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
  const lines = ["digraph pipeline {", "  rankdir=TB;"];
  for (const node of graph.nodes) {
    const label = quote(node.status === undefined ? node.label : `${node.label}: ${node.status}`);
    lines.push(`  ${quote(node.id)} [label=${label}, shape=${node.shape === "step" ? "box" : "ellipse"}];`);
  }
  for (const edge of graph.edges) {
    const label = edge.label === undefined ? "" : ` [label=${quote(edge.label)}]`;
    lines.push(`  ${quote(edge.from)} -> ${quote(edge.to)}${label};`);
  }
  lines.push("}");
  return `${lines.join("\n")}\n`;
}
