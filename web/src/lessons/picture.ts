/** A frame of a lesson as a picture: a panel for each rank, a grid for each tensor, a number in each cell it holds. */

import { inkOn, kindOf, mix, softRamp } from "../draw/palette";
import type { Palette } from "../draw/palette";
import type { Pattern } from "../draw/pattern";
import { drawSign } from "../draw/signs";
import type { Drawing, Surface } from "../draw/surface";
import { cellsOf, devMatOf } from "./frames";
import type { Frame, Part } from "./frames";

/** What a cell's colour tells: its place in the tensor, or the rank that its number came from. */
export type Tint = "place" | "source";

const GAP = 12;
const PAD = 12;
const HEAD = 32;
const LABEL = 20;
const MOST_CELL = 40;
const LEAST_CELL = 16;
const FOLD = 5; // columns after which a single row goes on below

interface Size {
  readonly rows: number;
  readonly columns: number;
}

/** Rows and columns of a part as it is drawn: a long single row is folded. */
export function drawnSize(part: Part): Size {
  const [rows = 1, columns = 1] = part.shape;
  return rows === 1 && columns > FOLD
    ? { rows: Math.ceil(columns / FOLD), columns: FOLD }
    : { rows, columns };
}

export interface Scene {
  readonly frames: readonly Frame[];
  readonly tint: Tint;
  readonly width: number;
  readonly palette: Palette;
}

interface Plan {
  readonly across: number;
  readonly isStacked: boolean;
  readonly cell: number;
  readonly panel: { readonly width: number; readonly height: number };
}

/** How panels and cells are laid out: alike for all frames, so that nothing jumps while they play. */
export function planScene(frames: readonly Frame[], at: number, width: number): Plan {
  const across = devMatOf(frames[at] ?? frames[0]!).at(-1) ?? 1;
  const isStacked = across > 2;
  const size = { rows: 1, columns: 1, beside: 1 };
  for (const parts of frames.flatMap((f) => f.ranks)) {
    const sizes = parts.map(drawnSize);
    const rows = sizes.map((s) => s.rows);
    const columns = sizes.map((s) => s.columns);
    const total = (list: number[]) => list.reduce((a, b) => a + b, 0);
    size.rows = Math.max(size.rows, isStacked ? total(rows) : Math.max(0, ...rows));
    size.columns = Math.max(size.columns, isStacked ? Math.max(0, ...columns) : total(columns));
    size.beside = Math.max(size.beside, parts.length);
  }
  const gaps = isStacked ? 0 : (size.beside - 1) * GAP;
  const room = (width - (across - 1) * GAP) / across - 2 * PAD - gaps;
  const cell = Math.max(LEAST_CELL, Math.min(MOST_CELL, Math.floor(room / size.columns)));
  const labels = isStacked ? size.beside : 1;
  return {
    across,
    isStacked,
    cell,
    panel: {
      width: size.columns * cell + 2 * PAD + gaps,
      height: HEAD + labels * LABEL + (labels - 1) * 8 + size.rows * cell + PAD,
    },
  };
}

/** The picture of one frame of a lesson. */
export function frameDrawing(scene: Scene, at: number): Drawing {
  const { frames, palette } = scene;
  const frame = frames[at] ?? frames[0]!;
  const plan = planScene(frames, at, scene.width);
  const down = Math.ceil(frame.ranks.length / plan.across);
  return {
    width: plan.across * (plan.panel.width + GAP) - GAP,
    height: down * (plan.panel.height + GAP) - GAP,
    paint(s) {
      frame.ranks.forEach((parts, rank) => {
        const x = (rank % plan.across) * (plan.panel.width + GAP);
        const y = Math.floor(rank / plan.across) * (plan.panel.height + GAP);
        drawPanel(s, x, y, plan, frame, rank, palette);
        drawParts(s, x + PAD, y + HEAD, plan, parts, scene);
      });
    },
  };
}

