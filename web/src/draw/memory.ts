/** What fills the ranks' memory: bars for all ranks, a treemap of one, and curves of what was measured. */

import { scaleLinear } from "d3-scale";
import type { RankMemory } from "../api/types";
import { bytes } from "../math/words";
import { fade, mix } from "./palette";
import type { Palette } from "./palette";
import { fitted, textWidth } from "./surface";
import type { Drawing, Surface } from "./surface";

const COLORS: Record<string, string> = {
  parameter: "#0072B2",
  "optimizer state": "#009E73",
  arena: "#E69F00",
};

/** The colour of a class of memory. */
export function classColor(name: string): string {
  return COLORS[name] ?? "#7f8b97";
}

/** The same, quiet enough to be written on. */
export function classFill(palette: Palette, name: string): string {
  return mix(classColor(name), palette.surface, palette.isDark ? 0.45 : 0.5);
}

/** Ranks that need the same, and stand together. */
export interface MemoryRow {
  readonly label: string;
  readonly ranks: readonly RankMemory[];
  readonly peak: number;
}

const MOST_ROWS = 32;

/** What the plan says that a rank needs at once. */
export function plannedOf(rank: RankMemory): number {
  return rank.planned_bytes ?? rank.classes.reduce((n, c) => n + c.bytes, 0);
}

/** The most that was measured of a rank: its own share where the system tells it. */
export function measuredOf(rank: RankMemory): number | null {
  const seen = rank.measured.map((m) => m.pss_bytes ?? m.rss_bytes);
  return seen.length > 0 ? seen.reduce((a, b) => Math.max(a, b)) : null;
}

/** Whether all ranks need the same of every class, and none was measured. */
function isUniform(ranks: readonly RankMemory[]): boolean {
  const need = (r: RankMemory) =>
    JSON.stringify([r.planned_bytes, r.classes.map((c) => [c.name, c.bytes])]);
  const first = ranks[0] && need(ranks[0]);
  return ranks.every((r) => r.measured.length === 0 && need(r) === first);
}

/**
 * A row for each rank; where ranks are many, for each block of neighbours, by the one that needs most, or one for all if
 * they need the same.
 */
export function memoryRows(ranks: readonly RankMemory[]): MemoryRow[] {
  const one = ranks[0];
  if (one && ranks.length > MOST_ROWS && isUniform(ranks))
    return [{ label: `all ${ranks.length} ranks`, ranks, peak: plannedOf(one) }];
  let each = 1;
  while (ranks.length / each > MOST_ROWS) each *= 2;
  const found: MemoryRow[] = [];
  for (let i = 0; i < ranks.length; i += each) {
    const here = ranks.slice(i, i + each);
    const first = here[0]?.rank ?? 0;
    const last = here.at(-1)?.rank ?? 0;
    found.push({
      label: each === 1 ? `rank ${first}` : `${first} to ${last}`,
      ranks: here,
      peak: Math.max(...here.map(plannedOf)),
    });
  }
  return found;
}

export interface MemoryView {
  readonly rows: readonly MemoryRow[];
  readonly palette: Palette;
  readonly width: number;
  /** What each rank is allowed. */
  readonly capacity?: number | null | undefined;
  readonly rank?: number | null | undefined;
  readonly hovered?: number | undefined;
}

export interface MemoryPicture {
  readonly drawing: Drawing;
  rowAt(y: number): number;
  box(row: number): { x: number; y: number; width: number; height: number };
}

const LEFT = 108;
const TOP = 34;
const END = 84;

export function memoryPicture(view: MemoryView): MemoryPicture {
  const { rows, width, capacity } = view;
  const rowHeight = rows.length <= 8 ? 34 : rows.length <= 20 ? 26 : 18;
  const height = TOP + Math.max(1, rows.length) * rowHeight + 10;
  const most = Math.max(1, ...rows.map((r) => r.peak));
  const isNear = capacity ? capacity < 4 * most : false; // a far line would press the bars flat
  const scale = scaleLinear(
    [0, (isNear ? Math.max(most, capacity ?? 0) : most) * 1.02],
    [LEFT, width - END],
  );
  const rowAt = (y: number) => {
    const row = Math.floor((y - TOP) / rowHeight);
    return y >= TOP && row < rows.length ? row : -1;
  };
  return {
    drawing: { width, height, paint: (s) => paint(s, view, rowHeight, height, scale, isNear) },
    rowAt,
    box: (row) => ({
      x: LEFT,
      y: TOP + row * rowHeight,
      width: width - LEFT - END,
      height: rowHeight,
    }),
  };
}

