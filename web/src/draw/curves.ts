/** Curves over steps as a drawing, for files to take away: on the page uPlot draws them, which can zoom. */

import { scaleLinear } from "d3-scale";
import type { Palette } from "./palette";
import type { Drawing, Point } from "./surface";

export interface CurveLine {
  readonly words: string;
  readonly values: readonly (number | null)[];
  readonly color?: string;
}

const LEFT = 64;
const RIGHT = 20;
const TOP = 12;
const BELOW = 30;

/** Curves over the same steps; where a value is missing a line is broken. */
export function curves(
  steps: readonly number[],
  lines: readonly CurveLine[],
  format: (value: number) => string,
  palette: Palette,
  width = 760,
  height = 320,
): Drawing {
  return {
    width,
    height,
    paint(s) {
      const known = lines.flatMap((l) => l.values.filter((v): v is number => v !== null));
      const x = scaleLinear([steps[0] ?? 0, steps.at(-1) ?? 1], [LEFT, width - RIGHT]);
      const y = scaleLinear([least(known), most(known)], [height - BELOW, TOP]).nice(5);
      for (const tick of y.ticks(5)) {
        s.line(
          [
            { x: LEFT, y: y(tick) },
            { x: width - RIGHT, y: y(tick) },
          ],
          { color: palette.line },
        );
        s.text(LEFT - 8, y(tick), format(tick), { color: palette.quiet, size: 11, align: "end" });
      }
      for (const tick of x.ticks(8).filter(Number.isInteger))
        s.text(x(tick), height - BELOW / 2, String(tick), {
          color: palette.quiet,
          size: 11,
          align: "middle",
        });
      for (const line of lines)
        for (const part of parts(line.values.map((v, i) => place(x(steps[i] ?? 0), v, y))))
          if (part.length > 1) s.line(part, { color: line.color ?? palette.accent, width: 1.75 });
          else if (part[0])
            s.circle(part[0].x, part[0].y, 2.5, { color: line.color ?? palette.accent });
    },
  };
}

function place(x: number, value: number | null, y: (value: number) => number): Point | null {
  return value === null ? null : { x, y: y(value) };
}

/** Stretches without a gap. */
function parts(points: readonly (Point | null)[]): Point[][] {
  const found: Point[][] = [[]];
  for (const point of points) {
    if (point) found.at(-1)?.push(point);
    else found.push([]);
  }
  return found.filter((part) => part.length > 0);
}

function least(values: readonly number[]): number {
  return values.reduce((a, b) => Math.min(a, b), values[0] ?? 0);
}

function most(values: readonly number[]): number {
  return values.reduce((a, b) => Math.max(a, b), values[0] ?? 1);
}
