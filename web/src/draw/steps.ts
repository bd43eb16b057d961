/** A redistribution on the rank wall: what each rank holds, and the pieces on their way from rank to rank. */

import { box, cuts, interval, rankCount, termCount } from "../math/layout";
import type { Box, Layout } from "../math/layout";
import { arriving } from "../math/transfers";
import type { Move, Piece } from "../math/transfers";
import { outline } from "./glyph";
import type { Frame } from "./glyph";
import { fade, ramp } from "./palette";
import type { Palette } from "./palette";
import type { Drawing, Surface } from "./surface";
import { layWall } from "./wall";
import type { Wall } from "./wall";

/** Where everything stands while a redistribution is played: the same at every moment. */
export interface Stage {
  readonly wall: Wall;
  readonly ranks: readonly number[];
  readonly shape: readonly number[];
  readonly steps: readonly Move[];
  /** Starts of the smallest parts that any step knows, along each tensor axis. */
  readonly bounds: readonly (readonly number[])[];
  readonly pieces: readonly (readonly Piece[])[];
}

const MOST_PARTS = 256;

/** Set the stage for some ranks; all of them stand as in the device matrix, fewer in lines. */
export function setStage(
  steps: readonly Move[],
  shape: readonly number[],
  ranks: readonly number[],
  width: number,
  height: number,
): Stage {
  const layouts = steps.flatMap((s) => [s.before, s.after]);
  const widest = layouts.reduce<Layout | null>(
    (a, b) => (a && a.dev_mat.length >= b.dev_mat.length ? a : b),
    null,
  );
  const isAll = widest !== null && rankCount(widest) === ranks.length && !widest.rank_list;
  const largest = ranks.length <= 16 ? 120 : 84;
  const wall = layWall(isAll ? widest.dev_mat : [ranks.length], { width, height, largest });
  const shown = new Set(ranks);
  return {
    wall,
    ranks,
    shape,
    steps,
    bounds: shape.map((length, i) => boundsOf(layouts, length, i)),
    pieces: steps.map((step) =>
      ranks.flatMap((rank) => arriving(step, shape, rank).filter((p) => shown.has(p.sender))),
    ),
  };
}

function boundsOf(layouts: readonly Layout[], length: number, axis: number): number[] {
  const found = new Set([0, length]);
  for (const layout of layouts) {
    const parts = cuts(layout)[axis] ?? 1;
    for (let i = 1; i < parts; i++) found.add(interval(layout, axis, i, length)[0]);
  }
  return [...found].toSorted((a, b) => a - b);
}

export interface Moment {
  readonly stage: Stage;
  /** Between 0 and the number of steps. */
  readonly at: number;
  readonly palette: Palette;
  readonly selected: number | null;
  readonly hovered: number | null;
}

/** The wall at one moment. */
export function momentDrawing(moment: Moment): Drawing {
  const { wall } = moment.stage;
  return {
    width: Math.max(wall.width, 120) + 4,
    height: wall.height + 4,
    paint: (s) => paint(s, moment),
  };
}

function paint(s: Surface, moment: Moment): void {
  const { stage, palette, at } = moment;
  const { wall, steps } = stage;
  const isPart =
    wall.caption !== "" && stage.ranks.length !== rankCount(steps[0]?.before ?? { dev_mat: [1] });
  const words = isPart ? `${stage.ranks.length} ranks: one and its groups` : wall.caption;
  s.text(2, 9, words, { color: palette.quiet, size: 12 });
  for (const f of wall.frames) {
    s.rect(f.x + 2, f.y + 2, f.width, f.height, {
      color: palette.sunken,
      stroke: { color: palette.line },
      radius: 8,
    });
    if (f.width > 60) s.text(f.x + 12, f.y + 14, f.words, { color: palette.quiet, size: 11 });
  }
  const done = Math.min(steps.length, Math.floor(at));
  const part = at - done;
  const step = steps[Math.min(done, steps.length - 1)];
  if (!step) return;
  const isAfter = done >= steps.length;
  for (let place = 0; place < stage.ranks.length; place++)
    tile(s, moment, place, step, isAfter ? 1 : part);
  if (!isAfter && part > 0)
    for (const piece of stage.pieces[done] ?? []) fly(s, moment, piece, part);
}

function roomOf(wall: Wall, place: number): Frame {
  const size = wall.tile;
  const x = (wall.x[place] ?? 0) + 2;
  const y = (wall.y[place] ?? 0) + 2;
  if (size < 40) {
    const pad = size >= 12 ? 2 : 0;
    return { x: x + pad, y: y + pad, width: size - 2 * pad, height: size - 2 * pad };
  }
  return { x: x + 7, y: y + 18, width: size - 14, height: size - 25 };
}

