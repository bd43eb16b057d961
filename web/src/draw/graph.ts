/** The picture of a program's graph: boxes for operators and cells, capsules for what moves data, arrows for values. */

import type { Graph } from "../api/types";
import type { Box, Picture } from "../math/fold";
import { bytes } from "../math/words";
import type { Arranged, Placed, ToArrange } from "./arrange";
import { fade, inkOn, kindOf, mix } from "./palette";
import type { Palette } from "./palette";
import { drawSign } from "./signs";
import { scaled } from "./scaled";
import { fitted, textWidth } from "./surface";
import type { Drawing, Point, Surface } from "./surface";

export interface GraphView {
  readonly graph: Graph;
  readonly picture: Picture;
  readonly arranged: Arranged;
  readonly palette: Palette;
  readonly scale: number;
  readonly selected: string | null;
  readonly hovered: string | null;
  /** What a rank sends in each step, by place of the node. */
  readonly sent: ReadonlyMap<number, number>;
}

const OP = 13;
const SMALL = 11;
const MOST = 230;
const DISC = 11;

/** The signs of roles that MindInsight's users know: redistribution green, gradient orange. */
export function roleColor(role: string, palette: Palette): string {
  if (role === "gradient") return palette.isDark ? "#e9a23b" : "#c26a00";
  return palette.isDark ? "#4cc38a" : "#137a4a";
}

/** The strategy of an operator, one text for each operand. */
export function strategyCells(strategy: string): string[] {
  return (
    strategy.match(/\([^()]*\)/g)?.map((s) => s.replace(/,\)$/, ")")) ??
    (strategy ? [strategy] : [])
  );
}

/** Sizes of everything, to have it arranged. */
export function toArrange(
  graph: Graph,
  picture: Picture,
  sent: ReadonlyMap<number, number>,
): ToArrange {
  return {
    boxes: picture.boxes.map((box) => ({
      id: box.id,
      ...sizeOf(graph, box, sent),
      parent: box.inside.at(-1) ?? null,
    })),
    frames: picture.frames.map(({ id, parent }) => ({ id, parent })),
    arrows: picture.arrows.map(({ from, to, words }) => ({
      from,
      to,
      width: words ? textWidth(words, SMALL, true) + 12 : 0,
      height: words ? 18 : 0,
    })),
  };
}

function sizeOf(
  graph: Graph,
  box: Box,
  sent: ReadonlyMap<number, number>,
): { width: number; height: number } {
  const place = box.nodes[0] ?? 0;
  if (box.kind === "step") {
    return { width: textWidth(stepWords(box, place, sent), 12) + 2 * DISC + 26, height: 28 };
  }
  if (box.kind === "cell") {
    const title = textWidth(box.words, OP) + (box.times > 1 ? 52 : 0) + 44;
    const room = Math.max(
      title,
      textWidth(cellWords(box), SMALL) + 36,
      box.badges.length * 56 + 32,
    );
    return {
      width: Math.min(MOST + 40, Math.max(150, room)),
      height: box.badges.length > 0 ? 76 : 50,
    };
  }
  const cells = strategyCells(graph.nodes[place]?.strategy ?? "");
  const wide = cells.reduce((n, c) => n + textWidth(c, 10.5, true) + 14, 0);
  const width = Math.max(92, textWidth(box.words, OP) + 32, Math.min(MOST, wide + 20));
  return { width, height: cells.length > 0 ? 54 : 34 };
}

function stepWords(box: Box, place: number, sent: ReadonlyMap<number, number>): string {
  const n = sent.get(place) ?? 0;
  return n > 0 ? `${box.words}  ${bytes(n)}` : box.words;
}

function cellWords(box: Box): string {
  const n = box.nodes.length - box.between;
  return `${n} ${n === 1 ? "operator" : "operators"}${box.times > 1 ? " each" : ""}`;
}

/** The whole picture. */
export function graphDrawing(view: GraphView): Drawing {
  const { arranged, scale } = view;
  return {
    width: Math.max(60, arranged.width * scale),
    height: Math.max(40, arranged.height * scale),
    paint(surface) {
      const s = scaled(surface, scale);
      const { palette } = view;
      for (const frame of view.picture.frames) {
        const at = arranged.frames[frame.id];
        if (!at) continue;
        s.rect(at.x, at.y, at.width, at.height, {
          color: fade(palette.accent, palette.isDark ? 0.06 : 0.035),
          stroke: { color: palette.edge, dash: [4, 4] },
          radius: 10,
        });
      }
      arrows(s, view);
      for (const box of view.picture.boxes) {
        const at = arranged.boxes[box.id];
        if (at) drawBox(s, view, box, at);
      }
      labels(s, view);
      for (const frame of view.picture.frames)
        frameName(s, view, frame.words, arranged.frames[frame.id]);
    },
  };
}

