/** The timeline: a row for each rank, with what it computed, moved and waited for. */

import type { Span } from "../api/types";
import type { Frame } from "./glyph";
import type { Row } from "./lanes";
import { lanesOf, spanKey } from "./lanes";
import { fade } from "./palette";
import { fitted, textWidth } from "./surface";
import type { Drawing, Surface } from "./surface";
import { bar, outline } from "./timeline-bars";
import type { Plan, TimelineView } from "./timeline-frame";
import { RIGHT, TOP, laneBox, laneColors, stripHeight } from "./timeline-frame";
import { ruler } from "./timeline-ruler";

/** What the reader points at or marks just now. */
export interface Pointed {
  readonly span?: Span | undefined;
  readonly row?: number | undefined;
  /** A stretch that is being marked, in seconds. */
  readonly marked?: readonly [number, number] | null | undefined;
}

export interface TimelinePicture {
  readonly drawing: Drawing;
  /** The drawing with something pointed at. */
  pointed(at: Pointed): Drawing;
  readonly left: number;
  readonly right: number;
  /** Whether single collectives are drawn, or only shares of bins. */
  readonly isExact: boolean;
  timeAt(x: number): number;
  rowAt(y: number): number;
  spanAt(x: number, y: number): Span | undefined;
  spanBox(span: Span): Frame;
  rowBox(row: number): Frame;
  /** What the i-th thing is that can be pointed at: a collective where they are drawn, else a row. */
  mark(i: number): Pointed;
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
  const row = new Map(rows.map((r, i) => [r.ranks[0], i]));
  const frame: Plan = { view, left, rowHeight, isExact, lane, laneCount: lanes.count, row, x };
  const height = TOP + Math.max(1, rows.length) * rowHeight + 8;
  const rowAt = (y: number) => {
    const row = Math.floor((y - TOP) / rowHeight);
    return y >= TOP && row < rows.length ? row : -1;
  };
  const pointed = (at: Pointed): Drawing => ({
    width,
    height,
    paint(s) {
      paint(s, frame, height);
      over(s, frame, at);
    },
    layers: {
      key: [frame],
      under: (s) => paint(s, frame, height),
      over: (s) => over(s, frame, at),
    },
  });
  return {
    drawing: pointed({}),
    pointed,
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
    mark: (i) => (i < 0 ? {} : isExact ? { span: timeline.spans[i] } : { row: i }),
    spanAt: (px, py) => (isExact ? spanAt(frame, px, py, rowAt(py)) : undefined),
  };
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
    for (const span of view.timeline.spans) {
      const i = frame.row.get(span.rank);
      if (i !== undefined) bar(s, frame, span, TOP + i * rowHeight);
    }
    if (view.selected) outline(s, frame, view.selected, true);
  }
  s.rect(frame.left - 1, TOP, 1, view.rows.length * rowHeight, { color: view.palette.edge });
}

function over(s: Surface, frame: Plan, at: Pointed): void {
  const { view, rowHeight, left, x } = frame;
  const { palette, selected } = view;
  const { marked } = at;
  const right = view.width - RIGHT;
  if (at.row !== undefined && at.row >= 0) {
    const stroke = { color: palette.ink, width: 1.25, dash: [4, 3] };
    s.rect(left, TOP + at.row * rowHeight, right - left, rowHeight, { stroke, radius: 2 });
  }
  const isOther = at.span && (!selected || spanKey(at.span) !== spanKey(selected));
  if (at.span && isOther && frame.isExact) outline(s, frame, at.span, false);
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

/** When a rank computed and had no collective under way, in a strip below the lanes: the fuller, the taller. */
function computed(s: Surface, frame: Plan, row: Row, y: number): void {
  const { view, rowHeight, left } = frame;
  const color = laneColors(view.palette).compute;
  const tall = stripHeight(rowHeight);
  const base = y + rowHeight - (rowHeight > 20 ? 3 : 1);
  const width = (view.width - RIGHT - left) / Math.max(1, row.compute.length);
  const points = Array.from(row.compute, (share, i) => {
    const top = base - tall * Math.min(1, share);
    return [
      { x: left + i * width, y: top },
      { x: left + (i + 1) * width, y: top },
    ];
  }).flat();
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
