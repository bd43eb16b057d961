/** The device matrix as a wall of tiles: its last axis runs right, the one before down, further axes are framed blocks. */

import { product } from "../math/layout";

export interface WallFrame {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly words: string;
  readonly depth: number;
}

/** Where everything stands. Tiles are those of places of the device matrix, row by row. */
export interface Wall {
  readonly devMat: readonly number[];
  readonly width: number;
  readonly height: number;
  readonly tile: number;
  readonly x: Float64Array;
  readonly y: Float64Array;
  readonly frames: readonly WallFrame[];
  /** How the axes run, in words, e.g. `device axis 0 →`. */
  readonly caption: string;
}

interface Level {
  /** Number of the device axis, from the right. */
  readonly axis: number;
  readonly size: number;
  readonly columns: number;
  readonly stepX: number;
  readonly stepY: number;
  readonly width: number;
  readonly height: number;
  readonly isFramed: boolean;
}

const PAD = 10;
const TITLE = 20;
const CAPTION = 24;
const TILES = [84, 76, 68, 60, 52, 46, 40, 34, 30, 26, 22, 19, 16, 14, 12, 10, 8, 7, 6, 5, 4];

export interface WallRoom {
  readonly width: number;
  readonly height: number;
  readonly largest?: number;
}

/** Lay a device matrix out in a room, with the largest tiles that fit; too narrow a room wraps the last axis. */
export function layWall(devMat: readonly number[], room: WallRoom): Wall {
  const sizes = TILES.filter((t) => t <= (room.largest ?? 76));
  for (const tile of sizes) {
    const wall = attempt(devMat, tile, room.width);
    const wraps = wall.width > room.width;
    if (!wraps && (wall.height <= room.height || tile === sizes.at(-1))) return wall;
  }
  return attempt(devMat, sizes.at(-1) ?? 4, room.width);
}

function gapOf(tile: number): number {
  return tile >= 40 ? 6 : tile >= 20 ? 4 : tile >= 10 ? 2 : 1;
}

function attempt(devMat: readonly number[], tile: number, width: number): Wall {
  const gap = gapOf(tile);
  const axes = devMat
    .map((size, i) => ({ size, axis: devMat.length - 1 - i }))
    .reverse()
    .filter(({ size }) => size > 1);
  const deep = Math.max(0, axes.length - 2);
  const levels: Level[] = [];
  let w = tile;
  let h = tile;
  axes.forEach(({ size, axis }, depth) => {
    const isWrapped = levels.some((l) => l.columns < l.size && !l.isFramed);
    const isFramed = depth >= 2 || (depth === 1 && isWrapped);
    const inset = 2 * PAD * Math.max(0, deep - Math.max(0, depth - 1));
    const level = isFramed
      ? framedLevel(axis, size, w, h, width - inset)
      : depth === 1
        ? {
            axis,
            size,
            columns: 1,
            stepX: 0,
            stepY: h + gap,
            width: w,
            height: size * (h + gap) - gap,
            isFramed,
          }
        : rowLevel(axis, size, tile, gap, width - inset - (deep > 0 ? 2 * PAD : 0));
    levels.push(level);
    w = level.width;
    h = level.height;
  });
  return placed(devMat, tile, levels, w, h);
}

/** Tiles side by side, in as many lines as it takes. */
function rowLevel(axis: number, size: number, tile: number, gap: number, width: number): Level {
  const most = Math.max(1, Math.floor((width + gap) / (tile + gap)));
  const columns = most >= size ? size : dividing(size, most);
  const lines = Math.ceil(size / columns);
  return {
    axis,
    size,
    columns,
    stepX: tile + gap,
    stepY: tile + gap,
    width: columns * (tile + gap) - gap,
    height: lines * (tile + gap) - gap,
    isFramed: false,
  };
}

