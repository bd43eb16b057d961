/** What can be pointed at in a picture: tiles of a wall, cells of a block. */

import type { BlockCell } from "../draw/block";
import type { Frame } from "../draw/glyph";
import type { Wall } from "../draw/wall";
import { neighbour, placeAtPoint } from "../draw/wall";

export interface Marks {
  /** How many there are: the picture's table has as many rows. */
  readonly count?: number;
  /** The mark at a point; -1 for none. */
  at(x: number, y: number): number;
  /** The next mark in a direction. */
  step(from: number, dx: number, dy: number): number;
  words(mark: number): string;
  box(mark: number): Frame;
}

/** The tiles of a rank wall; marks are places. */
export function wallMarks(wall: Wall, words: (place: number) => string): Marks {
  return {
    count: wall.x.length,
    at: (x, y) => placeAtPoint(wall, x - 2, y - 2),
    step: (from, dx, dy) => neighbour(wall, from, dx, dy),
    words,
    box: (place) => ({
      x: (wall.x[place] ?? 0) + 2,
      y: (wall.y[place] ?? 0) + 2,
      width: wall.tile,
      height: wall.tile,
    }),
  };
}

/** The cells of a tensor block; marks are their places in the list. */
export function cellMarks(cells: readonly BlockCell[], words: (cell: number) => string): Marks {
  const columns = cells.findIndex((c) => c.y !== cells[0]?.y);
  const across = columns < 1 ? cells.length : columns;
  return {
    count: cells.length,
    at: (x, y) =>
      cells.findIndex((c) => x >= c.x && x < c.x + c.width && y >= c.y && y < c.y + c.height),
    step(from, dx, dy) {
      if (from < 0) return 0;
      const column = Math.max(0, Math.min(across - 1, (from % across) + dx));
      const row = Math.max(
        0,
        Math.min(Math.ceil(cells.length / across) - 1, Math.floor(from / across) + dy),
      );
      return Math.min(cells.length - 1, row * across + column);
    },
    words,
    box: (cell) => cells[cell] ?? { x: 0, y: 0, width: 0, height: 0 },
  };
}
