/** A program's graph as a picture of boxes: cells that open and close, layers that are alike folded into one. */

import type { Graph, GraphNodeItem } from "../api/types";
import { cellKeys, cellsOf, isStep, shortLayout, valuesByName } from "./cells";
import type { Shown } from "./cells";

export interface Badge {
  readonly op: string;
  readonly role: GraphNodeItem["role"];
  readonly count: number;
}

/** A box: an operator, a node that moves data, or a closed cell with all that is in it. */
export interface Box {
  readonly id: string;
  readonly kind: "op" | "step" | "cell";
  readonly words: string;
  /** How many layers that are alike it stands for. */
  readonly times: number;
  /** Places of its nodes in the graph; of the first layer only if it stands for several. */
  readonly nodes: readonly number[];
  /** Keys of the open cells around it, the outermost first. */
  readonly inside: readonly string[];
  /** How many of its nodes, the last ones, move data between the layers that it stands for. */
  readonly between: number;
  /** What moves data within a closed cell. */
  readonly badges: readonly Badge[];
}

export interface Arrow {
  readonly from: string;
  readonly to: string;
  /** Places of the values in the graph. */
  readonly values: readonly number[];
  /** What a rank holds of them together. */
  readonly bytes: number;
  /** The layout, where it is another than before. */
  readonly words: string;
}

export interface Frame {
  readonly id: string;
  readonly words: string;
  readonly parent: string | null;
}

export interface Picture {
  readonly boxes: readonly Box[];
  readonly arrows: readonly Arrow[];
  readonly frames: readonly Frame[];
}

interface Sketch {
  readonly graph: Graph;
  readonly open: ReadonlySet<string>;
  readonly places: readonly number[];
  readonly before: ReadonlyMap<number, readonly number[]>;
  readonly after: ReadonlyMap<number, readonly number[]>;
  /** The key of the box of each place. */
  readonly box: Map<number, string>;
}

/** Fold a graph into boxes. `open` has the keys of open cells: `forward/blocks.0`. */
export function fold(graph: Graph, shown: Shown, open: ReadonlySet<string>): Picture {
  const places = graph.nodes.flatMap((n, i) => (shown === "all" || n.phase === shown ? [i] : []));
  const before = new Map<number, number[]>();
  const after = new Map<number, number[]>();
  for (const e of graph.edges) {
    if (e.source === null) continue;
    append(before, e.target, e.source);
    append(after, e.source, e.target);
  }
  const sketch: Sketch = { graph, open, places, before, after, box: new Map() };
  for (const place of places) sketch.box.set(place, closedCell(sketch, place) ?? `node/${place}`);
  for (const place of places) if (isStep(graph.nodes[place]!)) putStep(sketch, place);
  const alike = foldLayers(sketch);
  const between = takeBetween(sketch, alike);
  return {
    boxes: boxesOf(sketch, alike, between),
    arrows: arrowsOf(sketch, alike),
    frames: framesOf(sketch),
  };
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}

function keysOf(sketch: Sketch, place: number): string[] {
  return cellKeys(sketch.graph.nodes[place]!);
}

/** The outermost cell around a node that is not open. */
function closedCell(sketch: Sketch, place: number): string | undefined {
  return keysOf(sketch, place).find((key) => !sketch.open.has(key));
}

/** A node that moves data stands inside a closed cell only if what it joins is there too. */
function putStep(sketch: Sketch, place: number): void {
  const makers = operators(sketch, place, sketch.before);
  const readers = operators(sketch, place, sketch.after);
  const ends = new Set([...makers, ...readers].map((p) => closedCell(sketch, p) ?? `node/${p}`));
  const [only] = ends;
  const isWithin = ends.size === 1 && only !== undefined && !only.startsWith("node/");
  sketch.box.set(place, isWithin ? only : `node/${place}`);
}

/** The nearest operators before or after a node, past others that move data. */
function operators(
  sketch: Sketch,
  place: number,
  way: ReadonlyMap<number, readonly number[]>,
): number[] {
  const shown = new Set<number>();
  const seen = new Set([place]);
  const todo = [place];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    for (const next of way.get(at) ?? []) {
      if (seen.has(next) || !sketch.box.has(next)) continue;
      seen.add(next);
      if (isStep(sketch.graph.nodes[next]!)) todo.push(next);
      else shown.add(next);
    }
  }
  return [...shown];
}

