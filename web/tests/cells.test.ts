import { describe, expect, it } from "vitest";
import type { Graph, GraphNodeItem, LayoutItem } from "../src/api/types";
import { arrange } from "../src/draw/arrange";
import { arrowWidth, graphDrawing, strategyCells, toArrange } from "../src/draw/graph";
import { LIGHT } from "../src/draw/palette";
import { toSvg } from "../src/draw/surface";
import { allCells, cellsOf, counts, shortLayout } from "../src/math/cells";
import { fold } from "../src/math/fold";

const layout = (map: number[], partial: number[] = []): LayoutItem => ({
  dev_mat: [2, 4],
  tensor_map: map,
  rank_list: null,
  partial,
  combine: "sum",
  lengths: [],
});

/** Layers of `matmul, all_reduce, add` in cells `blocks.0`, `blocks.1`, …, as a run tells it. */
function layers(many: number): Graph {
  const graph: Graph = { schema: 1, program: "train-0", nodes: [], values: [], edges: [] };
  const value = (map: number[], partial: number[] = []) => {
    graph.values.push({
      name: `%${graph.values.length}`,
      shape: [8, 8],
      dtype: "float32",
      layout: layout(map, partial),
      slice_bytes: 128,
      parameter: null,
    });
    return graph.values.length - 1;
  };
  const maker = new Map<number, number>();
  const node = (
    op: string,
    role: GraphNodeItem["role"],
    scope: string,
    from: number[],
    to: number,
  ) => {
    const id = graph.nodes.length;
    graph.nodes.push({
      id: String(id),
      op,
      inputs: from.map((v) => `%${v}`),
      outputs: [`%${to}`],
      scope,
      phase: "forward",
      strategy: op === "matmul" ? "(2, 4), (4, 1)" : "",
      source: "net.py:1",
      role,
      collective: null,
      chain: null,
    });
    for (const v of from) {
      graph.edges.push({ value: v, source: maker.get(v) ?? null, target: id });
    }
    maker.set(to, id);
    return to;
  };
  let x = value([1, -1]);
  for (let i = 0; i < many; i++) {
    const y = node("matmul", "op", `blocks.${i}.dense`, [x], value([1, -1], [0]));
    const z = node("all_reduce", "redistribution", `blocks.${i}.dense`, [y], value([1, -1]));
    x = node("add", "op", `blocks.${i}`, [x, z], value([1, -1]));
  }
  node("mean", "op", "", [x], value([]));
  return graph;
}

