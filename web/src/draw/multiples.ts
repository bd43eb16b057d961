/** Small multiples: pictures of one kind side by side, that are pointed at as one. */

import type { Frame, Grid } from "./heatmap";
import { moved } from "./scaled";
import type { Drawing, Surface } from "./surface";

export interface Multiples {
  readonly drawing: Drawing;
  /** The mark at a point, counted page by page and row by row; -1 for none. */
  at(x: number, y: number): number;
  step(from: number, dx: number, dy: number): number;
  box(mark: number): Frame;
  /** The page, row and column of a mark. */
  where(mark: number): readonly [page: number, row: number, column: number];
}

const GAP = 16;

/** How many pictures fit side by side, none of them narrower than `least`. */
export function columnsOf(count: number, width: number, least: number): number {
  const most = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
  return Math.ceil(count / Math.ceil(count / Math.min(count, most)));
}

/** How wide each picture is. */
export function widthOf(columns: number, width: number): number {
  return Math.floor((width - GAP * (columns - 1)) / columns);
}

/** Put pictures of one size and one grid side by side. */
export function multiples(pages: readonly Grid[], columns: number, width: number): Multiples {
  const first = pages[0];
  const wide = widthOf(columns, width);
  const high = (first?.drawing.height ?? 0) + (pages.length > 1 ? 8 : 0);
  const rows = first?.rows ?? 0;
  const across = first?.columns ?? 0;
  const each = Math.max(1, rows * across);
  const corner = (page: number) => ({
    x: (page % columns) * (wide + GAP),
    y: Math.floor(page / columns) * high,
  });
  const where = (mark: number): readonly [number, number, number] => {
    const inside = mark % each;
    return [Math.floor(mark / each), Math.floor(inside / across), inside % across];
  };
  const box = (mark: number): Frame => {
    const [page, row, column] = where(mark);
    const found = pages[page]?.box(row, column) ?? { x: 0, y: 0, width: 0, height: 0 };
    const { x, y } = corner(page);
    return { ...found, x: found.x + x, y: found.y + y };
  };
  return {
    drawing: {
      width,
      height: Math.max(1, Math.ceil(pages.length / columns) * high),
      paint(s: Surface) {
        pages.forEach((page, i) => page.drawing.paint(moved(s, corner(i).x, corner(i).y)));
      },
    },
    where,
    box,
    at(x, y) {
      const page = Math.floor(y / high) * columns + Math.floor(x / (wide + GAP));
      const grid = pages[page];
      if (!grid) return -1;
      const { x: left, y: top } = corner(page);
      const row = last(rows, (i) => grid.box(i, 0).y <= y - top);
      const column = last(across, (i) => grid.box(0, i).x <= x - left);
      if (row < 0 || column < 0) return -1;
      const found = grid.box(row, column);
      const isIn = x - left < found.x + found.width && y - top < found.y + found.height;
      return isIn ? page * each + row * across + column : -1;
    },
    step(from, dx, dy) {
      if (from < 0) return 0;
      const [page, row, column] = where(from);
      const right = column + dx;
      const below = row + dy;
      if (below < 0 || below >= rows) return from;
      if (right >= 0 && right < across) return page * each + below * across + right;
      const next = page + Math.sign(dx);
      if (next < 0 || next >= pages.length) return from;
      return next * each + row * across + (dx > 0 ? 0 : across - 1);
    },
  };
}

/** The last of the first `count` numbers that fits, by halving; -1 if none does. */
function last(count: number, fits: (i: number) => boolean): number {
  let low = -1;
  let high = count - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (fits(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}