function drawPanel(
  s: Surface,
  x: number,
  y: number,
  plan: Plan,
  frame: Frame,
  rank: number,
  palette: Palette,
): void {
  const own = frame.groups.findIndex((g) => g.includes(rank));
  const kind = kindOf(frame.moved);
  const isMoved = own >= 0;
  s.rect(x + 1, y + 1, plan.panel.width - 2, plan.panel.height - 2, {
    color: palette.paper,
    stroke: { color: isMoved ? kind.color : palette.line, width: isMoved ? 2 : 1 },
    radius: 8,
  });
  s.text(x + PAD, y + 16, `rank ${rank}`, { color: palette.ink, size: 12.5, weight: 620 });
  if (!isMoved) return;
  const right = x + plan.panel.width - PAD;
  s.circle(right - 9, y + 16, 9, { color: kind.color });
  drawSign(s, right - 9, y + 16, kind.sign, inkOn(kind.color), 10.5);
  if (frame.groups.length > 1) {
    s.text(right - 24, y + 16, `group ${own + 1}`, {
      color: palette.quiet,
      size: 11,
      align: "end",
    });
  }
}

function drawParts(
  s: Surface,
  x: number,
  y: number,
  plan: Plan,
  parts: readonly Part[],
  scene: Scene,
): void {
  for (const part of parts) {
    const size = drawnSize(part);
    s.text(x, y + 9, part.name, { color: scene.palette.ink, size: 12, mono: true, weight: 600 });
    const width = size.columns * plan.cell;
    if (part.kind !== "slice") {
      s.text(x + width, y + 9, part.kind, { color: scene.palette.quiet, size: 11, align: "end" });
    }
    drawGrid(s, x, y + LABEL, plan.cell, part, scene);
    if (plan.isStacked) y += LABEL + size.rows * plan.cell + 8;
    else x += width + GAP;
  }
}

const SIGNS: Readonly<Record<string, Pattern>> = { copy: "hatch", term: "dots" };

function drawGrid(s: Surface, x: number, y: number, side: number, part: Part, scene: Scene): void {
  const { palette } = scene;
  const cells = cellsOf(part);
  const { columns } = drawnSize(part);
  const sign = SIGNS[part.kind];
  cells.forEach((cell, i) => {
    const left = x + (i % columns) * side;
    const top = y + Math.floor(i / columns) * side;
    if (cell.value === null) {
      s.rect(left, top, side, side, { color: palette.sunken, stroke: { color: palette.line } });
      return;
    }
    const color = tintOf(scene, i, cells.length, cell.value);
    s.rect(left, top, side, side, {
      color,
      ...(sign ? { pattern: sign, patternColor: mix(color, palette.ink, 0.28) } : {}),
    });
    s.rect(left, top, side, side, { stroke: { color: palette.surface, width: 1.5 } });
    const words = numberText(cell.value);
    const size = Math.min(14, Math.max(9, side * (words.length > 2 ? 0.34 : 0.42)));
    if (sign) {
      const wide = words.length * size * 0.62 + 4;
      s.rect(left + (side - wide) / 2, top + side / 2 - size * 0.62, wide, size * 1.24, {
        color,
        radius: 3,
      });
    }
    s.text(left + side / 2, top + side / 2 + 0.5, words, {
      color: palette.ink,
      size,
      mono: true,
      weight: 560,
      align: "middle",
    });
  });
}

/** A number as a cell shows it. */
export function numberText(value: number): string {
  return (Number.isInteger(value) ? String(value) : value.toFixed(1)).replace("-", "−");
}

/** The rank that a number of the lesson on collectives came from: rank 2 begins with 30, 31, 32, 33; -1 for a sum. */
export function sourceOf(value: number): number {
  const rank = Math.floor(value / 10) - 1;
  return rank >= 0 && rank < 4 && value % 10 < 4 ? rank : -1;
}

function tintOf(scene: Scene, index: number, many: number, value: number): string {
  if (scene.tint === "place") return softRamp(scene.palette, index, many);
  const source = sourceOf(value);
  return source < 0
    ? mix(kindOf("all_reduce").color, scene.palette.surface, 0.7)
    : softRamp(scene.palette, source, 4);
}
