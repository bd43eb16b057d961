/** A tensor with the cuts through it; in each slice stand the ranks that hold it. */

import { copyCount, cuts, cuttingAxes, holders, interval, termCount } from "../math/layout";
import type { Layout } from "../math/layout";
import { ranksText } from "../math/words";
import { fade, softRamp } from "./palette";
import type { Palette } from "./palette";
import { fitted, textWidth } from "./surface";
import type { Drawing, Surface } from "./surface";

export interface BlockView {
  readonly layout: Layout;
  readonly shape: readonly number[];
  readonly palette: Palette;
  readonly width: number;
  readonly height: number;
  /** The tensor axes that run down and across; -1 for none. */
  readonly axes: readonly [number, number];
  /** Which block of each tensor axis is shown, for the axes that are not on the page. */
  readonly page: readonly number[];
  readonly selectedSlice?: number | null | undefined;
  readonly hoveredSlice?: number | null | undefined;
}

export interface BlockCell {
  readonly slice: number;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Block {
  readonly drawing: Drawing;
  readonly cells: readonly BlockCell[];
}

const LEAST_LEFT = 78;
const MOST_LEFT = 128;
const TOP = 44;
const MOST_CELLS = 4096;

/** The axes that lie on the page unless the reader chooses: those that are cut, if they are few; else the last ones. */
export function pageAxes(
  shape: readonly number[],
  parts: readonly number[] = [],
): [number, number] {
  const all = shape.map((_, i) => i);
  const cut = all.filter((i) => (parts[i] ?? 1) > 1);
  const rest = all.filter((i) => !cut.includes(i));
  const shown = cut.length > 2 ? cut.slice(-2) : [...cut, ...rest.reverse()].slice(0, 2);
  const [across = -1, down = -1] = shown.sort((a, b) => b - a);
  return [down, across];
}

/** Lay out the slices of one page and say how to draw them. */
export function tensorBlock(view: BlockView): Block {
  const parts = cuts(view.layout);
  const [down, across] = view.axes;
  const rows = down >= 0 ? (parts[down] ?? 1) : 1;
  const columns = across >= 0 ? (parts[across] ?? 1) : 1;
  const frame = bodyFrame(view, rows);
  const cells: BlockCell[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns && cells.length < MOST_CELLS; column++) {
      const block = [...view.page];
      if (down >= 0) block[down] = row;
      if (across >= 0) block[across] = column;
      cells.push({
        slice: block.reduce((n, b, i) => n * (parts[i] ?? 1) + b, 0),
        x: frame.x + (column * frame.width) / columns,
        y: frame.y + (row * frame.height) / rows,
        width: frame.width / columns,
        height: frame.height / rows,
      });
    }
  }
  const drawing = {
    width: view.width,
    height: frame.y + frame.height + 6,
    paint: (s: Surface) => paint(s, view, cells, frame, rows, columns),
  };
  return { drawing, cells };
}