describe("cells", () => {
  it("a number belongs to the name before it", () => {
    expect(cellsOf("blocks.0.attention")).toEqual(["blocks.0", "blocks.0.attention"]);
    expect(cellsOf("")).toEqual([]);
    expect(cellsOf("net.0.1.x")).toEqual(["net.0.1", "net.0.1.x"]);
  });

  it("layers that are alike fold into one box, with what moves inside", () => {
    const { boxes, arrows } = fold(layers(24), "forward", new Set());
    expect(boxes.map((b) => [b.words, b.times])).toEqual([
      ["blocks.0–23", 24],
      ["mean", 1],
    ]);
    expect(boxes[0]?.badges).toEqual([{ op: "all_reduce", role: "redistribution", count: 1 }]);
    expect(arrows).toHaveLength(1);
  });

  it("a movement between layers of one fold stands in its box", () => {
    const graph = layers(2);
    const crossed = new Map([
      [1, 5],
      [4, 2],
    ]);
    graph.edges = graph.edges.map((e) => ({
      ...e,
      target: crossed.get(e.source ?? -1) ?? e.target,
    }));
    const [box, ...others] = fold(graph, "forward", new Set()).boxes;
    expect(others.map((b) => b.words)).toEqual(["mean"]);
    expect([box?.words, box?.between]).toEqual(["blocks.0–1", 2]);
  });

  it("an open layer shows its movement between what it joins, and leaves the rest folded", () => {
    const { boxes, frames, arrows } = fold(layers(3), "forward", new Set(["forward/blocks.0"]));
    expect(boxes.map((b) => [b.kind, b.words])).toEqual([
      ["cell", "dense"],
      ["step", "all_reduce"],
      ["op", "add"],
      ["cell", "blocks.1–2"],
      ["op", "mean"],
    ]);
    expect(frames.map((f) => f.words)).toEqual(["blocks.0"]);
    const into = arrows.find((a) => a.to === "node/1");
    expect(into?.words).toBe("(1, -1) partial 0");
  });

  it("with every cell open each operator is a box", () => {
    const graph = layers(2);
    const { boxes } = fold(graph, "forward", new Set(allCells(graph, "forward")));
    expect(boxes).toHaveLength(graph.nodes.length);
    expect(boxes.every((b) => b.kind !== "cell")).toBe(true);
  });

  it("layers with another strategy do not fold", () => {
    const graph = layers(3);
    graph.nodes[3]!.strategy = "(8, 1), (1, 1)";
    const words = fold(graph, "forward", new Set()).boxes.map((b) => b.words);
    expect(words).toEqual(["blocks.0", "blocks.1", "blocks.2", "mean"]);
  });

  it("a phase without operators is an empty picture", () => {
    expect(fold(layers(2), "update", new Set()).boxes).toEqual([]);
  });

  it("counts operators with a strategy, redistributions and gradients", () => {
    expect(counts(layers(2), "all")).toEqual({ strategy: 2, ops: 5, moved: 2, gradient: 0 });
  });

  it("a layout is told by its map and by the axes over which it is partial", () => {
    expect(shortLayout(layout([1, -1], [0]))).toBe("(1, -1) partial 0");
    expect(shortLayout(layout([]))).toBe("()");
    expect(shortLayout(null)).toBe("");
  });
});

describe("the drawing of a graph", () => {
  const graph = layers(24);
  const drawn = (open: string[]) => {
    const picture = fold(graph, "forward", new Set(open));
    const sent = new Map([[1, 98304]]);
    const arranged = arrange(toArrange(graph, picture, sent));
    return { picture, arranged, sent };
  };

  it("keeps boxes apart and inside their frames", () => {
    const { picture, arranged } = drawn(["forward/blocks.0"]);
    const places = picture.boxes.map((b) => arranged.boxes[b.id]!);
    places.forEach((a, i) =>
      places.slice(i + 1).forEach((b) => {
        const isApart =
          a.x + a.width <= b.x ||
          b.x + b.width <= a.x ||
          a.y + a.height <= b.y ||
          b.y + b.height <= a.y;
        expect(isApart).toBe(true);
      }),
    );
    const frame = arranged.frames["forward/blocks.0"]!;
    for (const box of picture.boxes.filter((b) => b.inside.length > 0)) {
      const at = arranged.boxes[box.id]!;
      expect(at.x).toBeGreaterThanOrEqual(frame.x);
      expect(at.x + at.width).toBeLessThanOrEqual(frame.x + frame.width);
    }
  });

  it("says in text what the colours say", () => {
    const { picture, arranged, sent } = drawn(["forward/blocks.0"]);
    const svg = toSvg(
      graphDrawing({
        graph,
        picture,
        arranged,
        sent,
        palette: LIGHT,
        scale: 1,
        selected: null,
        hovered: null,
      }),
      "graph",
    );
    for (const words of ["all_reduce  96 KiB", "blocks.1–23", "× 23", "(1, -1) partial 0"]) {
      expect(svg).toContain(words);
    }
    expect(svg).not.toContain("NaN");
  });

  it("an arrow is as thick as what a rank holds", () => {
    expect(arrowWidth(100, 100) - arrowWidth(50, 100)).toBeCloseTo(
      arrowWidth(50, 100) - arrowWidth(0, 100),
    );
  });

  it("a strategy has a cell for each operand", () => {
    expect(strategyCells("(2, 1, 1), (1, 4)")).toEqual(["(2, 1, 1)", "(1, 4)"]);
    expect(strategyCells("(2, 4, 1, 1), ()")).toEqual(["(2, 4, 1, 1)", "()"]);
    expect(strategyCells("")).toEqual([]);
  });
});
