/** The rank wall: every rank at its place in the device matrix, with what it holds. */

import { rankAt, sliceCount, sliceIndices } from "../math/layout";
import type { Layout } from "../math/layout";
import { drawGlyph, heldPart } from "./glyph";
import { fade, mix, ramp, softRamp } from "./palette";
import type { Palette } from "./palette";
import { fitted } from "./surface";
import type { Drawing, Surface } from "./surface";
import type { Wall } from "./wall";

export interface WallView {
  readonly wall: Wall;
  readonly layout: Layout;
  readonly palette: Palette;
  /** Shape of the tensor whose slices are shown; none for ranks alone. */
  readonly shape?: readonly number[] | undefined;
  /** Ranks that stand out, e.g. a group. */
  readonly lit?: ReadonlySet<number> | undefined;
  readonly selected?: number | null | undefined;
  readonly hovered?: number | null | undefined;
  /** Colour of a rank's tile, for views that colour by a figure. */
  readonly color?: ((rank: number) => string | undefined) | undefined;
  /** A short mark in the corner of a tile, e.g. the host's letter. */
  readonly mark?: ((rank: number) => string) | undefined;
  /** Ranks that have failed or are silent. */
  readonly ill?: ReadonlySet<number> | undefined;
  /** Ranks whose copy differs from the others of its slice, with the step since when. */
  readonly parted?: ReadonlyMap<number, number> | undefined;
}

/** About as wide as a letter of the caption, so that a narrow wall does not clip it. */
const CAPTION_EM = 6.2;

/** The wall as a drawing. */
export function rankWall(view: WallView): Drawing {
  const { wall } = view;
  const plain = { ...view, lit: undefined };
  return {
    width: Math.max(wall.width, 120, Math.ceil(wall.caption.length * CAPTION_EM)) + 4,
    height: wall.height + 4,
    paint(s) {
      ground(s, view);
      const slices = numbered(view);
      for (let place = 0; place < wall.x.length; place++) tile(s, view, place, slices);
      outlines(s, view);
    },
    layers: {
      key: keyOf(view),
      under(s) {
        ground(s, plain);
        const slices = numbered(view);
        for (let place = 0; place < wall.x.length; place++) tile(s, plain, place, slices);
      },
      over(s) {
        if (view.lit?.size) {
          const slices = numbered(view);
          for (let place = 0; place < wall.x.length; place++)
            if (view.lit.has(rankAt(view.layout, place))) tile(s, view, place, slices);
        }
        outlines(s, view);
      },
    },
  };
}

/** The slices of a tensor, and which of them each place holds: reckoned once for a whole wall. */
interface Slices {
  readonly count: number;
  readonly at: Int32Array;
}

function numbered({ layout, shape }: WallView): Slices {
  return shape
    ? { count: sliceCount(layout), at: sliceIndices(layout) }
    : { count: 1, at: new Int32Array(0) };
}

/** All that the tiles are made of but what is lit; functions by what they say of each rank. */
function keyOf(view: WallView): unknown[] {
  const { wall, layout, palette, shape, color, mark } = view;
  const told: string[] = [];
  const places = color || mark ? wall.x.length : 0;
  for (let place = 0; place < places; place++) {
    const rank = rankAt(layout, place);
    told.push(`${color?.(rank) ?? ""} ${wall.tile >= 40 ? (mark?.(rank) ?? "") : ""}`);
  }
  return [
    wall,
    layout,
    palette,
    shape?.join(),
    [...(view.ill ?? [])].join(),
    [...(view.parted ?? [])].join(),
    told.join("\n"),
  ];
}

/** The caption, and the frames of further axes. */
function ground(s: Surface, { wall, palette }: WallView): void {
  s.text(2, 9, wall.caption, { color: palette.quiet, size: 12 });
  for (const f of wall.frames) {
    s.rect(f.x + 2, f.y + 2, f.width, f.height, {
      color: f.depth % 2 ? palette.sunken : palette.surface,
      stroke: { color: palette.line },
      radius: 8,
    });
    if (f.width > 60) s.text(f.x + 12, f.y + 14, f.words, { color: palette.quiet, size: 11 });
  }
}

