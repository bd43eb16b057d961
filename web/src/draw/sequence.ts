/** What one rank moves in a step, in order: a line for each cause, a bar for each collective. */

import { scaleLinear } from "d3-scale";
import type { CollectiveItem } from "../api/types";
import { seconds } from "../math/words";
import { lanesOf } from "./lanes";
import { inkOn, kindOf } from "./palette";
import type { Palette } from "./palette";
import { drawSign } from "./signs";
import type { Drawing, Surface } from "./surface";

/** Causes in words, in the order in which their lines stand. */
export const CAUSES: Readonly<Record<CollectiveItem["cause"], string>> = {
  mismatch: "layouts disagree",
  partial: "partial result",
  gradient: "gradient",
  optimizer: "stored cut",
  written: "written",
  other: "other",
};

export interface SequenceView {
  readonly collectives: readonly CollectiveItem[];
  readonly palette: Palette;
  readonly width: number;
  readonly selected?: number | null | undefined;
  /** Place in the list of the one under the cursor. */
  readonly hovered?: number | undefined;
}

export interface Bar {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface SequencePicture {
  readonly drawing: Drawing;
  readonly bars: readonly Bar[];
  at(x: number, y: number): number;
}

const LEFT = 118;
const TOP = 8;
const LINE = 30;
const RIGHT = 16;

export function sequencePicture(view: SequenceView): SequencePicture {
  const { collectives, width } = view;
  const causes = (Object.keys(CAUSES) as CollectiveItem["cause"][]).filter((c) =>
    collectives.some((x) => x.cause === c),
  );
  const isTimed =
    collectives.length > 0 &&
    collectives.every((c) => c.mean_offset_s !== null && c.mean_s !== null);
  const from = (c: CollectiveItem, i: number) => (isTimed ? (c.mean_offset_s ?? 0) : i);
  const long = (c: CollectiveItem) => (isTimed ? (c.mean_s ?? 0) : 0.8);
  const end = Math.max(1e-9, ...collectives.map((c, i) => from(c, i) + long(c)));
  const x = scaleLinear([0, end], [LEFT, width - RIGHT]);
  const row = (c: CollectiveItem) => causes.indexOf(c.cause);
  const { lane, count } = lanesOf(
    collectives.map((c, i) => ({ rank: row(c), start_s: from(c, i), end_s: from(c, i) + long(c) })),
  );
  const line = count > 1 ? 22 * count + 8 : LINE;
  const bars = collectives.map((c, i) => ({
    x: x(from(c, i)),
    y: TOP + row(c) * line + 4 + (lane[i] ?? 0) * 22,
    width: Math.max(2, x(from(c, i) + long(c)) - x(from(c, i)) - 1),
    height: count > 1 ? 20 : LINE - 8,
  }));
  const height = TOP + Math.max(1, causes.length) * line + 26;
  const paint = (s: Surface) => {
    const { palette } = view;
    causes.forEach((cause, i) => {
      const y = TOP + i * line + line / 2;
      s.text(LEFT - 12, y, CAUSES[cause], { color: palette.quiet, size: 12, align: "end" });
      if (i > 0)
        s.line(
          [
            { x: LEFT, y: y - line / 2 },
            { x: width - RIGHT, y: y - line / 2 },
          ],
          { color: palette.line },
        );
    });
    const base = height - 24;
    for (const tick of x.ticks(Math.max(2, (width - LEFT) / 120))) {
      if (!isTimed && !Number.isInteger(tick)) continue;
      s.line(
        [
          { x: x(tick), y: base },
          { x: x(tick), y: base + 5 },
        ],
        { color: palette.edge },
      );
      s.text(x(tick), base + 14, isTimed ? seconds(tick) : String(tick), {
        color: palette.quiet,
        size: 11,
        align: "middle",
      });
    }
    s.line(
      [
        { x: LEFT, y: base },
        { x: width - RIGHT, y: base },
      ],
      { color: palette.edge },
    );
    s.text(LEFT - 12, base + 14, isTimed ? "into the step" : "in order", {
      color: palette.quiet,
      size: 11,
      align: "end",
    });
    bars.forEach((bar, i) => {
      const c = collectives[i];
      if (!c) return;
      const kind = kindOf(c.kind);
      s.rect(bar.x, bar.y, bar.width, bar.height, {
        color: kind.color,
        radius: bar.width > 6 ? 3 : 0,
      });
      if (bar.width > 20) {
        drawSign(
          s,
          bar.x + bar.width / 2,
          bar.y + bar.height / 2,
          kind.sign,
          inkOn(kind.color),
          11,
        );
      }
    });
    outline(s, view, bars);
  };
  return {
    drawing: { width, height, paint },
    bars,
    at(px, py) {
      let best = -1;
      let least = 4;
      bars.forEach((b, i) => {
        if (py < b.y - 1 || py > b.y + b.height + 1) return;
        const off = Math.max(b.x - px, px - b.x - b.width, 0);
        if (off < least) [least, best] = [off, i];
      });
      return best;
    },
  };
}

function outline(s: Surface, view: SequenceView, bars: readonly Bar[]): void {
  const { palette, collectives } = view;
  bars.forEach((bar, i) => {
    const isSelected = collectives[i]?.index === view.selected;
    if (!isSelected && view.hovered !== i) return;
    s.rect(bar.x - 2, bar.y - 2, bar.width + 4, bar.height + 4, {
      stroke: isSelected
        ? { color: palette.selected, width: 2.5 }
        : { color: palette.ink, width: 1.25, dash: [4, 3] },
      radius: 4,
    });
  });
}
