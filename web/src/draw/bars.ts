/** Bars on one scale, a pair for each figure: what A needs above what B needs. */

import { bytes } from "../math/words";
import { mix } from "./palette";
import type { Palette } from "./palette";
import type { Drawing } from "./surface";

export interface BarRow {
  readonly words: string;
  readonly values: readonly number[];
}

const NAME = 18;
const BAR = 18;
const GAP = 4;
const BETWEEN = 12;
const LEFT = 20;
const RIGHT = 74;

/** Draw sizes in bytes; the longest bar of each figure fills the room. */
export function bars(
  rows: readonly BarRow[],
  letters: readonly string[],
  palette: Palette,
  width: number,
): Drawing {
  const heights = rows.map((r) => NAME + r.values.length * (BAR + GAP) + BETWEEN);
  return {
    width,
    height: heights.reduce((a, b) => a + b, 0),
    paint(s) {
      let y = 0;
      rows.forEach((row, i) => {
        const most = Math.max(1, ...row.values);
        s.text(0, y + 8, row.words, { color: palette.quiet, size: 12 });
        row.values.forEach((value, k) => {
          const top = y + NAME + k * (BAR + GAP);
          const long = ((width - LEFT - RIGHT) * value) / most;
          s.text(2, top + BAR / 2, letters[k] ?? "", {
            color: palette.quiet,
            size: 12,
            weight: 600,
          });
          s.rect(LEFT, top, width - LEFT - RIGHT, BAR, { color: palette.sunken, radius: 4 });
          s.rect(LEFT, top, Math.max(2, long), BAR, {
            color: k === 0 ? palette.accent : mix(palette.selected, palette.surface, 0.1),
            radius: 4,
          });
          s.text(width, top + BAR / 2, bytes(value), {
            color: palette.ink,
            size: 12,
            align: "end",
          });
        });
        y += heights[i] ?? 0;
      });
    },
  };
}
