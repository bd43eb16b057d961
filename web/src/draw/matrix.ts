/** Who sends how much to whom: senders down, receivers across, sums along both edges. */

import type { Grid } from "../math/pairs";
import { entryOf, nextCell } from "../math/pairs";
import { ramp } from "./palette";
import type { Palette } from "./palette";
import { textWidth } from "./surface";
import type { Drawing, Surface } from "./surface";

export interface MatrixView {
  readonly grid: Grid;
  /** What each rank sends, and receives, in all. */
  readonly sent: readonly number[];
  readonly received: readonly number[];
  readonly palette: Palette;
  readonly width: number;
  /** The rank whose row and column stand out. */
  readonly rank?: number | null | undefined;
}

export interface MatrixPicture {
  readonly drawing: Drawing;
  /** The drawing with one cell pointed at. */
  pointed(cell: number): Drawing;
  /** The cell at a point, if it holds something; -1 for none. */
  cellAt(x: number, y: number): number;
  box(cell: number): { x: number; y: number; width: number; height: number };
  /** The next cell in a direction that holds something. */
  step(from: number, dx: number, dy: number): number;
}

const TOP = 62;
const LEFT = 88;
const SUM = 46;
const MOST = 680;
const STEPS = 16;

interface Frame {
  readonly view: MatrixView;
  readonly side: number;
  readonly cell: number;
  readonly each: number;
  readonly count: number;
}

/** Room for the cells of a matrix in a picture of a width, in pixels. */
export function matrixRoom(width: number): number {
  return Math.max(160, Math.min(MOST, width - LEFT - SUM - 24));
}

export function matrixPicture(view: MatrixView): MatrixPicture {
  const { grid } = view;
  const exact = matrixRoom(view.width) / grid.side;
  const cell = exact > 3 ? Math.min(52, Math.floor(exact)) : exact;
  const frame: Frame = { view, side: cell * grid.side, cell, each: grid.each, count: grid.side };
  const box = (place: number) => ({
    x: LEFT + (place % grid.side) * cell,
    y: TOP + Math.floor(place / grid.side) * cell,
    width: cell,
    height: cell,
  });
  const pointed = (place: number): Drawing => ({
    width: LEFT + frame.side + SUM + 20,
    height: TOP + frame.side + SUM + 12,
    paint(s) {
      paint(s, frame);
      if (place >= 0) outline(s, frame, box(place));
    },
    layers: {
      key: [frame],
      under: (s) => paint(s, frame),
      over: (s) => place >= 0 && outline(s, frame, box(place)),
    },
  });
  return {
    drawing: pointed(-1),
    pointed,
    cellAt(x, y) {
      const column = Math.floor((x - LEFT) / cell);
      const row = Math.floor((y - TOP) / cell);
      if (x < LEFT || y < TOP || column >= grid.side || row >= grid.side) return -1;
      const place = row * grid.side + column;
      return (grid.best[place] ?? -1) >= 0 ? place : -1;
    },
    box,
    step: (from, dx, dy) => nextCell(grid, from, dx, dy),
  };
}

/** Colours of values, from zero to the largest. */
export function matrixRamp(palette: Palette): string[] {
  const colors = Array.from({ length: STEPS }, (_, i) => ramp(palette, i, STEPS));
  return palette.isDark ? colors : colors.reverse(); // what is more differs more from the paper
}

/** The place of each cell's value in the ramp, from 1; 0 for nothing. */
function levelsOf(grid: Grid): Uint8Array {
  const { values, most } = grid.pairs;
  const found = new Uint8Array(grid.best.length);
  for (let i = 0; i < found.length; i++) {
    const at = grid.best[i] ?? -1;
    if (at >= 0) found[i] = 1 + Math.min(STEPS - 1, Math.floor(((values[at] ?? 0) / most) * STEPS));
  }
  return found;
}

function paint(s: Surface, frame: Frame): void {
  const { view, cell, side, count } = frame;
  const { palette, grid } = view;
  s.rect(LEFT, TOP, side, side, { color: palette.sunken });
  const levels = { at: levelsOf(grid), colors: matrixRamp(palette) };
  if (cell < 12) s.grid(LEFT, TOP, cell, count, levels);
  else {
    diagonal(s, frame, palette);
    levels.at.forEach((level, i) => {
      if (level === 0) return;
      const color = levels.colors[level - 1] ?? palette.ink;
      const [x, y] = [LEFT + (i % count) * cell, TOP + Math.floor(i / count) * cell];
      s.rect(x, y, cell - 1, cell - 1, { color });
    });
  }
  s.rect(LEFT, TOP, side, side, { stroke: { color: palette.edge } });
  axes(s, frame);
  sums(s, frame);
  chosen(s, frame);
}