function paint(
  s: Surface,
  view: MemoryView,
  rowHeight: number,
  height: number,
  x: (n: number) => number,
  isNear: boolean,
): void {
  const { palette, rows, width, capacity } = view;
  const most = Math.max(1, ...rows.map((r) => r.peak), isNear ? (capacity ?? 0) : 0);
  const every = byteStep(most, (width - LEFT - END) / 100);
  for (let n = 0; n <= most * 1.02; n += every) {
    s.line(
      [
        { x: x(n), y: TOP - 4 },
        { x: x(n), y: height - 8 },
      ],
      { color: palette.line },
    );
    s.text(x(n), TOP - 14, n ? bytes(n) : "0", { color: palette.quiet, size: 11, align: "middle" });
  }
  const pad = rowHeight > 20 ? 5 : 2;
  rows.forEach((row, i) => {
    const y = TOP + i * rowHeight;
    const isOwn = row.ranks.some((r) => r.rank === view.rank);
    if (isOwn) s.rect(0, y, width, rowHeight, { color: palette.accentSoft, radius: 4 });
    const words = fitted(row.label, LEFT - 18, 12);
    s.text(LEFT - 12, y + rowHeight / 2, words, {
      color: isOwn ? palette.accent : palette.quiet,
      size: 12,
      weight: isOwn ? 600 : 450,
      align: "end",
    });
    stack(s, palette, row, x, y + pad, rowHeight - 2 * pad);
    if (view.hovered === i) {
      s.rect(LEFT - 2, y + 1, x(row.peak) - LEFT + 4, rowHeight - 2, {
        stroke: { color: palette.ink, width: 1.25, dash: [4, 3] },
        radius: 3,
      });
    }
    const over = capacity !== null && capacity !== undefined && row.peak > capacity;
    s.text(x(row.peak) + 8, y + rowHeight / 2, `${bytes(row.peak)}${over ? " !" : ""}`, {
      color: over ? palette.bad : palette.ink,
      size: 11.5,
      weight: over ? 650 : 450,
    });
  });
  if (capacity && isNear) {
    s.line(
      [
        { x: x(capacity), y: TOP - 6 },
        { x: x(capacity), y: height - 8 },
      ],
      { color: palette.bad, width: 2, dash: [6, 4] },
    );
  }
}

function stack(
  s: Surface,
  palette: Palette,
  row: MemoryRow,
  x: (n: number) => number,
  y: number,
  tall: number,
): void {
  const largest = row.ranks.reduce((a, b) => (plannedOf(b) > plannedOf(a) ? b : a));
  let sum = 0;
  for (const part of largest.classes) {
    const from = x(sum);
    sum += part.bytes;
    const wide = x(sum) - from;
    if (wide <= 0) continue;
    s.rect(from, y, Math.max(0.5, wide - 1), tall, { color: classFill(palette, part.name) });
    const words = part.name;
    if (tall >= 20 && textWidth(words, 11) + 14 < wide) {
      s.text(from + 7, y + tall / 2, words, { color: palette.ink, size: 11, weight: 500 });
    }
  }
}

/** A round step in bytes so that about so many fit. */
export function byteStep(most: number, parts: number): number {
  const least = most / Math.max(1, parts);
  let step = 1;
  while (step < least) step *= 2;
  return step;
}

// --- one rank, by parameter ---

export interface Piece {
  readonly name: string;
  readonly kind: string;
  readonly bytes: number;
}

