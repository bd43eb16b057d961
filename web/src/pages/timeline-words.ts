/** What the timeline says in words: its sentence, its legend and the columns of its table. */

import type { Span, Timeline } from "../api/types";
import type { Row } from "../draw/lanes";
import { sharesOf } from "../draw/lanes";
import type { Palette } from "../draw/palette";
import { laneColors } from "../draw/timeline-frame";
import { count, percent, plural, seconds } from "../math/words";
import type { LegendEntry } from "../ui/legend";
import { kindEntries } from "../ui/legend";
import type { Column } from "../ui/table";

/** The name of a collective of a program, by their places. */
export type Named = (program: number, collective: number) => string;

/** A line of the table: a collective, or a row of shares. */
export interface Line {
  readonly key: string;
  readonly span?: Span;
  readonly row?: Row;
}

/** One sentence made from the data. */
export function timelineSentence(
  timeline: Timeline,
  rows: readonly Row[],
  named: Named,
  hasCollectives: boolean,
): string {
  if (rows.length === 0) return "";
  const all = rows.map((r) => ({ n: r.ranks.length, ...sharesOf(r) }));
  const ranks = all.reduce((n, r) => n + r.n, 0);
  const mean = (of: (s: (typeof all)[number]) => number) =>
    percent(all.reduce((n, r) => n + r.n * of(r), 0) / ranks);
  const words =
    `${seconds(timeline.end_s - timeline.start_s)} of ${plural(ranks, "rank")}, ${stepsText(timeline)}: ` +
    `${mean((s) => s.compute)} computing, ${mean((s) => s.communication)} moving data, ` +
    `${mean((s) => s.wait)} waiting for another rank.`;
  const isUntimed = all.every((s) => s.communication + s.wait === 0);
  if (isUntimed && hasCollectives)
    return `${words} The times of collectives are kept for the latest steps only: of these the whole steps are drawn.`;
  const sampled = sampledText(timeline, hasCollectives);
  const worst = timeline.late[0];
  if (!worst) return words + sampled;
  const others = plural(worst.group.length - 1, "rank");
  return (
    `${words}${sampled} The longest wait: at ${named(worst.program, worst.collective)} of step ${worst.step}, ` +
    `${others} waited ${seconds(worst.cost_s)} together for rank ${worst.rank}.`
  );
}

/** The steps of each program, which counts its own: `steps 9 to 20`, or `steps 190 to 200 of train, step 1 of test`. */
function stepsText({ steps, programs }: Timeline): string {
  if (steps.length === 0) return "no step";
  const shown = [...new Set(steps.map((s) => s.program))];
  const parts = shown.map((program) => {
    const own = steps.filter((s) => s.program === program).map((s) => s.step);
    const words = own.length > 1 ? `steps ${own[0]} to ${own.at(-1)}` : `step ${own[0]}`;
    return shown.length > 1 ? `${words} of ${programs[program]}` : words;
  });
  return parts.length > 3
    ? `${plural(steps.length, "step")} of ${parts.length} programs`
    : parts.join(", ");
}

/** Of which steps the collectives are known, where it is not all of them. */
function sampledText(timeline: Timeline, hasCollectives: boolean): string {
  const { steps, timed_steps: timed, read_every: every } = timeline;
  if (!hasCollectives || timed >= steps.length) return "";
  const which = every > 1 ? `every ${every}th step was read` : "old steps forget them";
  return ` The times of collectives are those of ${count(timed)} of ${plural(steps.length, "step")} (${which}); the others are drawn like these.`;
}

export function timelineLegend(
  palette: Palette,
  isExact: boolean,
  kinds: readonly string[],
  hasSelected: boolean,
): LegendEntry[] {
  const colors = laneColors(palette);
  return [
    {
      words: isExact ? "computing, no collective under way" : "computing",
      color: colors.compute,
    },
    ...(isExact ? kindEntries(kinds) : [{ words: "moving data", color: colors.communication }]),
    { words: "waiting for the last of the group", color: colors.wait },
    ...(hasSelected
      ? [
          {
            words: "selected, on all ranks of its group; the dot: the last to arrive",
            outline: palette.selected,
          },
        ]
      : []),
  ];
}

/** The columns of rows of shares. */
export function shareColumns(): Column<Line>[] {
  const share = (id: "compute" | "communication" | "wait", title: string): Column<Line> => ({
    id,
    title,
    value: (l) => (l.row ? sharesOf(l.row)[id] : null),
    text: (l) => (l.row ? percent(sharesOf(l.row)[id]) : ""),
    align: "end",
  });
  return [
    { id: "row", title: "ranks", value: (l) => l.row?.label },
    share("compute", "computing"),
    share("communication", "moving data"),
    share("wait", "waiting"),
  ];
}

/** The columns of single collectives. */
export function spanColumns(named: Named, why: (span: Span) => string): Column<Line>[] {
  return [
    { id: "rank", title: "rank", value: (l) => l.span?.rank, align: "end", width: "64px" },
    { id: "step", title: "step", value: (l) => l.span?.step, align: "end", width: "64px" },
    {
      id: "kind",
      title: "collective",
      value: (l) => (l.span ? named(l.span.program, l.span.collective) : ""),
    },
    {
      id: "start",
      title: "starts",
      value: (l) => l.span?.start_s,
      text: (l) => `${l.span?.start_s.toFixed(6)} s`,
      align: "end",
    },
    {
      id: "took",
      title: "takes",
      value: (l) => l.span && l.span.end_s - l.span.start_s,
      text: (l) => seconds(l.span && l.span.end_s - l.span.start_s),
      align: "end",
    },
    {
      id: "wait",
      title: "waits",
      value: (l) => l.span?.wait_s,
      text: (l) => seconds(l.span?.wait_s),
      align: "end",
    },
    {
      id: "why",
      title: "why",
      value: (l) => (l.span ? why(l.span) : ""),
      width: "minmax(220px, 2fr)",
    },
  ];
}
