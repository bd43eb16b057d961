/** The recorded timeline of four ranks: when each computed, and when each was in the all_reduce. */

import { kindOf, mix } from "../draw/palette";
import type { Palette } from "../draw/palette";
import type { Drawing } from "../draw/surface";
import { RECORDED } from "./frames";
import type { Span } from "./frames";

export interface Bar extends Span {
  readonly rank: number;
  /** Seconds of it before the last rank came. */
  readonly waiting_s: number;
}

/** All bars, with the part of each collective in which the last rank was still missing. */
export function barsOf(timeline: readonly (readonly Span[])[] = RECORDED.timeline): Bar[] {
  return timeline.flatMap((spans, rank) =>
    spans.map((span) => {
      const came = span.kind === "compute" ? span.start_s : lastToCome(timeline, span.step).start_s;
      return { ...span, rank, waiting_s: Math.max(0, came - span.start_s) };
    }),
  );
}

/** Which rank came last to the collective of a step, and when. */
export function lastToCome(
  timeline: readonly (readonly Span[])[],
  step: number,
): { rank: number; start_s: number } {
  const starts = timeline.map(
    (spans) => spans.find((s) => s.step === step && s.kind !== "compute")?.start_s ?? 0,
  );
  const start = Math.max(...starts);
  return { rank: starts.indexOf(start), start_s: start };
}

const ROW = 44;
const LEFT = 56;

/** Rows of ranks; `isTold` marks what is waiting and who came last. */
export function spansDrawing(
  bars: readonly Bar[],
  isTold: boolean,
  width: number,
  palette: Palette,
): Drawing {
  const ranks = Math.max(...bars.map((b) => b.rank)) + 1;
  const end = Math.max(...bars.map((b) => b.end_s));
  const scale = (width - LEFT - 4) / end;
  const moving = kindOf("all_reduce");
  const compute = mix(kindOf("compute").color, palette.surface, 0.35);
  return {
    width,
    height: ranks * ROW + 26,
    paint(s) {
      for (let rank = 0; rank < ranks; rank++) {
        s.text(0, rank * ROW + ROW / 2, `rank ${rank}`, {
          color: palette.ink,
          size: 12,
          weight: 560,
        });
      }
      for (const bar of bars) {
        const x = LEFT + bar.start_s * scale;
        const y = bar.rank * ROW + 7;
        const wide = Math.max(1.5, (bar.end_s - bar.start_s) * scale);
        const color = bar.kind === "compute" ? compute : mix(moving.color, palette.surface, 0.25);
        s.rect(x, y, wide, ROW - 14, { color, radius: 2 });
        const waits = bar.waiting_s * scale;
        if (isTold && waits > 1.5) {
          s.rect(x, y, waits, ROW - 14, {
            color: palette.sunken,
            pattern: "cross",
            patternColor: palette.edge,
            radius: 2,
          });
        }
        const words =
          bar.kind === "compute" ? "compute" : isTold && waits > 1.5 ? "waits" : moving.words;
        if (wide < 80) continue;
        const middle = x + (isTold && waits > 1.5 ? waits : wide) / 2;
        const half = words.length * 3.6 + 5;
        if (words === "waits")
          s.rect(middle - half, y + 6, 2 * half, ROW - 26, { color: palette.sunken, radius: 3 });
        s.text(middle, y + (ROW - 14) / 2, words, {
          color: words === moving.words ? "#17212b" : palette.ink,
          size: 11.5,
          align: "middle",
        });
      }
      ruler(s, ranks * ROW + 2, end, scale, palette);
      if (isTold) marks(s, bars, ranks, scale, palette);
    },
  };
}

function ruler(
  s: Parameters<Drawing["paint"]>[0],
  y: number,
  end: number,
  scale: number,
  palette: Palette,
): void {
  for (let ms = 0; ms <= end * 1000; ms += 20) {
    const x = LEFT + (ms / 1000) * scale;
    s.line(
      [
        { x, y },
        { x, y: y + 5 },
      ],
      { color: palette.edge },
    );
    s.text(x, y + 14, `${ms} ms`, {
      color: palette.quiet,
      size: 11,
      align: ms === 0 ? "start" : "middle",
    });
  }
}

function marks(
  s: Parameters<Drawing["paint"]>[0],
  bars: readonly Bar[],
  ranks: number,
  scale: number,
  palette: Palette,
): void {
  const steps = new Set(bars.map((b) => b.step));
  for (const step of steps) {
    const moves = bars.filter((b) => b.step === step && b.kind !== "compute");
    const x = LEFT + Math.max(...moves.map((b) => b.start_s)) * scale;
    s.line(
      [
        { x, y: 2 },
        { x, y: ranks * ROW - 2 },
      ],
      { color: palette.selected, width: 2, dash: [4, 3] },
    );
  }
}
