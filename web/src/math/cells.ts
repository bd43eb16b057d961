/** What a graph's nodes and values are: their cells, their layouts in few words, how many of each kind there are. */

import type { Graph, GraphNodeItem, GraphValueItem } from "../api/types";
import type { Layout } from "./layout";
import { mapText } from "./words";

/** What of a program is shown: one of its phases, or all. */
export type Shown = "forward" | "backward" | "update" | "all";

export const PHASES: readonly Shown[] = ["forward", "backward", "update", "all"];

/** A layout in the fewest words: its tensor map, and whether it is partial. */
export function shortLayout(layout: Layout | null): string {
  if (!layout) return "";
  const partial = layout.partial ?? [];
  const map = layout.tensor_map.length === 0 ? "()" : mapText(layout.tensor_map);
  return partial.length > 0 ? `${map} partial ${partial.join(", ")}` : map;
}

/** The cells around a node, the outermost first; a number belongs to the name before it: `blocks.0`, `blocks.0.norm`. */
export function cellsOf(scope: string): string[] {
  if (!scope) return [];
  const found: string[] = [];
  let path = "";
  const parts = scope.split(".");
  parts.forEach((part, i) => {
    path = path ? `${path}.${part}` : part;
    if (!/^\d+$/.test(parts[i + 1] ?? "")) found.push(path);
  });
  return found;
}

/** Whether a node moves data. */
export function isStep(node: GraphNodeItem): boolean {
  return node.role !== "op";
}

/** The cells around a node; what updates parameters without a cell of its own is gathered by operator. */
export function cellKeys(node: GraphNodeItem): string[] {
  const isBare = node.scope === "" && node.phase === "update" && !isStep(node);
  return cellsOf(isBare ? node.op : node.scope).map((cell) => `${node.phase}/${cell}`);
}

const NAMES = new WeakMap<Graph, Map<string, GraphValueItem>>();

/** The values of a graph by name. */
export function valuesByName(graph: Graph): ReadonlyMap<string, GraphValueItem> {
  let found = NAMES.get(graph);
  if (!found) {
    found = new Map(graph.values.map((v) => [v.name, v]));
    NAMES.set(graph, found);
  }
  return found;
}

/** The keys of all cells of a graph: open all of them and every operator is seen. */
export function allCells(graph: Graph, shown: Shown): string[] {
  const found = new Set<string>();
  for (const node of graph.nodes) {
    if (shown !== "all" && node.phase !== shown) continue;
    for (const key of cellKeys(node)) found.add(key);
  }
  return [...found];
}

/** The three counts that MindInsight shows: operators with a strategy, redistributions, gradients. */
export function counts(
  graph: Graph,
  shown: Shown,
): { strategy: number; ops: number; moved: number; gradient: number } {
  const nodes = graph.nodes.filter((n) => shown === "all" || n.phase === shown);
  return {
    strategy: nodes.filter((n) => n.strategy !== "").length,
    ops: nodes.filter((n) => n.role === "op").length,
    moved: nodes.filter((n) => n.role === "redistribution").length,
    gradient: nodes.filter((n) => n.role === "gradient").length,
  };
}
