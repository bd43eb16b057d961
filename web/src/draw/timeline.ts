/** The timeline: a row for each rank, with what it computed, moved and waited for. */

import { scaleLinear } from "d3-scale";
import type { Span, Timeline } from "../api/types";
import { seconds } from "../math/words";
import type { Frame } from "./glyph";
import { arrival, lanesOf, latenessOf, spanKey, together } from "./lanes";
import type { Row } from "./lanes";
import { fade, inkOn, kindOf, mix } from "./palette";
import type { Palette } from "./palette";
import { drawSign } from "./signs";
import { fitted, textWidth } from "./surface";
import type { Drawing, Surface } from "./surface";

export interface TimelineView {
  readonly timeline: Timeline;
  readonly rows: readonly Row[];
  readonly palette: Palette;
  readonly width: number;
  /** The kind of a collective, e.g. `all_reduce`. */
  readonly kind: (program: number, collective: number) => string;
  readonly selected?: Span | undefined;
  readonly hovered?: Span | undefined;
  /** The rank whose row stands out. */
  readonly rank?: number | null | undefined;
  /** A stretch that is being marked, in seconds. */
  readonly marked?: readonly [number, number] | null | undefined;
  /** The row under the cursor. */
  readonly hoveredRow?: number | undefined;
}

export interface TimelinePicture {
  readonly drawing: Drawing;
  readonly left: number;
  readonly right: number;
  /** Whether single collectives are drawn, or only shares of bins. */
  readonly isExact: boolean;
  timeAt(x: number): number;
  rowAt(y: number): number;
  spanAt(x: number, y: number): Span | undefined;
  spanBox(span: Span): Frame;
  rowBox(row: number): Frame;
}

export interface LaneColors {
  readonly compute: string;
  readonly communication: string;
  readonly wait: string;
}

/** Colours of what is no single collective. */
export function laneColors(palette: Palette): LaneColors {
  return palette.isDark
    ? { compute: "#4b5866", communication: "#8fa9c4", wait: "#6a5326" }
    : { compute: "#c3ccd5", communication: "#47627f", wait: "#f3d9a4" };
}

const TOP = 44;
const RIGHT = 14;

interface Plan {
  readonly view: TimelineView;
  readonly left: number;
  readonly rowHeight: number;
  readonly isExact: boolean;
  /** Place in the list of spans, and lane of the row, by name. */
  readonly lane: ReadonlyMap<string, number>;
  readonly laneCount: number;
  x(time: number): number;
}

/** Lay a stretch of time out and say how to draw it. */
export function timelinePicture(view: TimelineView): TimelinePicture {
  const { timeline, rows, width } = view;
  const left = Math.min(132, Math.max(60, ...rows.map((r) => textWidth(r.label, 12) + 16)));
  const rowHeight = rows.length <= 8 ? 40 : rows.length <= 16 ? 30 : rows.length <= 32 ? 22 : 16;
  const right = width - RIGHT;
  const length = Math.max(1e-12, timeline.end_s - timeline.start_s);
  const x = (time: number) => left + ((time - timeline.start_s) / length) * (right - left);
  const isExact = timeline.spans.length > 0 && rows.every((r) => r.ranks.length === 1);
  const lanes = isExact ? lanesOf(timeline.spans) : { lane: [], count: 1 };
  const lane = new Map(lanes.lane.map((at, i) => [spanKey(timeline.spans[i] as Span), at]));
  const frame: Plan = { view, left, rowHeight, isExact, lane, laneCount: lanes.count, x };
  const height = TOP + Math.max(1, rows.length) * rowHeight + 8;
  const rowAt = (y: number) => {
    const row = Math.floor((y - TOP) / rowHeight);
    return y >= TOP && row < rows.length ? row : -1;
  };
  return {
    drawing: { width, height, paint: (s) => paint(s, frame, height) },
    left,
    right,
    isExact,
    timeAt: (px) => timeline.start_s + ((px - left) / (right - left)) * length,
    rowAt,
    spanBox(span) {
      const row = rows.findIndex((r) => r.ranks[0] === span.rank);
      const from = Math.min(right, Math.max(left, x(span.start_s)));
      const to = Math.min(right, Math.max(left, x(span.end_s)));
      return { x: from, width: to - from, ...laneBox(frame, span, TOP + row * rowHeight) };
    },
    rowBox: (row) => ({
      x: left,
      y: TOP + row * rowHeight,
      width: right - left,
      height: rowHeight,
    }),
    spanAt: (px, py) => (isExact ? spanAt(frame, px, py, rowAt(py)) : undefined),
  };
}

/** Where the lane of a collective lies in its row. */
function laneBox(frame: Plan, span: Span, y: number): { y: number; height: number } {
  const { rowHeight, laneCount } = frame;
  const pad = rowHeight > 20 ? 4 : 2;
  const tall = (rowHeight - 2 * pad - stripHeight(rowHeight)) / laneCount;
  return {
    y: y + pad + (frame.lane.get(spanKey(span)) ?? 0) * tall,
    height: tall - (laneCount > 1 ? 1 : 0),
  };
}

/** Height of the strip below the lanes that shows when a rank computes. */
function stripHeight(rowHeight: number): number {
  return Math.max(3, Math.round(rowHeight * 0.2));
}

function spanAt(frame: Plan, px: number, py: number, row: number): Span | undefined {
  const rank = frame.view.rows[row]?.ranks[0];
  let best: Span | undefined;
  let least = 6; // pixels beside a bar that still count as on it
  for (const s of frame.view.timeline.spans) {
    if (s.rank !== rank) continue;
    const off = Math.max(frame.x(s.start_s) - px, px - frame.x(s.end_s), 0);
    const lane = laneBox(frame, s, TOP + row * frame.rowHeight);
    const aside = Math.max(lane.y - py, py - lane.y - lane.height, 0) * 0.5;
    if (off < 4 && off + aside < least) [least, best] = [off + aside, s];
  }
  return best;
}

