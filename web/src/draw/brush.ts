/** The brush over the timeline: all steps of the run, and the stretch that is shown. */

import type { StepMark } from "../api/types";
import { seconds } from "../math/words";
import { fade, mix } from "./palette";
import type { Palette } from "./palette";
import { textWidth } from "./surface";
import type { Drawing, Surface } from "./surface";

const RIGHT = 14;

export interface BrushView {
  readonly steps: readonly StepMark[];
  readonly start_s: number;
  readonly end_s: number;
  readonly palette: Palette;
  readonly width: number;
}

export interface BrushPicture {
  readonly drawing: Drawing;
  timeAt(x: number): number;
}

const BRUSH_HEIGHT = 54;
const BRUSH_LEFT = 60;

/** All steps of the run as bars as tall as they took long, with the shown stretch in a frame. */
export function brushPicture(view: BrushView): BrushPicture {
  const { steps, width, palette } = view;
  const begin = Math.min(view.start_s, steps[0]?.start_s ?? 0);
  const end = Math.max(view.end_s, steps.at(-1)?.end_s ?? 1, begin + 1e-9);
  const right = width - RIGHT;
  const x = (t: number) => BRUSH_LEFT + ((t - begin) / (end - begin)) * (right - BRUSH_LEFT);
  const longest = Math.max(1e-12, ...columnsOf(steps, x).map((c) => c.length));
  const paintOn = (s: Surface) => {
    const base = BRUSH_HEIGHT - 14;
    const tall = base - 4;
    s.text(BRUSH_LEFT - 10, 10, seconds(longest), { color: palette.quiet, size: 11, align: "end" });
    s.text(BRUSH_LEFT - 10, base, "step", { color: palette.quiet, size: 11, align: "end" });
    s.line(
      [
        { x: BRUSH_LEFT, y: base + 0.5 },
        { x: right, y: base + 0.5 },
      ],
      { color: palette.line },
    );
    for (const c of columnsOf(steps, x)) {
      const h = Math.max(1, (c.length / longest) * tall);
      const isShown = c.to > x(view.start_s) + 0.5 && c.from < x(view.end_s) - 0.5;
      s.rect(c.from, base - h, Math.max(0.75, c.to - c.from - (c.to - c.from > 4 ? 1 : 0)), h, {
        color: isShown ? mix(palette.accent, palette.surface, 0.3) : palette.edge,
      });
    }
    numbers(s, view, x, BRUSH_HEIGHT - 5);
    const from = x(view.start_s);
    const wide = Math.max(4, x(view.end_s) - from);
    s.rect(from, 2, wide, base - 1, {
      color: fade(palette.accent, 0.1),
      stroke: { color: palette.accent, width: 1.5 },
      radius: 3,
    });
    for (const at of [from, from + wide]) {
      s.rect(at - 2, base / 2 - 7, 4, 14, { color: palette.accent, radius: 2 });
    }
  };
  return {
    drawing: { width, height: BRUSH_HEIGHT, paint: paintOn },
    timeAt: (px) => begin + ((px - BRUSH_LEFT) / (right - BRUSH_LEFT)) * (end - begin),
  };
}

interface Column {
  readonly from: number;
  readonly to: number;
  readonly length: number;
}

/** Steps as columns; those that fall on one pixel become one, as tall as the longest. */
function columnsOf(steps: readonly StepMark[], x: (t: number) => number): Column[] {
  const found: Column[] = [];
  for (const step of steps) {
    const [from, to] = [x(step.start_s), x(step.end_s)];
    const last = found.at(-1);
    const length = step.end_s - step.start_s;
    if (last && to - last.from < 1)
      found[found.length - 1] = { ...last, to, length: Math.max(last.length, length) };
    else found.push({ from, to, length });
  }
  return found;
}

function numbers(s: Surface, view: BrushView, x: (t: number) => number, y: number): void {
  let taken = -Infinity;
  for (const step of view.steps) {
    const at = (x(step.start_s) + x(step.end_s)) / 2;
    const half = textWidth(String(step.step), 10.5) / 2 + 8;
    if (at - half < taken) continue;
    s.text(at, y, String(step.step), { color: view.palette.quiet, size: 10.5, align: "middle" });
    taken = at + half;
  }
}