function tile(s: Surface, moment: Moment, place: number, step: Move, part: number): void {
  const { stage, palette } = moment;
  const { wall, shape } = stage;
  const rank = stage.ranks[place] ?? 0;
  const size = wall.tile;
  const x = (wall.x[place] ?? 0) + 2;
  const y = (wall.y[place] ?? 0) + 2;
  const isSelected = rank === moment.selected;
  const isHovered = rank === moment.hovered;
  s.rect(x, y, size, size, {
    color: palette.surface,
    stroke: isSelected
      ? { color: palette.selected, width: 2.5 }
      : isHovered
        ? { color: palette.ink, width: 1.5, dash: [4, 3] }
        : { color: palette.line },
    radius: size >= 40 ? 7 : 3,
  });
  if (size >= 40)
    s.text(x + 7, y + 10, String(rank), { color: palette.quiet, size: 11, weight: 500 });
  const frame = outline(shape, roomOf(wall, place));
  s.rect(frame.x, frame.y, frame.width, frame.height, { color: palette.sunken });
  const isDone = part >= 1;
  const layout = isDone ? step.after : step.before;
  const held = box(layout, shape, rank);
  const kept = box(step.after, shape, rank);
  if (held) {
    drawParts(s, stage, frame, held, palette, 1);
    if (!isDone && kept && step.kind === "slice") dim(s, stage, frame, held, kept, palette, part);
    if (termCount(layout) > 1) {
      const at = partFrame(stage, frame, held);
      s.rect(at.x, at.y, at.width, at.height, {
        pattern: "dots",
        patternColor: fade(palette.surface, 0.85),
      });
    }
  }
  s.rect(frame.x, frame.y, frame.width, frame.height, { stroke: { color: palette.edge } });
}

/** What a slice drops fades out. */
function dim(
  s: Surface,
  stage: Stage,
  frame: Frame,
  held: Box,
  kept: Box,
  palette: Palette,
  part: number,
): void {
  const at = partFrame(stage, frame, held);
  s.rect(at.x, at.y, at.width, at.height, { color: fade(palette.sunken, part * 0.9) });
  drawParts(s, stage, frame, kept, palette, 1);
}

/** A piece between its place with the sender and its place with the receiver. */
function fly(s: Surface, moment: Moment, piece: Piece, part: number): void {
  const { stage, palette } = moment;
  const from = stage.ranks.indexOf(piece.sender);
  const to = stage.ranks.indexOf(piece.receiver);
  if (from < 0 || to < 0) return;
  const t = part * part * (3 - 2 * part);
  const a = partFrame(stage, outline(stage.shape, roomOf(stage.wall, from)), piece.box);
  const b = partFrame(stage, outline(stage.shape, roomOf(stage.wall, to)), piece.box);
  const isFaint =
    moment.selected !== null &&
    piece.receiver !== moment.selected &&
    piece.sender !== moment.selected;
  const opacity = isFaint ? 0.14 : 0.92;
  const at = {
    x: a.x + (b.x - a.x) * t,
    y: a.y + (b.y - a.y) * t,
    width: a.width,
    height: a.height,
  };
  s.rect(at.x, at.y, at.width, at.height, {
    color: fade(colorOf(stage, piece.box, palette), opacity),
    stroke: { color: fade(palette.ink, isFaint ? 0.05 : 0.35), width: 0.75 },
    ...(piece.isTerm && !isFaint
      ? { pattern: "dots" as const, patternColor: fade(palette.surface, 0.7) }
      : {}),
  });
}

/** The axis that runs across: the last that is cut, or the last. */
function acrossAxis(stage: Stage): number {
  const cut = stage.bounds.map((b, i) => (b.length > 2 ? i : -1)).filter((i) => i >= 0);
  const last = stage.shape.length - 1;
  return cut.includes(last) || cut.length === 0
    ? last
    : cut.length > 1
      ? (cut.at(-1) ?? last)
      : last;
}

/** Where a box lies in a tensor's outline: one axis across, all others that are cut down, the first of them slowest. */
export function partFrame(stage: Stage, frame: Frame, of: Box): Frame {
  const across = acrossAxis(stage);
  let top = 0;
  let height = 1;
  of.forEach(([start, stop], i) => {
    const length = stage.shape[i] ?? 1;
    if (i === across || (stage.bounds[i]?.length ?? 2) <= 2) return;
    top += (height * start) / length;
    height *= (stop - start) / length;
  });
  const length = stage.shape[across] ?? 1;
  const [start, stop] = of[across] ?? [0, length];
  return {
    x: frame.x + (frame.width * start) / length,
    y: frame.y + frame.height * top,
    width: Math.max(1.5, (frame.width * (stop - start)) / length),
    height: Math.max(1.5, frame.height * height),
  };
}

/** Draw a box in its smallest parts, each in the colour that it keeps on its way. */
function drawParts(
  s: Surface,
  stage: Stage,
  frame: Frame,
  of: Box,
  palette: Palette,
  opacity: number,
): void {
  for (const part of partsOf(stage, of)) {
    const at = partFrame(stage, frame, part);
    s.rect(at.x, at.y, at.width, at.height, {
      color: fade(colorOf(stage, part, palette), opacity),
    });
  }
}

/** The smallest parts of a box; the box itself if they are too many to see. */
export function partsOf(stage: Stage, of: Box): Box[] {
  let found: [number, number][][] = [[]];
  for (const [i, [start, stop]] of of.entries()) {
    const inner = (stage.bounds[i] ?? []).filter((b) => b > start && b < stop);
    const edges = [start, ...inner, stop];
    if (found.length * (edges.length - 1) > MOST_PARTS) return [of];
    found = found.flatMap((head) =>
      edges.slice(1).map((to, k) => [...head, [edges[k] ?? 0, to] as [number, number]]),
    );
  }
  return found;
}

function colorOf(stage: Stage, of: Box, palette: Palette): string {
  let index = 0;
  let total = 1;
  of.forEach(([start], i) => {
    const edges = stage.bounds[i] ?? [0, 1];
    const at = edges.findLastIndex((b) => b <= start);
    index = index * (edges.length - 1) + Math.max(0, at);
    total *= edges.length - 1;
  });
  return ramp(palette, index, total);
}