function paint(s: Surface, frame: Plan, height: number): void {
  const { view, rowHeight } = frame;
  ruler(s, frame, height);
  view.rows.forEach((row, i) => {
    const y = TOP + i * rowHeight;
    label(s, frame, row, y);
    if (frame.isExact) computed(s, frame, row, y);
    else binned(s, frame, row, y);
  });
  if (frame.isExact) {
    const row = new Map(view.rows.map((r, i) => [r.ranks[0], i]));
    for (const span of view.timeline.spans) {
      const i = row.get(span.rank);
      if (i !== undefined) bar(s, frame, span, TOP + i * rowHeight);
    }
    marks(s, frame, row);
  }
  s.rect(frame.left - 1, TOP, 1, view.rows.length * rowHeight, { color: view.palette.edge });
  over(s, frame);
}

/** What the reader points at or marks just now. */
function over(s: Surface, frame: Plan): void {
  const { view, rowHeight, left, x } = frame;
  const { palette, hoveredRow, marked } = view;
  const right = view.width - RIGHT;
  if (hoveredRow !== undefined && hoveredRow >= 0) {
    const stroke = { color: palette.ink, width: 1.25, dash: [4, 3] };
    s.rect(left, TOP + hoveredRow * rowHeight, right - left, rowHeight, { stroke, radius: 2 });
  }
  if (marked) {
    const from = Math.max(left, x(Math.min(...marked)));
    const to = Math.min(right, x(Math.max(...marked)));
    const tall = view.rows.length * rowHeight;
    s.rect(from, TOP, Math.max(1, to - from), tall, {
      color: fade(palette.accent, 0.14),
      stroke: { color: palette.accent },
    });
  }
}

function label(s: Surface, frame: Plan, row: Row, y: number): void {
  const { view, left, rowHeight } = frame;
  const isOwn = view.rank !== null && view.rank !== undefined && row.ranks.includes(view.rank);
  if (isOwn) {
    s.rect(0, y, view.width - RIGHT, rowHeight, { color: view.palette.accentSoft });
  }
  s.text(left - 10, y + rowHeight / 2, fitted(row.label, left - 14, 12), {
    color: isOwn ? view.palette.accent : view.palette.quiet,
    size: rowHeight >= 16 ? 12 : 10,
    weight: isOwn ? 600 : 450,
    align: "end",
  });
}

/** Steps and seconds above the rows. */
function ruler(s: Surface, frame: Plan, height: number): void {
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

/** When a rank computed and had no collective under way, in a strip below the lanes: the fuller, the taller. */
function computed(s: Surface, frame: Plan, row: Row, y: number): void {
  const { view, rowHeight, left } = frame;
  const color = laneColors(view.palette).compute;
  const tall = stripHeight(rowHeight);
  const base = y + rowHeight - (rowHeight > 20 ? 3 : 1);
  const width = (view.width - RIGHT - left) / Math.max(1, row.compute.length);
  const points = row.compute.flatMap((share, i) => {
    const top = base - tall * Math.min(1, share);
    return [
      { x: left + i * width, y: top },
      { x: left + (i + 1) * width, y: top },
    ];
  });
  s.area([{ x: left, y: base }, ...points, { x: view.width - RIGHT, y: base }], color);
  s.line(
    [
      { x: left, y: base },
      { x: view.width - RIGHT, y: base },
    ],
    { color: view.palette.line },
  );
}

/** Shares of bins, stacked: computing below, moving data above it, waiting on top. */
function binned(s: Surface, frame: Plan, row: Row, y: number): void {
  const { view, rowHeight, left } = frame;
  const colors = laneColors(view.palette);
  const pad = rowHeight > 20 ? 4 : 1;
  const tall = rowHeight - 2 * pad;
  const base = y + rowHeight - pad;
  const columns = Math.max(1, row.compute.length);
  const width = (view.width - RIGHT - left) / columns;
  const stack = (lower: (i: number) => number, upper: (i: number) => number, color: string) => {
    const above = [];
    const below = [];
    for (let i = 0; i < columns; i++) {
      for (const px of [left + i * width, left + (i + 1) * width]) {
        above.push({ x: px, y: base - tall * Math.min(1, upper(i)) });
        below.push({ x: px, y: base - tall * Math.min(1, lower(i)) });
      }
    }
    s.area([...above, ...below.reverse()], color);
  };
  const compute = (i: number) => row.compute[i] ?? 0;
  const moving = (i: number) => compute(i) + (row.communication[i] ?? 0);
  stack(() => 0, compute, colors.compute);
  stack(compute, moving, colors.communication);
  stack(moving, (i) => moving(i) + (row.wait[i] ?? 0), colors.wait);
}

/** One collective: hatched while its group was not complete, then in the colour of its kind. */
function bar(s: Surface, frame: Plan, span: Span, y: number): void {
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

/** The selected and the hovered collective: all ranks of the group, and the moment at which the last one came. */
function marks(s: Surface, frame: Plan, row: ReadonlyMap<number | undefined, number>): void {
  const { view } = frame;
  const { hovered, selected } = view;
  if (hovered && (!selected || spanKey(hovered) !== spanKey(selected)))
    outline(s, frame, row, hovered, false);
  if (selected) outline(s, frame, row, selected, true);
}

function outline(
  s: Surface,
  frame: Plan,
  row: ReadonlyMap<number | undefined, number>,
  one: Span,
  isSelected: boolean,
): void {
  const { view, rowHeight, left, x } = frame;
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
