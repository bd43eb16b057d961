/** A thumbnail of a tensor with the slice that one rank holds. */

import { copyNumber, cuts, sliceCount, sliceIndex, termCount, blocks } from "../math/layout";
import type { Layout } from "../math/layout";
import type { Pattern } from "./pattern";
import { fade, ramp } from "./palette";
import type { Palette } from "./palette";
import type { Drawing, Surface } from "./surface";

export interface Frame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The outline of a tensor as it lies on the page: the last axis across, those before it down. */
export function outline(shape: readonly number[], room: Frame): Frame {
  const columns = shape.at(-1) ?? 1;
  const rows = shape.length > 1 ? (shape.at(-2) ?? 1) : 0;
  const flat = shape.length < 2;
  const aspect = flat ? 3.2 : Math.min(2, Math.max(0.5, Math.sqrt(columns / Math.max(1, rows))));
  const width = Math.min(room.width, room.height * aspect);
  const height = Math.min(room.height, room.width / aspect);
  return {
    x: room.x + (room.width - width) / 2,
    y: room.y + (room.height - height) / 2,
    width,
    height,
  };
}

/** How many rows and columns of slices a tensor is cut into, leading axes counted as rows. */
export function gridOf(layout: Layout): { rows: number; columns: number; pages: number } {
  const parts = cuts(layout);
  const columns = parts.at(-1) ?? 1;
  const pages = parts.slice(0, -2).reduce((a, b) => a * b, 1);
  return { rows: pages * (parts.length > 1 ? (parts.at(-2) ?? 1) : 1), columns, pages };
}

/** The part of an outline that one rank holds. */
export function heldPart(layout: Layout, frame: Frame, rank: number): Frame {
  const { rows, columns } = gridOf(layout);
  const block = blocks(layout, rank);
  const parts = cuts(layout);
  const column = block.at(-1) ?? 0;
  const row = block.slice(0, -1).reduce((n, b, i) => n * (parts[i] ?? 1) + b, 0);
  const width = frame.width / columns;
  const height = frame.height / rows;
  return { x: frame.x + column * width, y: frame.y + row * height, width, height };
}

/** The sign of what a rank holds: dots for a term, hatch for a copy. */
export function signOf(layout: Layout, rank: number): Pattern | undefined {
  if (termCount(layout) > 1) return "dots";
  return copyNumber(layout, rank) > 0 ? "hatch" : undefined;
}

/** Draw a rank's glyph into a room. */
export function drawGlyph(
  s: Surface,
  room: Frame,
  layout: Layout,
  shape: readonly number[],
  rank: number,
  palette: Palette,
): void {
  const frame = outline(shape, room);
  s.rect(frame.x, frame.y, frame.width, frame.height, { color: palette.sunken });
  const held = heldPart(layout, frame, rank);
  const sign = signOf(layout, rank);
  s.rect(held.x, held.y, Math.max(1.5, held.width), Math.max(1.5, held.height), {
    color: ramp(palette, sliceIndex(layout, rank), sliceCount(layout)),
    ...(sign && room.width >= 10
      ? { pattern: sign, patternColor: fade(palette.surface, 0.75) }
      : {}),
  });
  s.rect(frame.x, frame.y, frame.width, frame.height, {
    stroke: { color: palette.edge, width: 1 },
  });
}

/** A thumbnail of all cuts of a tensor: for tables. */
export function cutsDrawing(
  layout: Layout,
  shape: readonly number[],
  palette: Palette,
  width = 40,
  height = 22,
): Drawing {
  return {
    width,
    height,
    paint(s) {
      const frame = outline(shape, { x: 1, y: 1, width: width - 2, height: height - 2 });
      const { rows, columns } = gridOf(layout);
      const total = rows * columns;
      const few = columns <= 16 && rows <= 16;
      for (let i = 0; i < (few ? total : 0); i++) {
        const w = frame.width / columns;
        const h = frame.height / rows;
        const x = frame.x + (i % columns) * w;
        const y = frame.y + Math.floor(i / columns) * h;
        s.rect(x, y, w, h, {
          color: ramp(palette, i, total),
          ...(total > 1 && Math.min(w, h) > 3
            ? { stroke: { color: palette.surface, width: 0.75 } }
            : {}),
        });
      }
      if (!few)
        s.rect(frame.x, frame.y, frame.width, frame.height, {
          color: ramp(palette, 1, 3),
          pattern: "cross",
          patternColor: palette.surface,
        });
      if (termCount(layout) > 1) {
        s.rect(frame.x, frame.y, frame.width, frame.height, {
          pattern: "dots",
          patternColor: palette.surface,
        });
      }
    },
  };
}
