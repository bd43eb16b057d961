/** What drawings draw on: one interface, a canvas for the screen and a string of SVG for files and tests. */

import type { Pattern } from "./pattern";
import { patternLines, patternMark } from "./pattern";

export interface Stroke {
  readonly color: string;
  readonly width?: number;
  readonly dash?: readonly number[];
}

export interface Fill {
  readonly color?: string;
  readonly stroke?: Stroke;
  /** Signs drawn over the colour: hatch for a copy, dots for a term, cross-hatch for what is not resident. */
  readonly pattern?: Pattern;
  readonly patternColor?: string;
  readonly radius?: number;
}

export interface TextStyle {
  readonly color: string;
  readonly size?: number;
  readonly weight?: number;
  readonly align?: "start" | "middle" | "end";
  readonly mono?: boolean;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** What each cell of a grid shows: 0 for nothing, 1 for the first color. */
export interface Levels {
  readonly at: Uint8Array;
  readonly colors: readonly string[];
}

export interface Surface {
  rect(x: number, y: number, width: number, height: number, fill: Fill): void;
  circle(x: number, y: number, radius: number, fill: Fill): void;
  line(points: readonly Point[], stroke: Stroke): void;
  area(points: readonly Point[], color: string): void;
  /** Equal cells, row by row, each in the color of its level; those of level 0 are left as they are. */
  grid(x: number, y: number, cell: number, columns: number, levels: Levels): void;
  /** Text with its middle line at `y`. */
  text(x: number, y: number, words: string, style: TextStyle): void;
}

/** A picture: its size, and how to paint it on any surface. */
export interface Drawing {
  readonly width: number;
  readonly height: number;
  paint(surface: Surface): void;
  /** The same in two parts, for pictures that answer the pointer. */
  readonly layers?: Layers;
}

/** What stays while the pointer moves, and what is drawn over it. */
export interface Layers {
  /** What the part below is made of: as long as all of it is the same, the part is not drawn again. */
  readonly key: readonly unknown[];
  under(surface: Surface): void;
  over(surface: Surface): void;
}

export const SANS = '"Inter Variable", system-ui, sans-serif';
export const MONO = '"JetBrains Mono Variable", ui-monospace, monospace';

/** How wide a text is, about: good enough to decide whether it fits. */
export function textWidth(words: string, size: number, mono = false): number {
  return words.length * size * (mono ? 0.6 : 0.56);
}

/** Shorten a text in the middle so that it fits a width. */
export function fitted(words: string, width: number, size: number, mono = false): string {
  const most = Math.floor(width / (size * (mono ? 0.6 : 0.56)));
  if (words.length <= most) return words;
  if (most < 3) return "";
  const head = Math.ceil((most - 1) / 2);
  return `${words.slice(0, head)}…${words.slice(words.length - (most - 1 - head))}`;
}

/** Draws on a canvas. */
export class CanvasSurface implements Surface {
  constructor(private readonly context: CanvasRenderingContext2D) {}

  rect(x: number, y: number, width: number, height: number, fill: Fill): void {
    const c = this.context;
    const outline = () => {
      c.beginPath();
      if (fill.radius) c.roundRect(x, y, width, height, fill.radius);
      else c.rect(x, y, width, height);
    };
    this.paint(fill, outline, x, y, width, height);
  }

  circle(x: number, y: number, radius: number, fill: Fill): void {
    const outline = () => {
      this.context.beginPath();
      this.context.arc(x, y, radius, 0, 2 * Math.PI);
    };
    this.paint(fill, outline, x - radius, y - radius, 2 * radius, 2 * radius);
  }

  private paint(
    fill: Fill,
    outline: () => void,
    x: number,
    y: number,
    width: number,
    height: number,
  ): void {
    const c = this.context;
    outline();
    if (fill.color) {
      c.fillStyle = fill.color;
      c.fill();
    }
    if (fill.pattern && fill.patternColor) {
      c.save();
      c.clip();
      this.signs(fill.pattern, fill.patternColor, x, y, width, height);
      c.restore();
      outline(); // the pattern's lines took its place
    }
    if (fill.stroke) {
      this.pen(fill.stroke);
      c.stroke();
    }
  }