interface Alike {
  /** For each cell the first of the layers that are like it. */
  readonly first: ReadonlyMap<string, string>;
  readonly members: ReadonlyMap<string, readonly string[]>;
}

/** Find closed cells that differ only by their number, side by side, with the same operators and layouts. */
function foldLayers(sketch: Sketch): Alike {
  const inside = new Map<string, number[]>();
  for (const place of sketch.places) append(inside, sketch.box.get(place)!, place);
  const numbered = new Map<string, { key: string; number: number; mark: string }[]>();
  for (const [key, places] of inside) {
    const parts = /^(.*)\.(\d+)$/.exec(key);
    if (!parts || key.startsWith("node/")) continue;
    append(numbered, parts[1]!, {
      key,
      number: Number(parts[2]),
      mark: markOf(sketch, key, places),
    });
  }
  const first = new Map<string, string>();
  const members = new Map<string, string[]>();
  for (const layers of numbered.values()) {
    layers.sort((a, b) => a.number - b.number);
    layers.forEach((layer, i) => {
      const last = layers[i - 1];
      const isLike = last?.mark === layer.mark && last.number + 1 === layer.number;
      const head = isLike ? first.get(last.key)! : layer.key;
      first.set(layer.key, head);
      append(members, head, layer.key);
    });
  }
  return { first, members };
}

function markOf(sketch: Sketch, key: string, places: readonly number[]): string {
  const scope = key.slice(key.indexOf("/") + 1);
  const layouts = valuesByName(sketch.graph);
  return places
    .map((place) => {
      const node = sketch.graph.nodes[place]!;
      const made = node.outputs.map((name) => {
        const value = layouts.get(name);
        return `${value?.shape.join("x")}${shortLayout(value?.layout ?? null)}`;
      });
      return `${node.scope.slice(scope.length)}|${node.op}|${node.strategy}|${made.join(";")}`;
    })
    .join("\n");
}

function boxOf(sketch: Sketch, alike: Alike, place: number): string {
  const key = sketch.box.get(place)!;
  return alike.first.get(key) ?? key;
}

/** Take the steps that join only layers of one fold out of the picture, by the key of the fold. */
function takeBetween(sketch: Sketch, alike: Alike): Map<string, number[]> {
  const found = new Map<string, number[]>();
  const taken: number[] = [];
  for (const place of sketch.places) {
    const node = sketch.graph.nodes[place]!;
    if (!isStep(node) || sketch.box.get(place) !== `node/${place}`) continue;
    const joined = [
      ...operators(sketch, place, sketch.before),
      ...operators(sketch, place, sketch.after),
    ];
    const [only, ...others] = new Set(joined.map((p) => boxOf(sketch, alike, p)));
    if (only === undefined || only.startsWith("node/") || others.length > 0) continue;
    append(found, only, place);
    taken.push(place);
  }
  for (const place of taken) sketch.box.delete(place);
  return found;
}

function boxesOf(sketch: Sketch, alike: Alike, between: ReadonlyMap<string, number[]>): Box[] {
  const inside = new Map<string, number[]>();
  for (const place of sketch.places) {
    const key = sketch.box.get(place);
    if (key !== undefined) append(inside, key, place);
  }
  const found: Box[] = [];
  for (const [key, places] of inside) {
    if ((alike.first.get(key) ?? key) !== key) continue;
    found.push(
      key.startsWith("node/")
        ? nodeBox(sketch, key, places[0]!)
        : cellBox(sketch, key, places, alike.members.get(key) ?? [key], between.get(key) ?? []),
    );
  }
  return found;
}

function openAround(sketch: Sketch, keys: readonly string[]): string[] {
  return keys
    .slice(0, keys.findIndex((k) => !sketch.open.has(k)) >>> 0)
    .filter((k) => sketch.open.has(k));
}

