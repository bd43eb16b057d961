/** What the lessons show: numbers that four ranks held, recorded by `simpar/demo/lessons.py`. */

import recorded from "./recorded.json";

/** What one rank holds of one tensor. */
export interface Part {
  readonly name: string;
  /** Of the whole tensor. */
  readonly shape: readonly number[];
  /** Start and stop along each axis of what is held. */
  readonly box: readonly (readonly number[])[];
  /** The numbers held, in row-major order. */
  readonly values: readonly number[];
  readonly kind: string;
  readonly dev_mat: readonly number[];
}

/** One picture of all ranks, and the move that led to it. */
export interface Frame {
  readonly name: string;
  /** The collective, or nothing. */
  readonly moved: string;
  readonly groups: readonly (readonly number[])[];
  readonly sent_bytes: number;
  /** What each rank holds. */
  readonly ranks: readonly (readonly Part[])[];
}

export interface Span {
  readonly step: number;
  readonly kind: string;
  readonly start_s: number;
  readonly end_s: number;
}

export interface Recorded {
  readonly ranks: number;
  readonly frames: Readonly<Record<string, readonly Frame[]>>;
  readonly timeline: readonly (readonly Span[])[];
}

export const RECORDED: Recorded = recorded;

/** One number of a part: where it stands in the tensor, and whether this rank holds it. */
export interface Cell {
  readonly row: number;
  readonly column: number;
  readonly value: number | null;
}

/** All cells of the whole tensor, row by row; null where this rank holds nothing. */
export function cellsOf(part: Part): Cell[] {
  const [rows = 1, columns = 1] = part.shape;
  const [[top = 0, bottom = 0] = [], [left = 0, right = 0] = []] = part.box;
  return Array.from({ length: rows * columns }, (_, i) => {
    const row = Math.floor(i / columns);
    const column = i % columns;
    const isHeld = row >= top && row < bottom && column >= left && column < right;
    const at = (row - top) * (right - left) + (column - left);
    return { row, column, value: isHeld ? (part.values[at] ?? null) : null };
  });
}

/** Where a part stands, as Python writes it: `[0:2, 0:4]`. */
export function boxText(part: Part): string {
  return `[${part.box.map(([start, stop]) => `${start}:${stop}`).join(", ")}]`;
}

/** The numbers that a rank holds, row by row: `1 2; 5 6`. */
export function valuesText(part: Part): string {
  const [, [left = 0, right = 0] = []] = part.box;
  const width = Math.max(1, right - left);
  const rows = Array.from({ length: Math.ceil(part.values.length / width) }, (_, i) =>
    part.values.slice(i * width, (i + 1) * width).join(" "),
  );
  return rows.join("; ");
}

/** The device matrix of a frame. */
export function devMatOf(frame: Frame): readonly number[] {
  return frame.ranks.flat()[0]?.dev_mat ?? [frame.ranks.length];
}

/** What a rank sends on the way to a frame, added up from the frame where the way begins. */
export function sentUpTo(frames: readonly Frame[], from: number, to: number): number {
  return frames.slice(from + 1, to + 1).reduce((n, f) => n + f.sent_bytes, 0);
}