  private signs(
    p: Pattern,
    color: string,
    x: number,
    y: number,
    width: number,
    height: number,
  ): void {
    const c = this.context;
    const mark = patternMark(p);
    if (mark.dot) {
      c.fillStyle = color;
      c.beginPath();
      for (let v = y + mark.gap / 2; v < y + height + mark.gap; v += mark.gap) {
        for (let u = x + mark.gap / 2; u < x + width + mark.gap; u += mark.gap) {
          c.moveTo(u + mark.dot, v);
          c.arc(u, v, mark.dot, 0, 2 * Math.PI);
        }
      }
      c.fill();
      return;
    }
    this.pen({ color, width: mark.width });
    c.beginPath();
    for (const [a, b] of patternLines(p, x, y, width, height)) {
      c.moveTo(a.x, a.y);
      c.lineTo(b.x, b.y);
    }
    c.stroke();
  }

  private pen(stroke: Stroke): void {
    this.context.strokeStyle = stroke.color;
    this.context.lineWidth = stroke.width ?? 1;
    this.context.setLineDash([...(stroke.dash ?? [])]);
  }

  line(points: readonly Point[], stroke: Stroke): void {
    this.trace(points);
    this.context.lineJoin = "round";
    this.pen(stroke);
    this.context.stroke();
  }

  area(points: readonly Point[], color: string): void {
    this.trace(points);
    this.context.closePath();
    this.context.fillStyle = color;
    this.context.fill();
  }

  private trace(points: readonly Point[]): void {
    this.context.beginPath();
    points.forEach((p, i) => (i ? this.context.lineTo(p.x, p.y) : this.context.moveTo(p.x, p.y)));
  }

  grid(x: number, y: number, cell: number, columns: number, levels: Levels): void {
    const rows = levels.at.length / Math.max(1, columns);
    const small = rasterOf(levels, columns, rows);
    if (!small) return;
    const isSmooth = this.context.imageSmoothingEnabled;
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(small, x, y, columns * cell, rows * cell);
    this.context.imageSmoothingEnabled = isSmooth;
  }

  text(x: number, y: number, words: string, style: TextStyle): void {
    const c = this.context;
    c.font = `${style.weight ?? 400} ${style.size ?? 12}px ${style.mono ? MONO : SANS}`;
    c.textAlign = style.align === "middle" ? "center" : (style.align ?? "start");
    c.textBaseline = "middle";
    c.fillStyle = style.color;
    c.fillText(words, x, y);
  }
}

/** A picture with a pixel for each cell. */
function rasterOf(levels: Levels, columns: number, rows: number): OffscreenCanvas | null {
  if (columns < 1 || rows < 1) return null;
  const made = new OffscreenCanvas(columns, rows);
  const context = made.getContext("2d");
  if (!context) return null;
  const image = context.createImageData(columns, rows);
  const pixels = new Uint32Array(image.data.buffer);
  const colors = Uint32Array.from([0, ...levels.colors.map((color) => pixelOf(color, context))]);
  for (let i = 0; i < pixels.length; i++) pixels[i] = colors[levels.at[i] ?? 0] ?? 0;
  context.putImageData(image, 0, 0);
  return made;
}

/** A color as the pixel that it makes. */
function pixelOf(color: string, context: OffscreenCanvasRenderingContext2D): number {
  context.fillStyle = color;
  context.fillRect(0, 0, 1, 1);
  return new Uint32Array(context.getImageData(0, 0, 1, 1).data.buffer)[0] ?? 0;
}

/** Collects SVG elements; `svg` gives the whole picture as a string. */
export class SvgSurface implements Surface {
  private readonly parts: string[] = [];
  private readonly patterns = new Map<string, string>();

  rect(x: number, y: number, width: number, height: number, fill: Fill): void {
    const place = `x="${n(x)}" y="${n(y)}" width="${n(width)}" height="${n(height)}"`;
    const round = fill.radius ? ` rx="${n(fill.radius)}"` : "";
    this.shape(`rect ${place}${round}`, fill);
  }

  circle(x: number, y: number, radius: number, fill: Fill): void {
    this.shape(`circle cx="${n(x)}" cy="${n(y)}" r="${n(radius)}"`, fill);
  }

