/** What the graph says in words: its sentence, its legend, the columns of its table, a box under the cursor. */

import type { Chain, Graph, GraphNodeItem } from "../api/types";
import { roleColor } from "../draw/graph";
import type { Palette } from "../draw/palette";
import { shortLayout, valuesByName } from "../math/cells";
import type { Shown } from "../math/cells";
import type { Box } from "../math/fold";
import { bytes, plural } from "../math/words";
import type { LegendEntry } from "../ui/legend";
import { kindEntries } from "../ui/legend";
import type { Column } from "../ui/table";

/** One sentence made from the data: how many layouts change, why, and what that sends. */
export function graphSentence(chains: readonly Chain[], shown: Shown): string {
  const those = chains.filter((c) => shown === "all" || c.phase === shown);
  const where = shown === "all" ? "the program" : `the ${shown} phase`;
  if (those.length === 0)
    return `No layout changes in ${where}: every result is made in the layout in which it is read.`;
  const total = those.reduce((n, c) => n + c.sent_bytes, 0);
  const by = (cause: string) => those.filter((c) => c.cause === cause).length;
  const causes = [
    [by("mismatch"), "because two layouts disagree"],
    [by("partial"), "because a result is partial"],
    [by("gradient"), "to synchronise a gradient"],
    [by("optimizer"), "because the parallel optimizer stores a parameter cut"],
  ] as const;
  const why = causes.filter(([n]) => n > 0).map(([n, words]) => `${n} ${words}`);
  const change = those.length === 1 ? "changes its" : "change their";
  return `In ${where} ${plural(those.length, "value")} ${change} layout: ${why.join(", ")}. A rank sends ${bytes(total)} for that in each step.`;
}

/** What is told of the box under the cursor. */
export function boxWords(graph: Graph, box: Box | undefined): string {
  const node = graph.nodes[box?.nodes[0] ?? -1];
  if (!box || !node) return "";
  if (box.kind === "cell") return `${box.words}: Enter or a second click opens it`;
  const [made] = layoutsOf(graph, node.outputs);
  return [node.scope || node.op, made && `result ${made}`, node.source].filter(Boolean).join("\n");
}

function layoutsOf(graph: Graph, names: readonly string[]): string[] {
  const values = valuesByName(graph);
  return names.map((n) => shortLayout(values.get(n)?.layout ?? null)).filter(Boolean);
}

export function graphLegend(rows: readonly GraphNodeItem[], palette: Palette): LegendEntry[] {
  const kinds = [...new Set(rows.filter((n) => n.role !== "op").map((n) => n.op))];
  return [
    ...kindEntries(kinds),
    { words: "redistribution", outline: roleColor("redistribution", palette) },
    { words: "gradient aggregation", outline: roleColor("gradient", palette) },
    { words: "strategy of an operand", color: palette.accentSoft },
    {
      words:
        "arrows: thickness is what a rank holds of the value; the layout stands where it is another",
      color: palette.edge,
    },
  ];
}

/** The columns of nodes; `sent` has the bytes of each by its place. */
export function nodeColumns(
  graph: Graph,
  sent: ReadonlyMap<number, number>,
): Column<GraphNodeItem>[] {
  const layouts = (names: readonly string[]) => layoutsOf(graph, names).join(" ");
  const long = (
    id: string,
    title: string,
    width: string,
    value: (n: GraphNodeItem) => string,
    mono = true,
  ): Column<GraphNodeItem> => ({ id, title, value, width, mono, full: value });
  return [
    {
      id: "id",
      title: "Node",
      value: (n) => Number(n.id),
      align: "end",
      width: "60px",
      mono: true,
    },
    { id: "op", title: "Operator", value: (n) => n.op, mono: true, width: "minmax(120px, 1fr)" },
    long("scope", "Cell", "minmax(140px, 1.4fr)", (n) => n.scope, false),
    { id: "role", title: "Role", value: (n) => n.role },
    long("strategy", "Strategy", "minmax(120px, 1.2fr)", (n) => n.strategy),
    long("reads", "Reads", "minmax(140px, 1.4fr)", (n) => layouts(n.inputs)),
    long("makes", "Makes", "minmax(120px, 1fr)", (n) => layouts(n.outputs)),
    {
      id: "sent",
      title: "Sent by a rank",
      value: (n) => sent.get(Number(n.id)) ?? 0,
      text: (n) => (sent.has(Number(n.id)) ? bytes(sent.get(Number(n.id))) : ""),
      align: "end",
    },
    { id: "source", title: "Line", value: (n) => n.source, mono: true },
  ];
}