function frameName(s: Surface, view: GraphView, name: string, at: Placed | undefined): void {
  if (!at) return;
  const words = fitted(name, at.width - 20, SMALL);
  const { palette } = view;
  s.rect(at.x + 8, at.y - 8, textWidth(words, SMALL) + 12, 16, {
    color: palette.surface,
    stroke: { color: palette.edge },
    radius: 8,
  });
  s.text(at.x + 14, at.y + 0.5, words, { color: palette.quiet, size: SMALL, weight: 550 });
}

function arrows(s: Surface, view: GraphView): void {
  const { picture, arranged, palette } = view;
  const most = picture.arrows.reduce((n, a) => Math.max(n, a.bytes), 1);
  picture.arrows.forEach((arrow, i) => {
    const at = arranged.arrows[i];
    if (!at) return;
    const isNear = [arrow.from, arrow.to].some((id) => id === view.selected || id === view.hovered);
    const color = isNear ? palette.accent : mix(palette.edge, palette.quiet, 0.25);
    const points = smooth(at.points);
    s.line(points, { color, width: arrowWidth(arrow.bytes, most) });
    head(s, points, color);
  });
}

/** How thick an arrow is: in proportion to what a rank holds of its values. */
export function arrowWidth(held: number, most: number): number {
  return 1.25 + (5.25 * held) / Math.max(1, most);
}

function head(s: Surface, points: readonly Point[], color: string): void {
  const tip = points.at(-1);
  const from = points.at(-3) ?? points[0];
  if (!tip || !from) return;
  const length = Math.hypot(tip.x - from.x, tip.y - from.y) || 1;
  const ux = (tip.x - from.x) / length;
  const uy = (tip.y - from.y) / length;
  const back = { x: tip.x - 8 * ux, y: tip.y - 8 * uy };
  s.area(
    [
      tip,
      { x: back.x - 4.5 * uy, y: back.y + 4.5 * ux },
      { x: back.x + 4.5 * uy, y: back.y - 4.5 * ux },
    ],
    color,
  );
}

/** A round line through bends: quadratic curves from middle to middle. */
export function smooth(points: readonly Point[]): Point[] {
  if (points.length < 3) return [...points];
  const found: Point[] = [points[0]!];
  for (let i = 1; i < points.length - 1; i++) {
    const a = i === 1 ? points[0]! : middle(points[i - 1]!, points[i]!);
    const b = points[i]!;
    const c = i === points.length - 2 ? points[i + 1]! : middle(points[i]!, points[i + 1]!);
    for (let k = 1; k <= 8; k++) {
      const t = k / 8;
      const u = 1 - t;
      found.push({
        x: u * u * a.x + 2 * u * t * b.x + t * t * c.x,
        y: u * u * a.y + 2 * u * t * b.y + t * t * c.y,
      });
    }
  }
  return found;
}

function middle(a: Point, b: Point): Point {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}

function labels(s: Surface, view: GraphView): void {
  const { picture, arranged, palette } = view;
  picture.arrows.forEach((arrow, i) => {
    const at = arranged.arrows[i];
    if (!at || !arrow.words) return;
    const width = textWidth(arrow.words, SMALL, true) + 8;
    s.rect(at.x - width / 2, at.y - 8, width, 16, { color: fade(palette.surface, 0.9), radius: 4 });
    s.text(at.x, at.y, arrow.words, {
      color: palette.ink,
      size: SMALL,
      align: "middle",
      mono: true,
    });
  });
}

function drawBox(s: Surface, view: GraphView, box: Box, at: Placed): void {
  if (box.kind === "step") step(s, view, box, at);
  else if (box.kind === "cell") cell(s, view, box, at);
  else operator(s, view, box, at);
  if (box.id !== view.selected && box.id !== view.hovered) return;
  const { palette } = view;
  s.rect(at.x - 2.5, at.y - 2.5, at.width + 5, at.height + 5, {
    stroke:
      box.id === view.selected
        ? { color: palette.selected, width: 2 }
        : { color: palette.ink, width: 1.25, dash: [4, 3] },
    radius: box.kind === "step" ? 17 : 10,
  });
}