/** The largest value, without spreading a long list over the stack. */
function largest(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), 0);
}

function diagonal(s: Surface, frame: Frame, palette: Palette): void {
  for (let i = 0; i < frame.count; i++) {
    s.rect(LEFT + i * frame.cell, TOP + i * frame.cell, frame.cell - 1, frame.cell - 1, {
      color: palette.line,
    });
  }
}

function axes(s: Surface, frame: Frame): void {
  const { palette } = frame.view;
  const { order } = frame.view.grid;
  s.text(LEFT, 10, "receives →", { color: palette.ink, size: 12, weight: 550 });
  s.text(LEFT - 12, TOP - 16, "sends ↓", {
    color: palette.ink,
    size: 12,
    weight: 550,
    align: "end",
  });
  const words = (i: number) => String(order[i * frame.each] ?? "");
  const wide = textWidth(words(frame.count - 1), 11) + 10;
  const acrossStep = niceStep(Math.ceil(wide / frame.cell));
  const downStep = niceStep(Math.ceil(16 / frame.cell));
  for (let i = 0; i < frame.count; i += acrossStep) {
    s.text(LEFT + (i + 0.5) * frame.cell, TOP - 16, words(i), {
      color: palette.quiet,
      size: 11,
      align: "middle",
    });
  }
  for (let i = 0; i < frame.count; i += downStep) {
    s.text(LEFT - 12, TOP + (i + 0.5) * frame.cell, words(i), {
      color: palette.quiet,
      size: 11,
      align: "end",
    });
  }
}

function niceStep(least: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(1, least)));
}

/** What each rank sends, to the right, and receives, below. */
function sums(s: Surface, frame: Frame): void {
  const { palette, sent, received } = frame.view;
  const { order } = frame.view.grid;
  const most = Math.max(largest(sent), largest(received), 1e-300);
  const color = palette.edge;
  const mean = (of: readonly number[], i: number) => {
    const here = order.slice(i * frame.each, (i + 1) * frame.each);
    return here.reduce((n, r) => n + (of[r] ?? 0), 0) / Math.max(1, here.length);
  };
  const thick = Math.max(1, frame.cell - (frame.cell >= 6 ? 2 : 0));
  const pad = (frame.cell - thick) / 2;
  for (let i = 0; i < frame.count; i++) {
    const right = (mean(sent, i) / most) * SUM;
    const below = (mean(received, i) / most) * SUM;
    s.rect(LEFT + frame.side + 8, TOP + i * frame.cell + pad, right, thick, { color });
    s.rect(LEFT + i * frame.cell + pad, TOP + frame.side + 8, thick, below, { color });
  }
  s.text(LEFT + frame.side + 8, TOP - 16, "sum", { color: palette.quiet, size: 11 });
  s.text(LEFT - 12, TOP + frame.side + 16, "sum", { color: palette.quiet, size: 11, align: "end" });
}

/** The row and the column of the chosen rank. */
function chosen(s: Surface, frame: Frame): void {
  const { palette, rank, grid } = frame.view;
  if (rank === null || rank === undefined) return;
  const at = Math.floor(grid.order.indexOf(rank) / grid.each);
  if (at < 0) return;
  const size = Math.max(2, frame.cell);
  const stroke = { color: palette.selected, width: frame.cell >= 12 ? 2 : 1 };
  s.rect(LEFT - 1, TOP + at * frame.cell - 0.5, frame.side + 2, size, { stroke });
  s.rect(LEFT + at * frame.cell - 0.5, TOP - 1, size, frame.side + 2, { stroke });
}

/** The cell that is pointed at. */
function outline(s: Surface, frame: Frame, box: { x: number; y: number }): void {
  const size = Math.max(6, frame.cell);
  const shift = (size - frame.cell) / 2;
  s.rect(box.x - shift, box.y - shift, size, size, {
    stroke: { color: frame.view.palette.ink, width: 1.5, dash: [3, 2] },
  });
}

/** A cell's largest pair in words. */
export function pairWords(grid: Grid, cell: number, format: (value: number) => string): string {
  const entry = entryOf(grid, cell);
  return entry ? `rank ${entry.sender} → rank ${entry.receiver}: ${format(entry.value)}` : "";
}
