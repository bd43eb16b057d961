/** Who sends how much to whom, as a grid: pairs of ranks, several to a cell where ranks are many. */

import { coordinates, rankCount } from "./layout";

/** The whole matrix of a program's step: senders down, receivers to the right. */
export interface Pairs {
  readonly size: number;
  /** Row by row, a row for each sender. */
  readonly values: Float64Array;
  readonly most: number;
  /** How many pairs exchange something. */
  readonly count: number;
}

/** A pair, and the cell of the grid in which it stands. */
export interface Entry {
  readonly cell: number;
  readonly sender: number;
  readonly receiver: number;
  readonly value: number;
}

/** Pairs put into a square of cells; of those that share one the largest is kept. */
export interface Grid {
  readonly pairs: Pairs;
  readonly order: readonly number[];
  /** Cells on a side. */
  readonly side: number;
  /** Ranks that share a row. */
  readonly each: number;
  /** Of each cell, row by row, the place of its largest pair in the matrix; -1 where there is none. */
  readonly best: Int32Array;
}

export function pairsOf(size: number, values: Float64Array): Pairs {
  let [most, count] = [0, 0];
  for (const value of values) {
    if (value > 0) count++;
    if (value > most) most = value;
  }
  return { size, values, most, count };
}

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

/** Put pairs into cells, at most so many on a side. */
export function gridOf(pairs: Pairs, order: readonly number[], most: number): Grid {
  const each = Math.max(1, Math.ceil(Math.max(1, order.length) / most));
  const side = Math.ceil(Math.max(1, order.length) / each);
  const { size, values } = pairs;
  const place = new Int32Array(size).fill(-1);
  order.forEach((rank, i) => (place[rank] = Math.floor(i / each)));
  const best = new Int32Array(side * side).fill(-1);
  const largest = new Float64Array(side * side);
  for (let sender = 0, at = 0; sender < size; sender++) {
    const row = (place[sender] ?? -1) * side;
    if (row < 0) {
      at += size;
      continue;
    }
    for (let receiver = 0; receiver < size; receiver++, at++) {
      const value = values[at] as number;
      const cell = row + (place[receiver] as number);
      if (value > (largest[cell] as number) && cell >= row) {
        largest[cell] = value;
        best[cell] = at;
      }
    }
  }
  return { pairs, order, side, each, best };
}

/** The largest pair of a cell; none where nothing is sent. */
export function entryOf(grid: Grid, cell: number): Entry | null {
  const at = grid.best[cell] ?? -1;
  if (at < 0) return null;
  const { size, values } = grid.pairs;
  return { cell, sender: Math.floor(at / size), receiver: at % size, value: values[at] ?? 0 };
}

/** The largest pairs of all cells that hold one, row by row. */
export function entriesOf(grid: Grid): Entry[] {
  const found: Entry[] = [];
  grid.best.forEach((at, cell) => {
    const entry = at < 0 ? null : entryOf(grid, cell);
    if (entry) found.push(entry);
  });
  return found;
}

/** The next cell in a direction that holds a pair; the first of all if none was chosen. */
export function nextCell(grid: Grid, from: number, dx: number, dy: number): number {
  const { best, side } = grid;
  if (from < 0) return best.findIndex((at) => at >= 0);
  const [row, column] = [Math.floor(from / side), from % side];
  let found = from;
  let least = Infinity;
  for (let cell = 0; cell < best.length; cell++) {
    if ((best[cell] ?? -1) < 0) continue;
    const [down, right] = [Math.floor(cell / side) - row, (cell % side) - column];
    const along = dx ? right * dx : down * dy;
    const off = Math.abs(dx ? down : right);
    if (along > 0 && along + 3 * off < least) [least, found] = [along + 3 * off, cell];
  }
  return found;
}

/** What one rank sends to others, or receives from them, the most first. */
export function partners(
  pairs: Pairs,
  rank: number,
  way: "sends" | "receives",
): { rank: number; value: number }[] {
  return Array.from({ length: pairs.size }, (_, other) => ({
    rank: other,
    value:
      pairs.values[way === "sends" ? rank * pairs.size + other : other * pairs.size + rank] ?? 0,
  }))
    .filter((p) => p.value > 0)
    .sort((a, b) => b.value - a.value);
}