function operator(s: Surface, view: GraphView, box: Box, at: Placed): void {
  const { palette, graph } = view;
  const cells = strategyCells(graph.nodes[box.nodes[0] ?? 0]?.strategy ?? "");
  s.rect(at.x, at.y, at.width, at.height, {
    color: palette.surface,
    stroke: { color: palette.edge },
    radius: 7,
  });
  s.text(at.x + at.width / 2, at.y + 17, fitted(box.words, at.width - 12, OP), {
    color: palette.ink,
    size: OP,
    align: "middle",
    weight: 500,
  });
  if (cells.length === 0) return;
  const widths = cells.map((c) => textWidth(c, 10.5, true) + 10);
  const whole = widths.reduce((a, b) => a + b + 4, -4);
  if (whole > at.width - 12) {
    const words = fitted(cells.join(" "), at.width - 16, 10.5, true);
    s.text(at.x + at.width / 2, at.y + 40, words, {
      color: palette.accent,
      size: 10.5,
      align: "middle",
      mono: true,
    });
    return;
  }
  let x = at.x + (at.width - whole) / 2;
  cells.forEach((words, i) => {
    const width = widths[i] ?? 0;
    s.rect(x, at.y + 31, width, 16, { color: palette.accentSoft, radius: 4 });
    s.text(x + width / 2, at.y + 39, words, {
      color: palette.accent,
      size: 10.5,
      align: "middle",
      mono: true,
    });
    x += width + 4;
  });
}

function cell(s: Surface, view: GraphView, box: Box, at: Placed): void {
  const { palette } = view;
  for (let k = Math.min(3, box.times) - 1; k >= 0; k--) {
    s.rect(at.x + 4 * k, at.y - 4 * k, at.width, at.height, {
      color: k > 0 ? palette.paper : palette.sunken,
      stroke: { color: palette.edge },
      radius: 9,
    });
  }
  const many = box.times > 1 ? `× ${box.times}` : "";
  s.text(at.x + 14, at.y + 18, fitted(box.words, at.width - (many ? 78 : 42), OP), {
    color: palette.ink,
    size: OP,
    weight: 620,
  });
  if (many)
    s.text(at.x + at.width - 28, at.y + 18, many, {
      color: palette.accent,
      size: 12.5,
      weight: 620,
      align: "end",
    });
  const x = at.x + at.width - 15;
  s.line(
    [
      { x: x - 4, y: at.y + 18 },
      { x: x + 4, y: at.y + 18 },
    ],
    { color: palette.quiet, width: 1.5 },
  );
  s.line(
    [
      { x, y: at.y + 14 },
      { x, y: at.y + 22 },
    ],
    { color: palette.quiet, width: 1.5 },
  );
  s.text(at.x + 14, at.y + 35, fitted(cellWords(box), at.width - 24, SMALL), {
    color: palette.quiet,
    size: SMALL,
  });
  box.badges.slice(0, 4).forEach((badge, i) => {
    const left = at.x + 14 + i * 54;
    disc(s, view, badge.op, badge.role, left + 9, at.y + 58, 9);
    s.text(left + 23, at.y + 58.5, `× ${badge.count}`, { color: palette.quiet, size: SMALL });
  });
}

function disc(
  s: Surface,
  view: GraphView,
  op: string,
  role: string,
  x: number,
  y: number,
  radius: number,
): void {
  const kind = kindOf(op);
  s.circle(x, y, radius, {
    color: kind.color,
    stroke: { color: roleColor(role, view.palette), width: 2 },
  });
  drawSign(s, x, y, kind.sign, inkOn(kind.color), radius + 1);
}

function step(s: Surface, view: GraphView, box: Box, at: Placed): void {
  const { palette, graph, sent } = view;
  const place = box.nodes[0] ?? 0;
  const role = graph.nodes[place]?.role ?? "redistribution";
  s.rect(at.x, at.y, at.width, at.height, {
    color: mix(roleColor(role, palette), palette.surface, palette.isDark ? 0.84 : 0.9),
    stroke: { color: roleColor(role, palette), width: 1.25 },
    radius: 14,
  });
  disc(s, view, box.words, role, at.x + 14, at.y + 14, DISC - 1);
  s.text(at.x + 30, at.y + 14.5, fitted(stepWords(box, place, sent), at.width - 38, 12), {
    color: palette.ink,
    size: 12,
    weight: 500,
  });
}
