/** A predicted pipeline: who computes which micro-batch when, if every turn takes one unit and backward two. */

import { inkOn, mix, softRamp } from "../draw/palette";
import type { Palette } from "../draw/palette";
import type { Drawing } from "../draw/surface";

export interface Turn {
  readonly stage: number;
  readonly micro: number;
  readonly isBackward: boolean;
  readonly start: number;
  readonly stop: number;
}

/** All forward turns, then all backward ones, last micro-batch first: the schedule of GPipe. */
export function schedule(stages: number, micros: number): Turn[] {
  const found: Turn[] = [];
  const forward = stages + micros - 1;
  for (let stage = 0; stage < stages; stage++) {
    for (let micro = 0; micro < micros; micro++) {
      const at = stage + micro;
      found.push({ stage, micro, isBackward: false, start: at, stop: at + 1 });
    }
    for (let k = 0; k < micros; k++) {
      const at = forward + 2 * (stages - 1 - stage + k);
      found.push({ stage, micro: micros - 1 - k, isBackward: true, start: at, stop: at + 2 });
    }
  }
  return found;
}

/** Turns from the first to the last. */
export function length(stages: number, micros: number): number {
  return 3 * (stages + micros - 1);
}

/** The share of a stage's time that it waits. */
export function bubble(stages: number, micros: number): number {
  return (stages - 1) / (micros + stages - 1);
}

const ROW = 40;
const LEFT = 62;

/** The schedule as rows of stages. */
export function pipelineDrawing(
  stages: number,
  micros: number,
  width: number,
  palette: Palette,
): Drawing {
  const total = length(stages, micros);
  const unit = Math.max(1, (width - LEFT - 2) / total);
  return {
    width,
    height: stages * ROW + 24,
    paint(s) {
      for (let stage = 0; stage < stages; stage++) {
        const y = stage * ROW;
        s.text(0, y + ROW / 2 - 2, `stage ${stage}`, { color: palette.ink, size: 12, weight: 560 });
        s.rect(LEFT, y + 2, total * unit, ROW - 8, {
          color: palette.sunken,
          pattern: "cross",
          patternColor: palette.line,
          radius: 3,
        });
      }
      for (const turn of schedule(stages, micros)) {
        const soft = softRamp(palette, turn.micro, micros);
        const color = turn.isBackward ? mix(soft, palette.ink, 0.45) : soft;
        const x = LEFT + turn.start * unit;
        const wide = (turn.stop - turn.start) * unit;
        const y = turn.stage * ROW + 2;
        s.rect(x, y, wide, ROW - 8, {
          color,
          stroke: { color: palette.surface, width: 1.5 },
          radius: 3,
        });
        const words = `${turn.isBackward ? "B" : "F"}${turn.micro}`;
        if (wide < 20) continue;
        s.text(x + wide / 2, y + (ROW - 8) / 2 + 0.5, words, {
          color: inkOn(color),
          size: 11,
          mono: true,
          align: "middle",
        });
      }
      const y = stages * ROW + 10;
      s.text(LEFT, y, "time 0", { color: palette.quiet, size: 11 });
      s.text(LEFT + total * unit, y, `${total} units`, {
        color: palette.quiet,
        size: 11,
        align: "end",
      });
    },
  };
}