function framedLevel(axis: number, size: number, w: number, h: number, width: number): Level {
  const frameW = w + 2 * PAD;
  const frameH = h + PAD + TITLE + 2;
  const most = Math.max(1, Math.floor((width + PAD) / (frameW + PAD)));
  const columns = most >= size ? size : dividing(size, most);
  const lines = Math.ceil(size / columns);
  return {
    axis,
    size,
    columns,
    stepX: frameW + PAD,
    stepY: frameH + PAD,
    width: columns * (frameW + PAD) - PAD,
    height: lines * (frameH + PAD) - PAD,
    isFramed: true,
  };
}

/** The largest divisor up to a limit; the limit itself if only small ones divide. */
function dividing(n: number, most: number): number {
  for (let d = most; d > most / 2; d--) if (n % d === 0) return d;
  return most;
}

function placed(
  devMat: readonly number[],
  tile: number,
  levels: readonly Level[],
  width: number,
  height: number,
): Wall {
  const total = product(devMat);
  const x = new Float64Array(total);
  const y = new Float64Array(total);
  const frames: WallFrame[] = [];
  const top = CAPTION;
  let stride = 1;
  const strides = levels.map((level) => {
    const own = stride;
    stride *= level.size;
    return own;
  });
  const corner = (place: number, from: number): [number, number] => {
    let cx = 0;
    let cy = top;
    for (let k = levels.length - 1; k >= from; k--) {
      const level = levels[k] as Level;
      const i = Math.floor(place / (strides[k] ?? 1)) % level.size;
      cx += (i % level.columns) * level.stepX + (level.isFramed && k > from - 1 ? PAD : 0);
      cy += Math.floor(i / level.columns) * level.stepY + (level.isFramed ? TITLE + 2 : 0);
    }
    return [cx, cy];
  };
  for (let place = 0; place < total; place++) {
    const [cx, cy] = corner(place, 0);
    x[place] = cx;
    y[place] = cy;
  }
  levels.forEach((level, k) => {
    if (!level.isFramed) return;
    const inner = levels[k - 1];
    const step = strides[k] ?? 1;
    for (let place = 0; place < total; place += step) {
      const [cx, cy] = corner(place, k);
      const i = Math.floor(place / step) % level.size;
      frames.push({
        x: cx - PAD,
        y: cy - TITLE - 2,
        width: (inner?.width ?? tile) + 2 * PAD,
        height: (inner?.height ?? tile) + PAD + TITLE + 2,
        words: `axis ${level.axis} at ${i}`,
        depth: levels.length - k,
      });
    }
  });
  frames.sort((a, b) => a.depth - b.depth);
  return { devMat, width, height: height + top, tile, x, y, frames, caption: captionOf(levels) };
}

function captionOf(levels: readonly Level[]): string {
  const words = levels.map((level, k) => {
    const lines = k === 0 && level.columns < level.size ? ", in lines" : "";
    const way = level.isFramed ? "in frames" : k === 0 ? "→" : "↓";
    return `axis ${level.axis} ${way}${lines}`;
  });
  return words.length > 0 ? `device ${words.join("  ·  ")}` : "one rank";
}

/** The place whose tile is at a point; -1 for none. */
export function placeAtPoint(wall: Wall, px: number, py: number): number {
  for (let place = 0; place < wall.x.length; place++) {
    const x = wall.x[place] ?? 0;
    const y = wall.y[place] ?? 0;
    if (px >= x && px < x + wall.tile && py >= y && py < y + wall.tile) return place;
  }
  return -1;
}

/** The nearest place in a direction from another; itself if there is none. */
export function neighbour(wall: Wall, place: number, dx: number, dy: number): number {
  if (place < 0) return 0;
  const x0 = wall.x[place] ?? 0;
  const y0 = wall.y[place] ?? 0;
  let best = place;
  let least = Infinity;
  for (let other = 0; other < wall.x.length; other++) {
    const along = ((wall.x[other] ?? 0) - x0) * dx + ((wall.y[other] ?? 0) - y0) * dy;
    const off =
      Math.abs(((wall.x[other] ?? 0) - x0) * dy) + Math.abs(((wall.y[other] ?? 0) - y0) * dx);
    if (along > 0.5 && along + 3 * off < least) {
      least = along + 3 * off;
      best = other;
    }
  }
  return best;
}
