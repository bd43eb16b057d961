/** Numbers, sizes, times and layouts in words. */

import {
  axisSize,
  copyCount,
  cuts,
  cuttingAxes,
  rankCount,
  repeatedAxes,
  sliceCount,
  isUnequal,
  sliceShape,
  termCount,
} from "./layout";
import type { Layout } from "./layout";

const BINARY = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** A size in binary units with three significant digits: `4 KiB`, `1.25 MiB`. */
export function bytes(n: number | null | undefined): string {
  if (n === null || n === undefined) return "–";
  let value = n;
  let unit = 0;
  while (Math.abs(value) >= 1024 && unit < BINARY.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${significant(value)} ${BINARY[unit]}`;
}

/** A duration: `350 ns`, `12.5 µs`, `1.2 ms`, `3.4 s`, `2 min 5 s`. */
export function seconds(s: number | null | undefined): string {
  if (s === null || s === undefined) return "–";
  const size = Math.abs(s);
  if (size === 0) return "0 s";
  if (size < 1e-6) return `${significant(s * 1e9)} ns`;
  if (size < 1e-3) return `${significant(s * 1e6)} µs`;
  if (size < 1) return `${significant(s * 1e3)} ms`;
  if (size < 60) return `${significant(s)} s`;
  const whole = Math.round(size);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Three significant digits, without an exponent between 0.001 and 999,999 and without trailing zeros. */
export function significant(n: number): string {
  if (n === 0) return "0";
  if (!Number.isFinite(n)) return String(n);
  const size = Math.abs(n);
  if (size >= 1e6 || size < 1e-3) return n.toExponential(2).replace("e+", "e");
  if (size >= 100) return count(Math.round(n));
  return String(Number(n.toPrecision(3)));
}

/** A whole number with thin groups of three: `12 288`. */
export function count(n: number | null | undefined): string {
  if (n === null || n === undefined) return "–";
  const text = String(Math.trunc(Math.abs(n)));
  const grouped = text.length > 4 ? text.replace(/\B(?=(\d{3})+$)/g, "\u202f") : text;
  return (n < 0 ? "−" : "") + grouped;
}

/** A share of one, in percent. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? "–" : `${significant(share * 100)} %`;
}

/** `1 rank`, `8 ranks`. */
export function plural(n: number, noun: string): string {
  return `${count(n)} ${n === 1 ? noun : noun.endsWith("y") ? `${noun.slice(0, -1)}ies` : `${noun}s`}`;
}

/** Shape as users write it: `(512, 1024)`. */
export function shapeText(shape: readonly number[]): string {
  return shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
}

/** A tensor map as users write it: `(1, -1)`, `((1, 0), -1)`. */
export function mapText(map: Layout["tensor_map"]): string {
  const entries = map.map((e) => (typeof e === "number" ? String(e) : `(${e.join(", ")})`));
  return entries.length === 1 ? `(${entries[0]},)` : `(${entries.join(", ")})`;
}

/** Ranks in few words: `0, 1, 2, 3`, or `0, 1, 2, … 1023` where there are many. */
export function ranksText(ranks: readonly number[], most = 8): string {
  if (ranks.length <= most) return ranks.join(", ");
  const step = (ranks[1] ?? 0) - (ranks[0] ?? 0);
  const isRun = ranks.every((r, i) => r === (ranks[0] ?? 0) + i * step);
  if (isRun && step === 1) return `${ranks[0]} to ${ranks.at(-1)}`;
  return `${ranks.slice(0, most - 2).join(", ")}, … ${ranks.at(-1)}`;
}

/** Device axes in words: `device axis 1`, `device axes 2, 0`. */
export function axesText(axes: readonly number[]): string {
  return `device ${axes.length === 1 ? "axis" : "axes"} ${axes.join(", ")}`;
}

/** What stands before the shape of a slice: nothing where all slices are equal. */
export function upTo(layout: Layout): string {
  return isUnequal(layout) ? "up to " : "";
}

/** What a layout does to a tensor, in one sentence. */
export function layoutSentence(layout: Layout, shape: readonly number[]): string {
  const parts = cuts(layout);
  const cut = cuttingAxes(layout)
    .map((axes, i) => ({ axes, n: parts[i] ?? 1, i }))
    .filter(({ n }) => n > 1)
    .map(({ axes, n, i }) => `axis ${i} in ${n} over ${axesText(axes)}`);
  const copies = copyCount(layout);
  const terms = termCount(layout);
  const local = sliceShape(layout, shape);
  const slices = plural(sliceCount(layout), "slice");
  const held = `${slices} of shape ${upTo(layout)}${local ? shapeText(local) : "?"} on ${plural(rankCount(layout), "rank")}`;
  const words = [cut.length > 0 ? `Cut along ${cut.join(" and ")}: ${held}` : `Not cut: ${held}`];
  if (copies > 1)
    words.push(`each kept ${copies} times, repeated over ${axesText(repeatedAxes(layout))}`);
  if (terms > 1) {
    const over = axesText((layout.partial ?? []).filter((a) => axisSize(layout.dev_mat, a) > 1));
    words.push(
      `each rank holds one of ${terms} terms, joined by ${layout.combine ?? "sum"} over ${over}`,
    );
  }
  return `${words.join(", ")}.`;
}

const ITEM_SIZES: Record<string, number> = { bool: 1, bfloat16: 2 };

/** Bytes of one element. */
export function itemSize(dtype: string): number {
  const bits = /(\d+)$/.exec(dtype)?.[1];
  return ITEM_SIZES[dtype] ?? (bits ? Number(bits) / 8 : 4);
}

/** Wall clock as a date, `2026-11-22 09:30:01`, in the reader's zone. */
export function dateText(wallSeconds: number): string {
  if (!wallSeconds) return "–";
  const d = new Date(wallSeconds * 1000);
  const two = (n: number) => String(n).padStart(2, "0");
  return (
    `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ` +
    `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`
  );
}
