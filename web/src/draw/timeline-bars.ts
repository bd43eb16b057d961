/** Single collectives on the timeline, and those of one group that met. */

import type { Span } from "../api/types";
import { seconds } from "../math/words";
import { arrival, latenessOf, spanKey, together } from "./lanes";
import { fade, inkOn, kindOf, mix } from "./palette";
import { drawSign } from "./signs";
import type { Surface } from "./surface";
import { textWidth } from "./surface";
import type { Plan } from "./timeline-frame";
import { RIGHT, TOP, laneBox, laneColors } from "./timeline-frame";

/** One collective: hatched while its group was not complete, then in the colour of its kind. */
export function bar(s: Surface, frame: Plan, span: Span, y: number): void {
  const { view, left, x } = frame;
  const { palette } = view;
  const kind = kindOf(view.kind(span.program, span.collective));
  const right = view.width - RIGHT;
  const from = Math.max(left, x(span.start_s));
  const to = Math.min(right, Math.max(x(span.end_s), from + 1));
  if (to <= left || from >= right) return;
  const met = Math.min(to, Math.max(from, x(arrival(span))));
  const lane = laneBox(frame, span, y);
  if (met - from > 0.5) {
    s.rect(from, lane.y, met - from, lane.height, {
      color: laneColors(palette).wait,
      ...(met - from > 3
        ? { pattern: "hatch" as const, patternColor: fade(palette.warn, 0.4) }
        : {}),
    });
  }
  if (to - met > 0.2) {
    const gap = to - met > 3 ? 0.75 : 0; // so that neighbours can be told apart
    s.rect(met, lane.y, to - met - gap, lane.height, {
      color: mix(kind.color, palette.surface, 0.14),
    });
  }
  if (to - met > 20 && lane.height > 11) {
    const size = Math.min(12, lane.height - 1);
    drawSign(s, (met + to) / 2, lane.y + lane.height / 2, kind.sign, inkOn(kind.color), size);
  }
}

/** A collective that is selected or pointed at: all ranks of the group, and the moment at which the last one came. */
export function outline(s: Surface, frame: Plan, one: Span, isSelected: boolean): void {
  const { view, rowHeight, left, x, row } = frame;
  const { palette } = view;
  const group = together(view.timeline.spans, one).filter((m) => row.has(m.rank));
  const color = isSelected ? palette.selected : palette.ink;
  const right = view.width - RIGHT;
  const middle = (rank: number) => TOP + ((row.get(rank) ?? 0) + 0.5) * rowHeight;
  const lateness = latenessOf(group);
  const at = x(arrival(one));
  if (lateness && at >= left && at <= right) {
    const rows = group.map((m) => middle(m.rank));
    const ends = [Math.min(...rows), Math.max(...rows)] as const;
    s.line(
      [
        { x: at, y: ends[0] - rowHeight / 2 },
        { x: at, y: ends[1] + rowHeight / 2 },
      ],
      { color, width: 1.5 },
    );
    s.circle(at, middle(lateness.last), 4.5, {
      color,
      stroke: { color: palette.surface, width: 1.5 },
    });
  }
  for (const member of group) {
    const from = Math.max(left, x(member.start_s));
    const to = Math.min(right, x(member.end_s));
    if (to < left || from > right) continue;
    const isOne = spanKey(member) === spanKey(one);
    const lane = laneBox(frame, member, middle(member.rank) - rowHeight / 2);
    s.rect(from - 1, lane.y - 1.5, Math.max(3, to - from + 2), lane.height + 3, {
      stroke: isSelected
        ? { color, width: isOne ? 2.5 : 1.5 }
        : { color, width: 1.25, dash: [4, 3] },
      radius: 2,
    });
  }
  if (isSelected && lateness && lateness.late_s > 0 && rowHeight > 20) {
    note(
      s,
      frame,
      at,
      middle(lateness.last),
      `last: rank ${lateness.last}, ${seconds(lateness.late_s)} after the first`,
    );
  }
}

function note(s: Surface, frame: Plan, x: number, y: number, words: string): void {
  const { palette, width } = frame.view;
  const wide = 0.9 * textWidth(words, 11.5) + 14;
  const left = x + 10 + wide < width - RIGHT ? x + 10 : x - 10 - wide;
  s.rect(left, y - 10, wide, 20, {
    color: palette.surface,
    stroke: { color: palette.selected },
    radius: 5,
  });
  s.text(left + 7, y, words, { color: palette.ink, size: 11.5, weight: 500 });
}
