/** Cells of a tensor as colours around zero, with the borders of slices and the ranks that hold them. */

import type { CellPage, Cells } from "../math/values";
import { sliceOfCell } from "../math/values";
import { ranksText } from "../math/words";
import { fade, mix } from "./palette";
import type { Palette } from "./palette";
import { fitted, textWidth } from "./surface";
import type { Drawing, Surface } from "./surface";

export interface HeatmapView {
  readonly cells: Cells;
  readonly page: CellPage;
  /** The tensor axes that run down and across; -1 for none. */
  readonly axes: readonly [number, number];
  readonly palette: Palette;
  readonly width: number;
  readonly height: number;
  /** The end of the colour scale. */
  readonly reach: number;
  /** The ranks that hold a slice. */
  readonly holders: readonly (readonly number[])[];
  readonly selectedRank?: number | null;
  readonly title?: string;
}

export interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A picture whose cells stand in rows and columns. */
export interface Grid {
  readonly drawing: Drawing;
  readonly rows: number;
  readonly columns: number;
  box(row: number, column: number): Frame;
}

const STEPS = 24;
const LEFT = 64;

/** The colour of a value between -1 and 1: blue below zero, orange above, the quieter the nearer. */
export function diverging(palette: Palette, t: number): string {
  const step = Math.round(Math.max(-1, Math.min(1, t)) * STEPS) / STEPS;
  const [near, far] = palette.isDark
    ? step < 0
      ? ["#2f6fb5", "#a8d1ff"]
      : ["#b4560f", "#ffc48a"]
    : step < 0
      ? ["#6aa5dc", "#08366f"]
      : ["#f0a04b", "#7a2900"];
  const zero = palette.isDark ? palette.sunken : "#f3f4f5";
  const size = Math.abs(step);
  return size <= 0.5 ? mix(zero, near, size * 2) : mix(near, far, size * 2 - 1);
}

/** The scale of colours, for legends. */
export function divergingRamp(palette: Palette): string[] {
  return Array.from({ length: 13 }, (_, i) => diverging(palette, i / 6 - 1));
}

/** Lay out one page of cells and say how to draw it. */
export function heatmap(view: HeatmapView): Grid {
  const [down, across] = view.axes;
  const top = view.title ? 46 : 30;
  const left = down >= 0 ? LEFT : 4;
  const room = Math.max(40, view.width - left - 8);
  const lengthDown = lengthOf(view, down);
  const lengthAcross = lengthOf(view, across);
  const tall = Math.sqrt(lengthDown / Math.max(1, lengthAcross));
  const high = down < 0 ? 56 : Math.max(60, room * Math.min(1, Math.max(0.3, tall)));
  const frame = { x: left, y: top, width: room, height: Math.min(view.height - top - 8, high) };
  const xs = marksOf(view, across, frame.x, frame.width);
  const ys = marksOf(view, down, frame.y, frame.height);
  const { rows, columns } = view.page;
  return {
    rows,
    columns,
    box: (row, column) => ({
      x: xs[column] ?? 0,
      y: ys[row] ?? 0,
      width: (xs[column + 1] ?? 0) - (xs[column] ?? 0),
      height: (ys[row + 1] ?? 0) - (ys[row] ?? 0),
    }),
    drawing: {
      width: view.width,
      height: frame.y + frame.height + 8,
      paint(s: Surface) {
        labels(s, view, frame);
        paintCells(s, view, xs, ys);
        borders(s, view, xs, ys);
        s.rect(frame.x, frame.y, frame.width, frame.height, {
          stroke: { color: view.palette.edge },
        });
      },
    },
  };
}

function lengthOf(view: HeatmapView, axis: number): number {
  return axis < 0 ? 1 : (view.cells.edges[axis]?.at(-1) ?? 1);
}

/** Where cells begin on the picture, in whole points, so that no gaps shine between them. */
function marksOf(view: HeatmapView, axis: number, start: number, size: number): number[] {
  const edges = axis < 0 ? [0, 1] : (view.cells.edges[axis] ?? [0, 1]);
  const length = Math.max(1, edges.at(-1) ?? 1);
  return edges.map((e) => Math.round(start + (e * size) / length));
}

/** Colours; neighbours of one colour in a row are one rectangle. */
function paintCells(
  s: Surface,
  view: HeatmapView,
  xs: readonly number[],
  ys: readonly number[],
): void {
  const { page, cells, palette } = view;
  for (let row = 0; row < page.rows; row++) {
    let from = 0;
    let color = "";
    const y = ys[row] ?? 0;
    const height = (ys[row + 1] ?? y) - y;
    for (let column = 0; column <= page.columns; column++) {
      const next = column < page.columns ? colorOf(view, page.at(row, column)) : "";
      if (next === color) continue;
      const x = xs[from] ?? 0;
      if (color && height > 0) s.rect(x, y, (xs[column] ?? x) - x, height, { color });
      from = column;
      color = next;
    }
    for (let column = 0; column < page.columns; column++) {
      const at = page.at(row, column);
      if (Number.isFinite(cells.values[at] ?? 0) || cells.missing.has(sliceOfCell(cells, at)))
        continue;
      const x = xs[column] ?? 0;
      crossedOut(s, palette, { x, y, width: (xs[column + 1] ?? x) - x, height });
    }
  }
}

