/** Where everything stands on the timeline. */

import type { Span, Timeline } from "../api/types";
import type { Row } from "./lanes";
import { spanKey } from "./lanes";
import type { Palette } from "./palette";

export interface TimelineView {
  readonly timeline: Timeline;
  readonly rows: readonly Row[];
  readonly palette: Palette;
  readonly width: number;
  /** The kind of a collective, e.g. `all_reduce`. */
  readonly kind: (program: number, collective: number) => string;
  readonly selected?: Span | undefined;
  /** The rank whose row stands out. */
  readonly rank?: number | null | undefined;
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

export const TOP = 44;
export const RIGHT = 14;

export interface Plan {
  readonly view: TimelineView;
  readonly left: number;
  readonly rowHeight: number;
  readonly isExact: boolean;
  /** Place in the list of spans, and lane of the row, by name. */
  readonly lane: ReadonlyMap<string, number>;
  readonly laneCount: number;
  /** The row of each rank that has one of its own. */
  readonly row: ReadonlyMap<number | undefined, number>;
  x(time: number): number;
}

/** Where the lane of a collective lies in its row. */
export function laneBox(frame: Plan, span: Span, y: number): { y: number; height: number } {
  const { rowHeight, laneCount } = frame;
  const pad = rowHeight > 20 ? 4 : 2;
  const tall = (rowHeight - 2 * pad - stripHeight(rowHeight)) / laneCount;
  return {
    y: y + pad + (frame.lane.get(spanKey(span)) ?? 0) * tall,
    height: tall - (laneCount > 1 ? 1 : 0),
  };
}

/** Height of the strip below the lanes that shows when a rank computes. */
export function stripHeight(rowHeight: number): number {
  return Math.max(3, Math.round(rowHeight * 0.2));
}