export interface Tile {
  readonly piece: Piece;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Pieces as rectangles of their sizes, as near to squares as rows allow (Bruls, Huizing and van Wijk's way). */
export function treemap(pieces: readonly Piece[], width: number, height: number): Tile[] {
  const total = pieces.reduce((n, p) => n + p.bytes, 0);
  if (total <= 0) return [];
  const scale = (width * height) / total;
  const rest = pieces.filter((p) => p.bytes > 0).sort((a, b) => b.bytes - a.bytes);
  const tiles: Tile[] = [];
  let [x, y, w, h] = [0, 0, width, height];
  for (let i = 0; i < rest.length;) {
    const side = Math.min(w, h);
    let n = 1;
    while (
      i + n < rest.length &&
      worst(rest.slice(i, i + n + 1), side, scale) <= worst(rest.slice(i, i + n), side, scale)
    )
      n++;
    const row = rest.slice(i, i + n);
    const area = row.reduce((sum, p) => sum + p.bytes, 0) * scale;
    const thick = side > 0 ? area / side : 0;
    let along = 0;
    for (const piece of row) {
      const long = thick > 0 ? (piece.bytes * scale) / thick : 0;
      tiles.push(
        w <= h
          ? { piece, x: x + along, y, width: long, height: thick }
          : { piece, x, y: y + along, width: thick, height: long },
      );
      along += long;
    }
    if (w <= h) [y, h] = [y + thick, Math.max(0, h - thick)];
    else [x, w] = [x + thick, Math.max(0, w - thick)];
    i += n;
  }
  return tiles;
}

/** How far from a square the worst tile of a row is. */
function worst(row: readonly Piece[], side: number, scale: number): number {
  const sizes = row.map((p) => p.bytes * scale);
  const sum = sizes.reduce((a, b) => a + b, 0);
  const [most, least] = [Math.max(...sizes), Math.min(...sizes)];
  return Math.max((side * side * most) / (sum * sum), (sum * sum) / (side * side * least));
}

export interface TreemapView {
  readonly tiles: readonly Tile[];
  readonly palette: Palette;
  readonly width: number;
  readonly height: number;
  readonly parameter?: string | null | undefined;
  readonly hovered?: number | undefined;
}

export function treemapDrawing(view: TreemapView): Drawing {
  const { tiles, palette, width, height } = view;
  return {
    width,
    height,
    paint(s) {
      tiles.forEach((tile, i) => {
        const color = classFill(palette, tile.piece.kind);
        s.rect(tile.x, tile.y, Math.max(0.5, tile.width - 1.5), Math.max(0.5, tile.height - 1.5), {
          color,
          radius: tile.width > 12 && tile.height > 12 ? 3 : 0,
        });
        caption(s, tile, palette);
        if (tile.piece.name === view.parameter) {
          s.rect(tile.x, tile.y, Math.max(3, tile.width - 1.5), Math.max(3, tile.height - 1.5), {
            stroke: { color: palette.selected, width: 2.5 },
            radius: 3,
          });
        } else if (i === view.hovered) {
          s.rect(
            tile.x + 0.5,
            tile.y + 0.5,
            Math.max(2, tile.width - 2.5),
            Math.max(2, tile.height - 2.5),
            { stroke: { color: palette.ink, width: 1.5, dash: [4, 3] }, radius: 3 },
          );
        }
      });
    },
  };
}

function caption(s: Surface, tile: Tile, palette: Palette): void {
  if (tile.width < 72 || tile.height < 20) return;
  const words = fitted(tile.piece.name, tile.width - 16, 13); // half bold, so a little wider
  s.text(tile.x + 7, tile.y + 12, words, { color: palette.ink, size: 11.5, weight: 550 });
  const size = bytes(tile.piece.bytes);
  if (tile.height >= 38 && textWidth(size, 11) < tile.width - 10) {
    s.text(tile.x + 7, tile.y + 28, size, { color: palette.ink, size: 11 });
  }
}

// --- over the steps ---

export interface CurveView {
  readonly ranks: readonly RankMemory[];
  readonly palette: Palette;
  readonly width: number;
  readonly rank?: number | null | undefined;
}

const CURVE_HEIGHT = 220;
const CURVE_LEFT = 76;

/** What the processes held, over the steps: a line for each rank, the chosen one strong. */
export function curveDrawing(view: CurveView): Drawing {
  const { ranks, palette, width, rank } = view;
  const all = ranks.flatMap((r) => r.measured);
  const steps = all.map((m) => m.step);
  const held = all.map((m) => m.pss_bytes ?? m.rss_bytes);
  const [from, to] = [
    steps.reduce((a, b) => Math.min(a, b), Infinity),
    steps.reduce((a, b) => Math.max(a, b), 1),
  ];
  const most = held.reduce((a, b) => Math.max(a, b), 1);
  const x = scaleLinear(from < to ? [from, to] : [to - 0.5, to + 0.5], [CURVE_LEFT, width - 20]);
  const y = scaleLinear([0, most * 1.05], [CURVE_HEIGHT - 26, 10]);
  return {
    width,
    height: CURVE_HEIGHT,
    paint(s) {
      const every = byteStep(most, 4);
      for (let n = 0; n <= most * 1.05; n += every) {
        s.line(
          [
            { x: CURVE_LEFT, y: y(n) },
            { x: width - 20, y: y(n) },
          ],
          { color: palette.line },
        );
        s.text(CURVE_LEFT - 10, y(n), n ? bytes(n) : "0", {
          color: palette.quiet,
          size: 11,
          align: "end",
        });
      }
      for (const tick of x.ticks(Math.min(8, Math.max(1, to - from))).filter(Number.isInteger)) {
        s.text(x(tick), CURVE_HEIGHT - 10, String(tick), {
          color: palette.quiet,
          size: 11,
          align: "middle",
        });
      }
      s.text(CURVE_LEFT - 10, CURVE_HEIGHT - 10, "step", {
        color: palette.quiet,
        size: 11,
        align: "end",
      });
      const last = ranks.find((r) => r.rank === rank);
      for (const r of [...ranks.filter((r) => r !== last), ...(last ? [last] : [])]) {
        const points = r.measured.map((m) => ({ x: x(m.step), y: y(m.pss_bytes ?? m.rss_bytes) }));
        const isOwn = r === last;
        const color = isOwn
          ? palette.selected
          : fade(palette.accent, ranks.length > 32 ? 0.2 : 0.55);
        if (points.length > 1) s.line(points, { color, width: isOwn ? 2.25 : 1.25 });
        else points.forEach((p) => s.circle(p.x, p.y, isOwn ? 4.5 : 3, { color }));
      }
    },
  };
}