interface Body {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Room for the longest interval down the side. */
function leftOf(view: BlockView): number {
  const length = view.shape[view.axes[0]] ?? 0;
  return Math.min(MOST_LEFT, Math.max(LEAST_LEFT, 20 + textWidth(`${length}:${length}`, 12.5)));
}

function bodyFrame(view: BlockView, rows: number): Body {
  const [down, across] = view.axes;
  const x = down >= 0 ? leftOf(view) : 4;
  const width = view.width - x - 6;
  const most = view.height - TOP - 10;
  const tall = down >= 0 ? (view.shape[down] ?? 1) / Math.max(1, view.shape[across] ?? 1) : 0;
  const wished = down < 0 ? 74 : width * Math.min(1.1, Math.max(0.34, Math.sqrt(tall) * 0.6));
  return { x, y: TOP, width, height: Math.min(Math.max(wished, Math.min(most, rows * 30)), most) };
}

function paint(
  s: Surface,
  view: BlockView,
  cells: readonly BlockCell[],
  frame: Body,
  rows: number,
  columns: number,
): void {
  const { palette, layout } = view;
  const held = holders(layout);
  const total = held.length;
  labels(s, view, frame, rows, columns);
  const few = cells.length <= 1024;
  for (const cell of cells) {
    s.rect(cell.x, cell.y, cell.width, cell.height, {
      color: softRamp(palette, cell.slice, total),
      stroke: {
        color: few ? palette.surface : softRamp(palette, cell.slice, total),
        width: few ? 2 : 0.5,
      },
      ...(termCount(layout) > 1
        ? { pattern: "dots" as const, patternColor: fade(palette.edge, 0.55) }
        : {}),
    });
    cellText(s, view, cell, held[cell.slice] ?? []);
  }
  s.rect(frame.x, frame.y, frame.width, frame.height, {
    stroke: { color: palette.edge, width: 1.25 },
    radius: 2,
  });
  for (const cell of cells) {
    const isSelected = cell.slice === view.selectedSlice;
    if (!isSelected && cell.slice !== view.hoveredSlice) continue;
    s.rect(cell.x + 1, cell.y + 1, cell.width - 2, cell.height - 2, {
      stroke: isSelected
        ? { color: palette.selected, width: 2.5 }
        : { color: palette.ink, width: 1.5, dash: [4, 3] },
      radius: 2,
    });
  }
}

/** The ranks that hold a slice; and, where there is room, that it is kept several times. */
function cellText(s: Surface, view: BlockView, cell: BlockCell, ranks: readonly number[]): void {
  const { palette, layout } = view;
  if (cell.width < 16 || cell.height < 13) return;
  const size = cell.height >= 30 && cell.width >= 44 ? 12.5 : 10;
  const room = cell.width - 10;
  let words = "";
  for (const most of [8, 6, 4, 3]) {
    words = ranksText(ranks, most);
    if (textWidth(words, size) <= room) break;
  }
  if (textWidth(words, size) > room) {
    stacked(s, view, cell, ranks, size);
    return;
  }
  if (ranks.length === 1) words = textWidth(String(ranks[0]), size) <= room ? String(ranks[0]) : "";
  if (!words) return;
  const copies = copyCount(layout);
  const extra =
    copies > 1
      ? `× ${copies} copies`
      : termCount(layout) > 1
        ? `1 of ${termCount(layout)} terms`
        : "";
  const hasExtra = extra !== "" && cell.height >= 44 && textWidth(extra, 11) <= room;
  const middle = cell.y + cell.height / 2;
  s.text(cell.x + cell.width / 2, hasExtra ? middle - 8 : middle, words, {
    color: palette.ink,
    size,
    align: "middle",
    weight: 550,
  });
  if (hasExtra) {
    s.text(cell.x + cell.width / 2, middle + 10, extra, {
      color: mixInk(palette),
      size: 11,
      align: "middle",
    });
  }
}

/** Ranks one below the other, where they do not fit side by side. */
function stacked(
  s: Surface,
  view: BlockView,
  cell: BlockCell,
  ranks: readonly number[],
  size: number,
): void {
  const line = size + 4;
  const most = Math.max(1, Math.floor((cell.height - 8) / line));
  const shown =
    ranks.length <= most ? ranks.map(String) : [...ranks.slice(0, most - 1).map(String), "…"];
  if (shown.some((words) => textWidth(words, size) > cell.width - 4)) return;
  const top = cell.y + (cell.height - shown.length * line) / 2 + line / 2;
  shown.forEach((words, i) =>
    s.text(cell.x + cell.width / 2, top + i * line, words, {
      color: view.palette.ink,
      size,
      align: "middle",
      weight: 550,
    }),
  );
}

function mixInk(palette: Palette): string {
  return palette.isDark ? "#c3ced8" : "#42505d";
}

/** Intervals along both axes, and what cuts them. */
function labels(s: Surface, view: BlockView, frame: Body, rows: number, columns: number): void {
  const { palette, layout, shape } = view;
  const [down, across] = view.axes;
  if (across >= 0) {
    s.text(frame.x, 9, axisWords(layout, shape, across), {
      color: palette.ink,
      size: 12,
      weight: 550,
    });
    const width = frame.width / columns;
    const step = Math.max(1, Math.ceil(54 / width));
    for (let i = 0; i < columns; i += step) {
      const ends = interval(layout, across, i, shape[across] ?? 1);
      const shown = step === 1 ? fitted(ends.join(":"), width - 4, 11) : String(ends[0]);
      const middle = step === 1 ? frame.x + (i + 0.5) * width : frame.x + i * width;
      s.text(middle, TOP - 13, shown, {
        color: palette.quiet,
        size: 11,
        align: step === 1 ? "middle" : "start",
      });
    }
  }
  if (down >= 0) {
    const height = frame.height / rows;
    const step = Math.max(1, Math.ceil(15 / height));
    s.text(frame.x - 10, TOP - 13, `axis ${down} ↓`, {
      color: palette.ink,
      size: 12,
      weight: 550,
      align: "end",
    });
    for (let i = 0; i < rows; i += step) {
      const words = interval(layout, down, i, shape[down] ?? 1).join(":");
      s.text(frame.x - 10, frame.y + (i + 0.5) * height, fitted(words, frame.x - 14, 12.5), {
        color: palette.quiet,
        size: 11,
        align: "end",
      });
    }
  }
}

function axisWords(layout: Layout, shape: readonly number[], axis: number): string {
  const by = cuttingAxes(layout)[axis] ?? [];
  const words = by.length > 0 ? `, cut by device axis ${by.join(", ")}` : ", not cut";
  return `axis ${axis} → ${shape[axis]}${words}`;
}