/** A cell without a mean: an X. */
function crossedOut(s: Surface, palette: Palette, { x, y, width, height }: Frame): void {
  const isSmall = width < 5 || height < 5;
  s.rect(x, y, width, height, { color: isSmall ? palette.bad : palette.surface });
  if (isSmall) return;
  const pen = { color: palette.bad, width: 1.25 };
  const [right, below] = [x + width, y + height];
  s.line([{ x, y }, { x: right, y: below }], pen); // prettier-ignore
  s.line([{ x: right, y }, { x, y: below }], pen); // prettier-ignore
}

function colorOf(view: HeatmapView, at: number): string {
  const v = view.cells.values[at] ?? 0;
  if (!Number.isFinite(v)) return view.palette.sunken;
  return diverging(view.palette, view.reach > 0 ? v / view.reach : 0);
}

/** Borders of slices, with the ranks that hold them. */
function borders(
  s: Surface,
  view: HeatmapView,
  xs: readonly number[],
  ys: readonly number[],
): void {
  const { cells, page, palette } = view;
  const [down, across] = view.axes;
  const partsDown = down < 0 ? 1 : (cells.cuts[down] ?? 1);
  const partsAcross = across < 0 ? 1 : (cells.cuts[across] ?? 1);
  const high = page.rows / partsDown;
  const wide = page.columns / partsAcross;
  if (!Number.isInteger(high) || !Number.isInteger(wide) || !high || !wide) return;
  for (let i = 0; i < partsDown; i++) {
    for (let k = 0; k < partsAcross; k++) {
      const number = sliceOfCell(cells, page.at(i * high, k * wide));
      const x = xs[k * wide] ?? 0;
      const y = ys[i * high] ?? 0;
      const width = (xs[(k + 1) * wide] ?? x) - x;
      const height = (ys[(i + 1) * high] ?? y) - y;
      slice(s, view, { x, y, width, height }, number, partsDown * partsAcross > 1);
    }
  }
  const chosen = view.selectedRank;
  if (chosen === null || chosen === undefined) return;
  for (let i = 0; i < partsDown * partsAcross; i++) {
    const row = Math.floor(i / partsAcross) * high;
    const column = (i % partsAcross) * wide;
    const number = sliceOfCell(cells, page.at(row, column));
    if (!view.holders[number]?.includes(chosen)) continue;
    const x = xs[column] ?? 0;
    const y = ys[row] ?? 0;
    s.rect(x + 1, y + 1, (xs[column + wide] ?? x) - x - 2, (ys[row + high] ?? y) - y - 2, {
      stroke: { color: palette.selected, width: 2.5 },
    });
  }
}

function slice(s: Surface, view: HeatmapView, box: Frame, number: number, hasBorder: boolean) {
  const { palette, cells } = view;
  if (cells.missing.has(number)) {
    s.rect(box.x, box.y, box.width, box.height, {
      color: palette.sunken,
      pattern: "cross",
      patternColor: palette.edge,
    });
  }
  if (hasBorder) {
    s.rect(box.x, box.y, box.width, box.height, { stroke: { color: palette.surface, width: 3 } });
    s.rect(box.x, box.y, box.width, box.height, { stroke: { color: palette.ink } });
  }
  const ranks = view.holders[number] ?? [];
  if (ranks.length === 0 || box.height < 18) return;
  const words = [8, 4, 3].map((n) => ranksText(ranks, n)).find((w) => fits(w, box.width));
  if (!words) return;
  const width = textWidth(words, 11) + 8;
  s.rect(box.x + 2, box.y + 2, width, 15, { color: fade(palette.surface, 0.86), radius: 3 });
  s.text(box.x + 6, box.y + 10, words, { color: palette.ink, size: 11 });
}

function fits(words: string, width: number): boolean {
  return textWidth(words, 11) + 14 <= width;
}

function labels(s: Surface, view: HeatmapView, frame: Frame): void {
  const { palette, cells } = view;
  const [down, across] = view.axes;
  const top = view.title ? 24 : 8;
  if (view.title) s.text(frame.x, 8, view.title, { color: palette.ink, size: 12, weight: 600 });
  if (across >= 0) {
    const words = fitted(`axis ${across} → ${lengthOf(view, across)}`, frame.width - 4, 11);
    s.text(frame.x, top, words, { color: palette.quiet, size: 11 });
  }
  if (down < 0) return;
  s.text(frame.x - 8, top, `axis ${down} ↓`, { color: palette.quiet, size: 11, align: "end" });
  const parts = cells.cuts[down] ?? 1;
  const length = lengthOf(view, down);
  const every = Math.max(1, Math.ceil((14 * parts) / frame.height));
  for (let i = 0; i < parts; i += every) {
    s.text(
      frame.x - 8,
      frame.y + (i * frame.height) / parts + 8,
      fitted(String((i * length) / parts), frame.x - 12, 11),
      { color: palette.quiet, size: 11, align: "end" },
    );
  }
  if (frame.height > 40)
    s.text(frame.x - 8, frame.y + frame.height - 6, fitted(String(length), frame.x - 12, 11), {
      color: palette.quiet,
      size: 11,
      align: "end",
    });
}
