/** Steps and seconds above the rows of the timeline. */

import { scaleLinear } from "d3-scale";
import type { Surface } from "./surface";
import { textWidth } from "./surface";
import type { Plan } from "./timeline-frame";
import { RIGHT, TOP } from "./timeline-frame";

/** Steps and seconds above the rows. */
export function ruler(s: Surface, frame: Plan, height: number): void {
  const { view, left, x } = frame;
  const { timeline, palette } = view;
  const right = view.width - RIGHT;
  const shown = timeline.steps.filter((m) => x(m.end_s) - Math.max(left, x(m.start_s)) > 3);
  const every = Math.max(1, Math.ceil((58 * shown.length) / Math.max(1, right - left)));
  timeline.steps.forEach((mark, i) => {
    const from = Math.max(left, x(mark.start_s));
    const to = Math.min(right, x(mark.end_s));
    if (to <= from) return;
    if (x(mark.start_s) >= left) {
      s.line(
        [
          { x: from, y: TOP - 4 },
          { x: from, y: height - 8 },
        ],
        { color: palette.line },
      );
    }
    s.rect(from, 3, Math.max(0.5, to - from - 1), 16, {
      color: palette.sunken,
      radius: to - from > 8 ? 4 : 0,
    });
    const words = to - from > 58 ? `step ${mark.step}` : String(mark.step);
    const isRoom = textWidth(words, 11) < (to - from) * every - 2;
    if (isRoom && i % every === 0) {
      s.text(every > 1 ? from + 1 : (from + to) / 2, 11.5, words, {
        color: palette.quiet,
        size: 11,
        weight: 500,
        align: every > 1 ? "start" : "middle",
      });
    }
  });
  const ticks = scaleLinear([timeline.start_s, timeline.end_s], [left, right]).ticks(
    Math.max(2, (right - left) / 110),
  );
  const gap = (ticks[1] ?? 1) - (ticks[0] ?? 0);
  for (const t of ticks) {
    s.line(
      [
        { x: x(t), y: TOP - 6 },
        { x: x(t), y: TOP },
      ],
      { color: palette.edge },
    );
    const words = timeText(t, gap);
    const half = textWidth(words, 11) / 2;
    if (x(t) - half < left - 20 || x(t) + half > view.width) continue;
    s.text(x(t), TOP - 14, words, { color: palette.quiet, size: 11, align: "middle" });
  }
}

/** A moment with as many digits as its neighbours need to differ. */
export function timeText(time: number, gap: number): string {
  const digits = Math.min(9, Math.max(0, Math.ceil(-Math.log10(Math.max(gap, 1e-9)) - 1e-9)));
  return `${time.toFixed(digits)} s`;
}
