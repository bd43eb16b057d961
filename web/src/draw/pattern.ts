/** The signs that stand for what colour alone must not tell: hatch, dots, cross-hatch. */

import type { Point } from "./surface";

/** `hatch`: a copy; `dots`: a term that waits to be joined; `cross`: not resident. */
export type Pattern = "hatch" | "dots" | "cross";

interface Mark {
  /** Distance between two marks. */
  readonly gap: number;
  /** Of a line. */
  readonly width: number;
  /** Radius of a dot; 0 for lines. */
  readonly dot: number;
}

const MARKS: Record<Pattern, Mark> = {
  hatch: { gap: 5, width: 1, dot: 0 },
  dots: { gap: 5, width: 0, dot: 1.1 },
  cross: { gap: 5, width: 0.8, dot: 0 },
};

export function patternMark(pattern: Pattern): Mark {
  return MARKS[pattern];
}

/** The lines of a pattern over a box: at 45 degrees, from the lower left to the upper right. */
export function patternLines(
  pattern: Pattern,
  x: number,
  y: number,
  width: number,
  height: number,
): [Point, Point][] {
  const step = MARKS[pattern].gap * Math.SQRT2;
  const found: [Point, Point][] = [];
  const first = Math.floor((x + y) / step) * step; // lines of neighbouring boxes meet
  for (let s = first; s <= x + y + width + height; s += step) {
    found.push([
      { x: s - y, y },
      { x: s - y - height, y: y + height },
    ]);
  }
  if (pattern === "cross") {
    const from = Math.floor((x - y - height) / step) * step;
    for (let s = from; s <= x - y + width; s += step) {
      found.push([
        { x: s + y, y },
        { x: s + y + height, y: y + height },
      ]);
    }
  }
  return found;
}
