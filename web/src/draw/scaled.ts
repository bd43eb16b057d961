/** Pictures larger or smaller than they were drawn. */

import type { Point, Surface } from "./surface";

/** A surface on which everything is drawn larger or smaller. */
export function scaled(s: Surface, k: number): Surface {
  if (k === 1) return s;
  const move = (p: Point) => ({ x: p.x * k, y: p.y * k });
  const pen = <T extends { width?: number } | undefined>(stroke: T): T =>
    stroke ? { ...stroke, width: (stroke.width ?? 1) * k } : stroke;
  return {
    rect: (x, y, w, h, fill) =>
      s.rect(x * k, y * k, w * k, h * k, {
        ...fill,
        ...(fill.stroke ? { stroke: pen(fill.stroke) } : {}),
        ...(fill.radius ? { radius: fill.radius * k } : {}),
      }),
    circle: (x, y, r, fill) =>
      s.circle(x * k, y * k, r * k, {
        ...fill,
        ...(fill.stroke ? { stroke: pen(fill.stroke) } : {}),
      }),
    line: (points, stroke) => s.line(points.map(move), pen(stroke)),
    area: (points, color) => s.area(points.map(move), color),
    grid: (x, y, cell, columns, levels) => s.grid(x * k, y * k, cell * k, columns, levels),
    text: (x, y, words, style) =>
      s.text(x * k, y * k, words, { ...style, size: (style.size ?? 12) * k }),
  };
}

/** A surface on which everything is drawn elsewhere. */
export function moved(s: Surface, dx: number, dy: number): Surface {
  return {
    rect: (x, y, w, h, fill) => s.rect(x + dx, y + dy, w, h, fill),
    circle: (x, y, r, fill) => s.circle(x + dx, y + dy, r, fill),
    line: (points, stroke) =>
      s.line(
        points.map((p) => ({ x: p.x + dx, y: p.y + dy })),
        stroke,
      ),
    area: (points, color) =>
      s.area(
        points.map((p) => ({ x: p.x + dx, y: p.y + dy })),
        color,
      ),
    grid: (x, y, cell, columns, levels) => s.grid(x + dx, y + dy, cell, columns, levels),
    text: (x, y, words, style) => s.text(x + dx, y + dy, words, style),
  };
}
