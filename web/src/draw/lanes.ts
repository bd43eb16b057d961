/** Rows of the timeline: one for each rank, or the average of several where there are too many to tell apart. */

import type { Span, Timeline } from "../api/types";
import { axisSize, coordinates } from "../math/layout";
import { ranksText } from "../math/words";

/** Rows of single ranks up to which each gets its own; above that they are averaged. */
export const MOST_ROWS = 64;

/** One row, with a share for each bin. */
export interface Row {
  readonly label: string;
  readonly ranks: readonly number[];
  readonly compute: Float32Array;
  readonly communication: Float32Array;
  readonly wait: Float32Array;
}

/** `each` rank, `blocks` of neighbouring ranks, or the number of a device axis: ranks at one place along it. */
export type RowsBy = "each" | "blocks" | number;

/** The kind of rows that suits so many ranks. */
export function rowsThatFit(ranks: number): RowsBy {
  return ranks <= MOST_ROWS ? "each" : "blocks";
}

/** How the rows of a timeline may be made, for so many ranks. */
export function choices(devMat: readonly number[], ranks: number): RowsBy[] {
  const axes = devMat.map((_, i) => devMat.length - 1 - i);
  const fits = axes.filter((a) => axisSize(devMat, a) > 1 && axisSize(devMat, a) <= MOST_ROWS);
  const shared = devMat.filter((n) => n > 1).length > 1 ? fits : [];
  return [...(ranks <= MOST_ROWS ? (["each"] as const) : (["blocks"] as const)), ...shared];
}

/** The rows of a timeline with what its tile says of them: all of computing, then moving data, then waiting. */
export function rowsOf(
  timeline: Pick<Timeline, "rows" | "bins">,
  tile: Float32Array,
  devMat: readonly number[],
  by: RowsBy,
): Row[] {
  const { rows, bins } = timeline;
  const part = (kind: number, row: number) =>
    tile.subarray((kind * rows.length + row) * bins, (kind * rows.length + row + 1) * bins);
  return rows.map((ranks, row) => ({
    label: labelOf(ranks, devMat, by),
    ranks,
    compute: part(0, row),
    communication: part(1, row),
    wait: part(2, row),
  }));
}

function labelOf(ranks: readonly number[], devMat: readonly number[], by: RowsBy): string {
  if (typeof by === "number") {
    const at = coordinates(devMat, ranks[0] ?? 0)[devMat.length - 1 - by] ?? 0;
    return `axis ${by} at ${at}`;
  }
  return ranks.length > 1 ? ranksText(ranks, 2) : `rank ${ranks[0]}`;
}

/** Shares of a whole stretch. */
export interface Shares {
  readonly compute: number;
  readonly communication: number;
  readonly wait: number;
}

export function sharesOf(row: Pick<Row, "compute" | "communication" | "wait">): Shares {
  const mean = (x: Float32Array) => (x.length > 0 ? x.reduce((a, b) => a + b, 0) / x.length : 0);
  return {
    compute: mean(row.compute),
    communication: mean(row.communication),
    wait: mean(row.wait),
  };
}

// --- collectives ---

/** The most lanes that a row is divided into. */
const MOST_LANES = 3;

/** On which lane of its row each collective runs: those under way at the same time lie beside each other. */
export function lanesOf(spans: readonly { rank: number; start_s: number; end_s: number }[]): {
  readonly lane: readonly number[];
  readonly count: number;
} {
  const ends = new Map<number, number[]>();
  const lane = spans.map(() => 0);
  let count = 1;
  const order = spans
    .map((_, i) => i)
    .sort((a, b) => (spans[a]?.start_s ?? 0) - (spans[b]?.start_s ?? 0));
  for (const i of order) {
    const span = spans[i];
    if (!span) continue;
    const free = ends.get(span.rank) ?? [];
    let at = free.findIndex((end) => end <= span.start_s + 1e-9);
    if (at < 0) at = Math.min(free.length, MOST_LANES - 1);
    free[at] = Math.max(free[at] ?? 0, span.end_s);
    ends.set(span.rank, free);
    lane[i] = at;
    count = Math.max(count, at + 1);
  }
  return { lane, count };
}

/** When the last rank of the group arrived. */
export function arrival(span: Span): number {
  return span.start_s + span.wait_s;
}

/** What every rank of one group did at one collective of one step: they share the moment at which all had arrived. */
export function together(spans: readonly Span[], one: Span): Span[] {
  const at = arrival(one);
  return spans.filter(
    (s) =>
      s.collective === one.collective &&
      s.step === one.step &&
      s.program === one.program &&
      Math.abs(arrival(s) - at) < 1e-9 * Math.max(1, Math.abs(at)),
  );
}

/** The last of a group to arrive, how long after the first, and what the others waited together. */
export interface Lateness {
  readonly last: number;
  readonly late_s: number;
  readonly cost_s: number;
}

export function latenessOf(group: readonly Span[]): Lateness | null {
  if (group.length < 2) return null;
  const last = group.reduce((a, b) => (b.start_s > a.start_s ? b : a));
  const first = Math.min(...group.map((s) => s.start_s));
  return {
    last: last.rank,
    late_s: last.start_s - first,
    cost_s: group.reduce((n, s) => n + s.wait_s, 0),
  };
}

/** A span's name in addresses: its step, program, collective and rank. */
export function spanKey(span: Span): string {
  return `${span.step}.${span.program}.${span.collective}.${span.rank}`;
}

export function spanOf(spans: readonly Span[], key: string | undefined): Span | undefined {
  return key ? spans.find((s) => spanKey(s) === key) : undefined;
}

/** The span before or after another on its own rank, or the nearest one on the next rank. */
export function neighbourSpan(
  spans: readonly Span[],
  from: Span | undefined,
  dx: number,
  dy: number,
): Span | undefined {
  if (!from) return spans[0];
  if (dx) {
    const own = spans.filter((s) => s.rank === from.rank).sort((a, b) => a.start_s - b.start_s);
    return own[own.findIndex((s) => spanKey(s) === spanKey(from)) + dx] ?? from;
  }
  const ranks = [...new Set(spans.map((s) => s.rank))].sort((a, b) => a - b);
  const next = ranks[ranks.indexOf(from.rank) + dy];
  const there = spans.filter((s) => s.rank === next);
  const isSame = (s: Span) =>
    s.collective === from.collective && s.step === from.step && s.program === from.program;
  const gap = (s: Span) => (isSame(s) ? -1 : Math.abs(s.start_s - from.start_s));
  return there.length > 0 ? there.reduce((a, b) => (gap(b) < gap(a) ? b : a)) : from;
}
