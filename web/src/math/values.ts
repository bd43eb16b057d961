/** What slices hold, as cells: which cells make a page, where they lie in the tensor, and how far from zero they are. */

import type { ParameterValues } from "../api/types";

/** A tensor, or a slice, as means of cells. */
export interface Cells {
  readonly values: Float32Array;
  /** Cells along each tensor axis. */
  readonly counts: readonly number[];
  /** Where cells begin along each tensor axis, and its end. */
  readonly edges: readonly (readonly number[])[];
  readonly cuts: readonly number[];
  readonly missing: ReadonlySet<number>;
}

/** Cells of two tensor axes; the others stand still. */
export interface CellPage {
  readonly rows: number;
  readonly columns: number;
  /** The place of a cell in `Cells.values`. */
  at(row: number, column: number): number;
}

/** Read an answer of the server. */
export function readCells(found: ParameterValues): Cells {
  const bytes = Uint8Array.from(atob(found.values), (c) => c.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const values = Float32Array.from({ length: bytes.length / 4 }, (_, i) =>
    view.getFloat32(4 * i, true),
  );
  const edges = found.edges.map((own, axis) => {
    const length = own.at(-1) ?? 0;
    const starts = own.slice(0, -1);
    const parts = Array.from({ length: found.cuts[axis] ?? 1 }, (_, b) => b * length);
    return [
      ...parts.flatMap((start) => starts.map((e) => start + e)),
      (found.cuts[axis] ?? 1) * length,
    ];
  });
  return {
    values,
    counts: found.cells,
    edges,
    cuts: found.cuts,
    missing: new Set(found.missing),
  };
}

/** The page of two axes, -1 for none, at these places of the other axes. */
export function pageOf(
  cells: Cells,
  axes: readonly [number, number],
  place: readonly number[],
): CellPage {
  const strides = cells.counts.map((_, i) => cells.counts.slice(i + 1).reduce((a, b) => a * b, 1));
  const [down, across] = axes;
  const base = cells.counts.reduce(
    (n, count, i) =>
      i === down || i === across
        ? n
        : n + Math.min(place[i] ?? 0, Math.max(0, count - 1)) * (strides[i] ?? 1),
    0,
  );
  return {
    rows: down < 0 ? 1 : (cells.counts[down] ?? 1),
    columns: across < 0 ? 1 : (cells.counts[across] ?? 1),
    at: (row, column) =>
      base + row * (strides[down] ?? 0) + column * (across < 0 ? 0 : (strides[across] ?? 1)),
  };
}

/** The place of a cell along each axis. */
export function placeOfCell(cells: Cells, at: number): number[] {
  const found = cells.counts.map(() => 0);
  for (let i = cells.counts.length - 1; i >= 0; i--) {
    const count = Math.max(1, cells.counts[i] ?? 1);
    found[i] = at % count;
    at = Math.floor(at / count);
  }
  return found;
}

/** The row-major number of the slice that a cell lies in. */
export function sliceOfCell(cells: Cells, at: number): number {
  const place = placeOfCell(cells, at);
  return cells.cuts.reduce((n, cut, i) => {
    const each = Math.max(1, (cells.counts[i] ?? 1) / cut);
    return n * cut + Math.floor((place[i] ?? 0) / each);
  }, 0);
}

/** The elements that a cell is the mean of: `[0:2, 4:6]`. */
export function elementsOfCell(cells: Cells, at: number): string {
  const words = placeOfCell(cells, at).map((p, i) => {
    const edges = cells.edges[i] ?? [];
    const start = edges[p] ?? 0;
    const stop = edges[p + 1] ?? start + 1;
    return stop === start + 1 ? String(start) : `${start}:${stop}`;
  });
  return `[${words.join(", ")}]`;
}

/** The largest finite distance from zero: the end of the colour scale. */
export function reach(values: Float32Array): number {
  let most = 0;
  for (const v of values) {
    const size = Math.abs(v);
    if (size > most && Number.isFinite(size)) most = size;
  }
  return most;
}
