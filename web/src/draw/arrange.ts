/** Where the boxes of a graph stand: dagre's layered layout, run in a worker for the page and directly in tests. */

import { Graph, layout } from "@dagrejs/dagre";

export interface ToArrange {
  readonly boxes: readonly { id: string; width: number; height: number; parent: string | null }[];
  readonly frames: readonly { id: string; parent: string | null }[];
  readonly arrows: readonly { from: string; to: string; width: number; height: number }[];
}

export interface Placed {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface PlacedArrow {
  readonly points: readonly { x: number; y: number }[];
  /** Where its words stand. */
  readonly x: number;
  readonly y: number;
}

export interface Arranged {
  readonly width: number;
  readonly height: number;
  /** Corners, not middles. */
  readonly boxes: Readonly<Record<string, Placed>>;
  readonly frames: Readonly<Record<string, Placed>>;
  /** In the order of the question. */
  readonly arrows: readonly PlacedArrow[];
}

/** Arrange boxes in layers, from top to bottom. */
export function arrange(asked: ToArrange): Arranged {
  const graph = new Graph({ compound: true, multigraph: true });
  graph.setGraph({
    rankdir: "TB",
    nodesep: 36,
    ranksep: 30,
    edgesep: 18,
    marginx: 20,
    marginy: 20,
  });
  for (const frame of asked.frames) graph.setNode(frame.id, {});
  for (const box of asked.boxes) graph.setNode(box.id, { width: box.width, height: box.height });
  for (const { id, parent } of [...asked.frames, ...asked.boxes])
    if (parent) graph.setParent(id, parent);
  asked.arrows.forEach(({ from, to, width, height }, i) =>
    graph.setEdge(from, to, { width, height, labelpos: "c" }, String(i)),
  );
  layout(graph);
  return read(graph, asked);
}

interface Spot {
  x: number;
  y: number;
  width: number;
  height: number;
}

function read(graph: Graph, asked: ToArrange): Arranged {
  const corner = (id: string): Placed => {
    const { x, y, width, height } = graph.node(id) as Spot;
    return { x: x - width / 2, y: y - height / 2, width, height };
  };
  const size = graph.graph() as { width?: number; height?: number };
  return {
    width: size.width ?? 0,
    height: size.height ?? 0,
    boxes: Object.fromEntries(asked.boxes.map(({ id }) => [id, corner(id)])),
    frames: Object.fromEntries(asked.frames.map(({ id }) => [id, corner(id)])),
    arrows: asked.arrows.map(({ from, to }, i) => {
      const edge = graph.edge(from, to, String(i)) as PlacedArrow;
      return { points: edge.points.map(({ x, y }) => ({ x, y })), x: edge.x, y: edge.y };
    }),
  };
}