  grid(x: number, y: number, cell: number, columns: number, levels: Levels): void {
    const paths = levels.colors.map((): string[] => []);
    for (let i = 0; i < levels.at.length;) {
      const level = levels.at[i] ?? 0;
      const first = i++;
      while (i % columns && levels.at[i] === level) i++; // cells of one color side by side are one piece
      if (level === 0) continue;
      const [left, top] = [x + (first % columns) * cell, y + Math.floor(first / columns) * cell];
      const wide = n((i - first) * cell);
      paths[level - 1]?.push(`M${n(left)} ${n(top)}h${wide}v${n(cell)}h-${wide}z`);
    }
    paths.forEach((pieces, i) => {
      if (pieces.length > 0)
        this.parts.push(`<path d="${pieces.join("")}" fill="${levels.colors[i]}"/>`);
    });
  }

  private shape(element: string, fill: Fill): void {
    const bare = !fill.pattern;
    const pen = fill.stroke ? stroke(fill.stroke) : "";
    this.parts.push(`<${element} fill="${fill.color ?? "none"}"${bare ? pen : ""}/>`);
    if (fill.pattern && fill.patternColor) {
      const id = this.pattern(fill.pattern, fill.patternColor);
      this.parts.push(`<${element} fill="url(#${id})"${pen}/>`);
    }
  }

  private pattern(p: Pattern, color: string): string {
    const id = `${p}-${color.replace(/[^\w]/g, "")}`;
    const { gap, width, dot } = patternMark(p);
    const marks = dot
      ? `<circle cx="${n(gap / 2)}" cy="${n(gap / 2)}" r="${dot}" fill="${color}"/>`
      : `<path d="M0 0V${n(gap)}${p === "cross" ? `M0 0H${n(gap)}` : ""}" stroke="${color}" stroke-width="${width * 2}"/>`;
    const turn = dot ? "" : ' patternTransform="rotate(45)"';
    this.patterns.set(
      id,
      `<pattern id="${id}" width="${n(gap)}" height="${n(gap)}" patternUnits="userSpaceOnUse"${turn}>${marks}</pattern>`,
    );
    return id;
  }

  line(points: readonly Point[], pen: Stroke): void {
    this.parts.push(
      `<path d="${path(points)}" fill="none" stroke-linejoin="round"${stroke(pen)}/>`,
    );
  }

  area(points: readonly Point[], color: string): void {
    this.parts.push(`<path d="${path(points)}Z" fill="${color}"/>`);
  }

  text(x: number, y: number, words: string, style: TextStyle): void {
    const anchor = style.align && style.align !== "start" ? ` text-anchor="${style.align}"` : "";
    const weight = style.weight ? ` font-weight="${style.weight}"` : "";
    const face = style.mono ? ` font-family="${MONO.replaceAll('"', "'")}"` : "";
    const size = style.size ?? 12;
    this.parts.push(
      `<text x="${n(x)}" y="${n(y + size * 0.35)}" font-size="${n(size)}" fill="${style.color}"` +
        `${anchor}${weight}${face}>${escapeText(words)}</text>`,
    );
  }

  /** The whole picture, which needs no other file. */
  svg(width: number, height: number, title: string, background?: string): string {
    const defs = this.patterns.size ? `<defs>${[...this.patterns.values()].join("")}</defs>` : "";
    const paper = background ? `<rect width="100%" height="100%" fill="${background}"/>` : "";
    return (
      `<svg xmlns="http://www.w3.org/2000/svg" width="${n(width)}" height="${n(height)}" ` +
      `viewBox="0 0 ${n(width)} ${n(height)}" font-family="${SANS.replaceAll('"', "'")}" role="img">` +
      `<title>${escapeText(title)}</title>${defs}${paper}${this.parts.join("\n")}</svg>`
    );
  }
}

/** A drawing as a string of SVG. */
export function toSvg(drawing: Drawing, title: string, background?: string): string {
  const surface = new SvgSurface();
  drawing.paint(surface);
  return surface.svg(drawing.width, drawing.height, title, background);
}

/** Text as XML holds it. */
export function escapeText(words: string): string {
  return words
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

function n(value: number): string {
  return String(Math.round(value * 100) / 100);
}

function path(points: readonly Point[]): string {
  return points.map((p, i) => `${i ? "L" : "M"}${n(p.x)} ${n(p.y)}`).join("");
}

function stroke(pen: Stroke): string {
  const dash = pen.dash?.length ? ` stroke-dasharray="${pen.dash.join(" ")}"` : "";
  return ` stroke="${pen.color}" stroke-width="${n(pen.width ?? 1)}"${dash}`;
}
