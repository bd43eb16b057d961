/** Who sends how much to whom: senders down, receivers across, sums along both edges. */

import type { Matrix } from "../api/types";
import { coordinates, rankCount } from "../math/layout";
import { ramp } from "./palette";
import type { Palette } from "./palette";
import { textWidth } from "./surface";
import type { Drawing, Surface } from "./surface";

export interface MatrixView {
  readonly matrix: Matrix;
  readonly palette: Palette;
  readonly width: number;
  /** Ranks in the order in which they stand. */
  readonly order: readonly number[];
  readonly format: (value: number) => string;
  /** The rank whose row and column stand out. */
  readonly rank?: number | null | undefined;
  readonly hovered?: number | undefined;
}

/** A cell of the picture: one pair of ranks, or, where ranks are many, several with the largest value of them. */
export interface Cell {
  readonly row: number;
  readonly column: number;
  readonly value: number;
  readonly sender: number;
  readonly receiver: number;
}

export interface MatrixPicture {
  readonly drawing: Drawing;
  readonly cells: readonly Cell[];
  /** The place in `cells` at a point; -1 for none. */
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

/** Ranks put in order so that those which differ only along one device axis stand side by side. */
export function orderAlong(
  devMat: readonly number[],
  axis: number | null,
  ranks: number,
): number[] {
  const all = Array.from({ length: ranks }, (_, rank) => rank);
  if (axis === null || rankCount({ dev_mat: devMat }) !== ranks) return all;
  const at = devMat.length - 1 - axis;
  const weight = (rank: number) => {
    const coords = coordinates(devMat, rank);
    const others = coords.reduce((n, c, i) => (i === at ? n : n * (devMat[i] ?? 1) + c), 0);
    return others * (devMat[at] ?? 1) + (coords[at] ?? 0);
  };
  return all.sort((a, b) => weight(a) - weight(b));
}

interface Grid {
  readonly side: number;
  readonly cell: number;
  readonly each: number;
  readonly count: number;
}

function gridOf(view: MatrixView): Grid {
  const room = Math.max(160, Math.min(MOST, view.width - LEFT - SUM - 24));
  const size = Math.max(1, view.order.length);
  const each = Math.max(1, Math.ceil(size / room)); // ranks that share a cell
  const count = Math.ceil(size / each);
  const exact = room / count;
  const cell = exact > 3 ? Math.min(52, Math.floor(exact)) : exact;
  return { side: cell * count, cell, each, count };
}

export function matrixPicture(view: MatrixView): MatrixPicture {
  const grid = gridOf(view);
  const cells = cellsOf(view, grid);
  const byPlace = new Map(cells.map((c, i) => [c.row * grid.count + c.column, i]));
  return {
    drawing: {
      width: LEFT + grid.side + SUM + 20,
      height: TOP + grid.side + SUM + 12,
      paint: (s) => paint(s, view, grid, cells),
    },
    cells,
    cellAt(x, y) {
      const column = Math.floor((x - LEFT) / grid.cell);
      const row = Math.floor((y - TOP) / grid.cell);
      if (x < LEFT || y < TOP || column >= grid.count || row >= grid.count) return -1;
      return byPlace.get(row * grid.count + column) ?? -1;
    },
    box(i) {
      const c = cells[i];
      return {
        x: LEFT + (c?.column ?? 0) * grid.cell,
        y: TOP + (c?.row ?? 0) * grid.cell,
        width: grid.cell,
        height: grid.cell,
      };
    },
    step: (from, dx, dy) => nextCell(cells, from, dx, dy),
  };
}

function nextCell(cells: readonly Cell[], from: number, dx: number, dy: number): number {
  const own = cells[from];
  if (!own) return cells.length > 0 ? 0 : -1;
  let best = from;
  let least = Infinity;
  cells.forEach((c, i) => {
    const along = dx ? (c.column - own.column) * dx : (c.row - own.row) * dy;
    const off = dx ? Math.abs(c.row - own.row) : Math.abs(c.column - own.column);
    if (along > 0 && along + 3 * off < least) [least, best] = [along + 3 * off, i];
  });
  return best;
}

function cellsOf(view: MatrixView, grid: Grid): Cell[] {
  const { matrix, order } = view;
  const place = new Int32Array(matrix.size).fill(-1);
  order.forEach((rank, i) => (place[rank] = Math.floor(i / grid.each)));
  const found = new Map<number, Cell>();
  matrix.values.forEach((value, i) => {
    const sender = matrix.senders[i] ?? 0;
    const receiver = matrix.receivers[i] ?? 0;
    const [row, column] = [place[sender] ?? -1, place[receiver] ?? -1];
    if (row < 0 || column < 0) return;
    const key = row * grid.count + column;
    const before = found.get(key);
    if (!before || before.value < value) found.set(key, { row, column, value, sender, receiver });
  });
  return [...found.values()].sort((a, b) => a.row - b.row || a.column - b.column);
}

/** Colours of values, from zero to the largest. */
export function matrixRamp(palette: Palette): string[] {
  const colors = Array.from({ length: STEPS }, (_, i) => ramp(palette, i, STEPS));
  return palette.isDark ? colors : colors.reverse(); // what is more differs more from the paper
}

function paint(s: Surface, view: MatrixView, grid: Grid, cells: readonly Cell[]): void {
  const { palette } = view;
  const most = Math.max(0, ...bounded(view.matrix.values));
  const colors = matrixRamp(palette);
  s.rect(LEFT, TOP, grid.side, grid.side, { color: palette.sunken });
  const gap = grid.cell >= 12 ? 1 : 0;
  if (gap) diagonal(s, grid, palette);
  for (const c of cells) {
    const level = most > 0 ? Math.min(STEPS - 1, Math.floor((c.value / most) * STEPS)) : 0;
    // one pixel at least: a single entry among a thousand ranks must be seen
    const size = Math.max(1, grid.cell - gap);
    s.rect(LEFT + c.column * grid.cell, TOP + c.row * grid.cell, size, size, {
      color: colors[level] ?? palette.ink,
    });
  }
  s.rect(LEFT, TOP, grid.side, grid.side, { stroke: { color: palette.edge } });
  axes(s, view, grid);
  sums(s, view, grid);
  highlight(s, view, grid, cells);
}

/** The largest value, without spreading a long list over the stack. */
function bounded(values: readonly number[]): number[] {
  return [values.reduce((a, b) => Math.max(a, b), 0)];
}

function diagonal(s: Surface, grid: Grid, palette: Palette): void {
  for (let i = 0; i < grid.count; i++) {
    s.rect(LEFT + i * grid.cell, TOP + i * grid.cell, grid.cell - 1, grid.cell - 1, {
      color: palette.line,
    });
  }
}

function axes(s: Surface, view: MatrixView, grid: Grid): void {
  const { palette, order } = view;
  s.text(LEFT, 10, "receives →", { color: palette.ink, size: 12, weight: 550 });
  s.text(LEFT - 12, TOP - 16, "sends ↓", {
    color: palette.ink,
    size: 12,
    weight: 550,
    align: "end",
  });
  const words = (i: number) => String(order[i * grid.each] ?? "");
  const wide = textWidth(words(grid.count - 1), 11) + 10;
  const acrossStep = niceStep(Math.ceil(wide / grid.cell));
  const downStep = niceStep(Math.ceil(16 / grid.cell));
  for (let i = 0; i < grid.count; i += acrossStep) {
    s.text(LEFT + (i + 0.5) * grid.cell, TOP - 16, words(i), {
      color: palette.quiet,
      size: 11,
      align: "middle",
    });
  }
  for (let i = 0; i < grid.count; i += downStep) {
    s.text(LEFT - 12, TOP + (i + 0.5) * grid.cell, words(i), {
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
function sums(s: Surface, view: MatrixView, grid: Grid): void {
  const { palette, order, matrix } = view;
  const most = Math.max(...bounded(matrix.sent), ...bounded(matrix.received), 1e-300);
  const color = palette.edge;
  const mean = (of: readonly number[], i: number) => {
    const here = order.slice(i * grid.each, (i + 1) * grid.each);
    return here.reduce((n, r) => n + (of[r] ?? 0), 0) / Math.max(1, here.length);
  };
  const thick = Math.max(1, grid.cell - (grid.cell >= 6 ? 2 : 0));
  const pad = (grid.cell - thick) / 2;
  for (let i = 0; i < grid.count; i++) {
    const sent = (mean(matrix.sent, i) / most) * SUM;
    const received = (mean(matrix.received, i) / most) * SUM;
    s.rect(LEFT + grid.side + 8, TOP + i * grid.cell + pad, sent, thick, { color });
    s.rect(LEFT + i * grid.cell + pad, TOP + grid.side + 8, thick, received, { color });
  }
  s.text(LEFT + grid.side + 8, TOP - 16, "sum", { color: palette.quiet, size: 11 });
  s.text(LEFT - 12, TOP + grid.side + 16, "sum", { color: palette.quiet, size: 11, align: "end" });
}

function highlight(s: Surface, view: MatrixView, grid: Grid, cells: readonly Cell[]): void {
  const { palette, rank, hovered } = view;
  const at =
    rank === null || rank === undefined ? -1 : Math.floor(view.order.indexOf(rank) / grid.each);
  if (at >= 0) {
    const size = Math.max(2, grid.cell);
    const stroke = { color: palette.selected, width: grid.cell >= 12 ? 2 : 1 };
    s.rect(LEFT - 1, TOP + at * grid.cell - 0.5, grid.side + 2, size, { stroke });
    s.rect(LEFT + at * grid.cell - 0.5, TOP - 1, size, grid.side + 2, { stroke });
  }
  const cell = hovered === undefined ? undefined : cells[hovered];
  if (cell) {
    const size = Math.max(6, grid.cell);
    const shift = (size - grid.cell) / 2;
    s.rect(LEFT + cell.column * grid.cell - shift, TOP + cell.row * grid.cell - shift, size, size, {
      stroke: { color: palette.ink, width: 1.5, dash: [3, 2] },
    });
  }
}