function tile(s: Surface, view: WallView, place: number, slices: Slices): void {
  const { wall, layout, palette, shape } = view;
  const rank = rankAt(layout, place);
  const size = wall.tile;
  const x = (wall.x[place] ?? 0) + 2;
  const y = (wall.y[place] ?? 0) + 2;
  const isLit = view.lit?.has(rank) ?? false;
  const since = view.parted?.get(rank);
  if (since !== undefined) {
    partedTile(s, view, rank, since, x, y);
    return;
  }
  const own = view.color?.(rank);
  const isSmall = size < 22;
  const plain = isSmall ? palette.sunken : palette.surface;
  const color =
    own ??
    (shape && isSmall
      ? softRamp(palette, slices.at[place] ?? 0, slices.count)
      : isLit && !shape
        ? palette.accentSoft
        : plain);
  const isIll = view.ill?.has(rank) ?? false;
  s.rect(x, y, size, size, {
    color,
    ...(size >= 8
      ? { stroke: { color: isLit ? palette.accent : palette.line, width: isLit ? 1.5 : 1 } }
      : {}),
    radius: size >= 40 ? 7 : size >= 16 ? 3.5 : size >= 8 ? 2 : 0,
    ...(isIll ? { pattern: "cross" as const, patternColor: fade(palette.bad, 0.8) } : {}),
  });
  if (shape) glyphTile(s, view, rank, x, y, ramp(palette, slices.at[place] ?? 0, slices.count));
  else if (size >= 18) {
    const digits = String(rank).length;
    const fontSize = Math.min(size >= 40 ? 15 : 12, (size - 4) / (digits * 0.62));
    if (fontSize >= 8) {
      s.text(x + size / 2, y + size / 2 + 0.5, String(rank), {
        color: isLit ? palette.accent : palette.ink,
        size: fontSize,
        align: "middle",
        weight: isLit ? 600 : 500,
      });
    }
  }
  const mark = size >= 40 ? view.mark?.(rank) : "";
  if (mark) s.text(x + size - 6, y + 10, mark, { color: palette.quiet, size: 10, align: "end" });
}

/** A copy that differs is solid, and says since which step. */
function partedTile(
  s: Surface,
  { wall, palette }: WallView,
  rank: number,
  since: number,
  x: number,
  y: number,
): void {
  const size = wall.tile;
  const radius = size >= 40 ? 7 : size >= 16 ? 3.5 : size >= 8 ? 2 : 0;
  s.rect(x, y, size, size, { color: palette.bad, radius });
  if (size < 22) return;
  const pen = { color: palette.surface, align: "middle", weight: 600 } as const;
  const [middle, isTall] = [x + size / 2, size >= 40];
  s.text(middle, y + size * (isTall ? 0.34 : 0.5), String(rank), {
    ...pen,
    size: isTall ? 14 : 10,
  });
  if (!isTall) return;
  const words = fitted(size >= 60 ? `since step ${since}` : `@${since}`, size - 4, 10);
  s.text(middle, y + size * 0.68, words, { ...pen, size: 10 });
}

function glyphTile(
  s: Surface,
  view: WallView,
  rank: number,
  x: number,
  y: number,
  color: string,
): void {
  const { wall, layout, palette, shape = [] } = view;
  const size = wall.tile;
  if (size >= 40) {
    const label = size >= 60 ? 12 : 10.5;
    s.text(x + 7, y + label - 1, String(rank), { color: palette.quiet, size: label, weight: 500 });
    const top = label + 6;
    drawGlyph(
      s,
      { x: x + 7, y: y + top, width: size - 14, height: size - top - 7 },
      layout,
      shape,
      rank,
      palette,
    );
    return;
  }
  if (size < 22) {
    heldDot(s, view, rank, x, y, color);
    return;
  }
  const pad = size >= 26 ? 4 : 2;
  drawGlyph(
    s,
    { x: x + pad, y: y + pad, width: size - 2 * pad, height: size - 2 * pad },
    layout,
    shape,
    rank,
    palette,
  );
}

/** On a small tile the tile itself is the tensor, and what the rank holds is a dark part of it. */
function heldDot(
  s: Surface,
  { wall, layout }: WallView,
  rank: number,
  x: number,
  y: number,
  color: string,
): void {
  const size = wall.tile;
  const held = heldPart(layout, { x, y, width: size, height: size }, rank);
  const least = size >= 10 ? 3 : 2;
  const width = Math.max(least, held.width);
  const height = Math.max(least, held.height);
  const isWhole = held.width >= size && held.height >= size;
  if (size < 6 || isWhole) return;
  s.rect(Math.min(held.x, x + size - width), Math.min(held.y, y + size - height), width, height, {
    color,
  });
}

/** Lit, hovered and selected ranks, drawn last so that no neighbour covers them. */
function outlines(s: Surface, view: WallView): void {
  const { wall, layout, palette } = view;
  const radius = wall.tile >= 40 ? 8 : wall.tile >= 16 ? 5 : 2;
  for (let place = 0; place < wall.x.length; place++) {
    const rank = rankAt(layout, place);
    const isSelected = rank === view.selected;
    const isHovered = rank === view.hovered;
    const isLit = view.lit?.has(rank) ?? false;
    if (!isSelected && !isHovered && !isLit) continue;
    const grow = wall.tile >= 12 ? 1.5 : 0.5;
    const x = (wall.x[place] ?? 0) + 2 - grow;
    const y = (wall.y[place] ?? 0) + 2 - grow;
    const size = wall.tile + 2 * grow;
    const stroke = isSelected
      ? { color: palette.selected, width: 2.5 }
      : isHovered
        ? { color: palette.ink, width: 1.5, dash: [4, 3] }
        : { color: mix(palette.accent, palette.surface, 0.1), width: 2 };
    s.rect(x, y, size, size, { stroke, radius });
  }
}