function nodeBox(sketch: Sketch, key: string, place: number): Box {
  const node = sketch.graph.nodes[place]!;
  const inside = isStep(node)
    ? sharedFrames(sketch, place)
    : openAround(sketch, keysOf(sketch, place));
  const kind = isStep(node) ? "step" : "op";
  return {
    id: key,
    kind,
    words: node.op,
    times: 1,
    nodes: [place],
    inside,
    between: 0,
    badges: [],
  };
}

/** A step stands inside the open cells that all that it joins are in. */
function sharedFrames(sketch: Sketch, place: number): string[] {
  const ends = [
    ...operators(sketch, place, sketch.before),
    ...operators(sketch, place, sketch.after),
  ];
  const [first, ...rest] = ends.map((p) => openAround(sketch, keysOf(sketch, p)));
  return (first ?? []).filter((k, i) => rest.every((keys) => keys[i] === k));
}

function cellBox(
  sketch: Sketch,
  key: string,
  places: readonly number[],
  members: readonly string[],
  between: readonly number[],
): Box {
  const scope = key.slice(key.indexOf("/") + 1);
  const last = members.at(-1) ?? key;
  const around = cellsOf(scope).findLast(
    (c) => c !== scope && sketch.open.has(`${key.slice(0, key.indexOf("/"))}/${c}`),
  );
  const own = around ? scope.slice(around.length + 1) : scope;
  const words = members.length > 1 ? `${own}–${/\d+$/.exec(last)?.[0]}` : own;
  const badges = new Map<string, Badge>();
  const nodes = [...places, ...between];
  for (const place of nodes) {
    const node = sketch.graph.nodes[place]!;
    if (!isStep(node)) continue;
    const id = `${node.op} ${node.role}`;
    badges.set(id, { op: node.op, role: node.role, count: (badges.get(id)?.count ?? 0) + 1 });
  }
  const phase = key.slice(0, key.indexOf("/"));
  const keys = cellsOf(scope).map((cell) => `${phase}/${cell}`);
  return {
    id: key,
    kind: "cell",
    words,
    times: members.length,
    nodes,
    between: between.length,
    inside: keys.filter((k) => k !== key && sketch.open.has(k)),
    badges: [...badges.values()],
  };
}

function arrowsOf(sketch: Sketch, alike: Alike): Arrow[] {
  const found = new Map<string, { from: string; to: string; values: Set<number> }>();
  const entering = new Map<string, Set<string>>();
  for (const e of sketch.graph.edges) {
    if (e.source === null || !sketch.box.has(e.source) || !sketch.box.has(e.target)) continue;
    const from = boxOf(sketch, alike, e.source);
    const to = boxOf(sketch, alike, e.target);
    if (from === to) continue;
    const key = `${from} ${to}`;
    const arrow = found.get(key) ?? { from, to, values: new Set() };
    found.set(key, arrow);
    arrow.values.add(e.value);
    const words = shortLayout(sketch.graph.values[e.value]?.layout ?? null);
    entering.set(to, (entering.get(to) ?? new Set()).add(words));
  }
  const steps = new Set(
    sketch.places.filter((p) => isStep(sketch.graph.nodes[p]!)).map((p) => `node/${p}`),
  );
  return [...found.values()].map(({ from, to, values }) => {
    const made = [...values];
    const layouts = new Set(made.map((v) => shortLayout(sketch.graph.values[v]?.layout ?? null)));
    const [only = ""] = layouts;
    const isNews = steps.has(from) || steps.has(to) || !entering.get(from)?.has(only);
    const words = layouts.size > 1 ? `${made.length} values` : isNews ? only : "";
    const bytes = made.reduce((n, v) => n + (sketch.graph.values[v]?.slice_bytes ?? 0), 0);
    return { from, to, values: made, bytes, words };
  });
}

/** The open cells, each with the open cell around it. */
function framesOf(sketch: Sketch): Frame[] {
  const found = new Map<string, Frame>();
  for (const place of sketch.places) {
    const inside = openAround(sketch, keysOf(sketch, place));
    inside.forEach((id, i) => {
      found.set(id, { id, words: id.slice(id.indexOf("/") + 1), parent: inside[i - 1] ?? null });
    });
  }
  return [...found.values()];
}
