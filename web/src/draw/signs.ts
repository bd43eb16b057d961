/** The signs of movements, drawn as lines: a font that lacks one would show a box, or another face's. */

import { inkOn, kindOf } from "./palette";
import type { Kind } from "./palette";
import type { Point, Surface } from "./surface";
import { toSvg } from "./surface";

/** A line through points `x, y, x, y, …`, in parts of the sign's size around its middle. */
type Line = readonly number[];

const SUM: Line = [0.3, -0.28, 0.3, -0.4, -0.3, -0.4, 0.06, 0, -0.3, 0.4, 0.3, 0.4, 0.3, 0.28];
const right = (y: number): Line[] => [
  [-0.46, y, 0.46, y],
  [0.24, y - 0.2, 0.46, y, 0.24, y + 0.2],
];
const left = (y: number): Line[] => right(y).map((line) => line.map((v, i) => (i % 2 ? v : -v)));

const LINES: Readonly<Record<string, readonly Line[]>> = {
  Σ: [SUM],
  "Σ/": [SUM.map((v, i) => (i % 2 ? v : v * 0.85 - 0.2)), [0.48, -0.46, 0.2, 0.46]],
  "⧉": [
    [-0.12, -0.12, 0.42, -0.12, 0.42, 0.42, -0.12, 0.42, -0.12, -0.12],
    [-0.12, 0.14, -0.42, 0.14, -0.42, -0.42, 0.14, -0.42, 0.14, -0.12],
  ],
  "⇄": [...right(-0.24), ...left(0.24)],
  "→": right(0),
  "✂": [
    [-0.08, 0.06, 0.44, -0.42],
    [-0.08, -0.06, 0.44, 0.42],
  ],
};

/** The rings of the scissors. */
const RINGS: Readonly<Record<string, readonly Point[]>> = {
  "✂": [
    { x: -0.26, y: -0.24 },
    { x: -0.26, y: 0.24 },
  ],
};

/** Draw a sign around a point; what is no movement's sign, a letter, is written. */
export function drawSign(
  s: Surface,
  x: number,
  y: number,
  sign: string,
  color: string,
  size: number,
): void {
  const lines = LINES[sign];
  if (!lines) {
    s.text(x, y + 0.5, sign, { color, size, align: "middle", weight: 600 });
    return;
  }
  const pen = { color, width: Math.max(1, size * 0.12) };
  for (const line of lines) {
    const points = Array.from({ length: line.length / 2 }, (_, i) => ({
      x: x + size * (line[2 * i] ?? 0),
      y: y + size * (line[2 * i + 1] ?? 0),
    }));
    s.line(points, pen);
  }
  for (const ring of RINGS[sign] ?? [])
    s.circle(x + size * ring.x, y + size * ring.y, size * 0.17, { stroke: pen });
}

/** A kind's disc with its sign, as a string of SVG; with the ring of a role, if one is given. */
export function signDisc(name: string, size: number, ring?: string): string {
  const kind = kindOf(name);
  const r = size / 2;
  return kindSvg(kind, size, size, (s) => {
    s.circle(r, r, r - (ring ? 1.5 : 0.5), {
      color: kind.color,
      ...(ring ? { stroke: { color: ring, width: 2 } } : {}),
    });
  });
}

/** A kind's plate with its sign, as a string of SVG: for rows of tables. */
export function signPlate(name: string): string {
  const kind = kindOf(name);
  return kindSvg(kind, 22, 16, (s) => s.rect(0, 0, 22, 16, { color: kind.color, radius: 4 }));
}

function kindSvg(kind: Kind, width: number, height: number, ground: (s: Surface) => void): string {
  const paint = (s: Surface) => {
    ground(s);
    drawSign(s, width / 2, height / 2, kind.sign, inkOn(kind.color), height * 0.58);
  };
  return toSvg({ width, height, paint }, kind.words);
}
