/** A redistribution that is only thought of: a shape, a device matrix and two layouts; kept in the address. */

import { NOT_CUT, product } from "./layout";
import type { Layout } from "./layout";
import type { TensorMap } from "./strategy";
import { axesOf, entryOf } from "./strategy";

export interface Tryout {
  readonly shape: readonly number[];
  readonly devMat: readonly number[];
  readonly from: TensorMap;
  readonly to: TensorMap;
  /** Device axes over which the tensor is a sum of terms at first. */
  readonly terms: readonly number[];
}

const MOST_AXES = 4;
const MOST_RANKS = 1 << 20;
const MOST_LENGTH = 2 ** 32;

/** Starts to play with: what they are called, and what they show. */
export const EXAMPLES: readonly { readonly words: string; readonly tryout: Tryout }[] = [
  example("rows to columns", [4096, 1024], [2, 4], [0, -1], [-1, 0]),
  example("gather", [4096, 1024], [2, 4], [1, 0], [-1, -1]),
  example("slice", [4096, 1024], [2, 4], [-1, -1], [1, 0]),
  example("sum into slices", [4096, 1024], [2, 4], [-1, -1], [0, -1], [0]),
  example("two axes change places", [4096, 1024], [4, 4], [1, 0], [0, 1]),
  example("three axes at once", [64, 512, 1024], [2, 2, 4], [2, 1, 0], [-1, [2, 1], 0]),
  example("over 1024 ranks", [8192, 8192], [32, 32], [1, 0], [-1, [0, 1]]),
];

function example(
  words: string,
  shape: number[],
  devMat: number[],
  from: TensorMap,
  to: TensorMap,
  terms: number[] = [],
): { words: string; tryout: Tryout } {
  return { words, tryout: { shape, devMat, from, to, terms } };
}

/** The layouts before and after. */
export function layoutsOf(tryout: Tryout): { source: Layout; target: Layout } {
  return {
    source: { dev_mat: tryout.devMat, tensor_map: tryout.from, partial: tryout.terms },
    target: { dev_mat: tryout.devMat, tensor_map: tryout.to, partial: [] },
  };
}

/** One text for the address: shape, device matrix, map before, map after, terms. */
export function encode(tryout: Tryout): string {
  const map = (m: TensorMap) => m.map((e) => axesOf(e).join(".") || "w").join(",");
  const { shape, devMat, from, to, terms } = tryout;
  return [shape.join(","), devMat.join(","), map(from), map(to), terms.join(",")].join("~");
}

/** What an address means; null if it means nothing. */
export function decode(text: string | undefined): Tryout | null {
  const parts = text?.split("~") ?? [];
  if (parts.length !== 5) return null;
  const [shape, devMat, from, to, terms] = parts as [string, string, string, string, string];
  const found = {
    shape: numbers(shape),
    devMat: numbers(devMat),
    from: mapOf(from),
    to: mapOf(to),
    terms: numbers(terms),
  };
  return problemOf(found) === null ? found : null;
}

function numbers(text: string): number[] {
  return text === "" ? [] : text.split(",").map(Number);
}

function mapOf(text: string): TensorMap {
  const entries = text === "" ? [] : text.split(",");
  return entries.map((e) => {
    const axes = e === "w" ? [] : e.split(".").map(Number);
    return entryOf(axes);
  });
}

/** Read lengths that a reader typed: `4096, 1024` or `(4096, 1024)`; null if they are not whole and positive. */
export function readLengths(text: string, most = MOST_AXES): number[] | null {
  const parts = text
    .replace(/[()[\]\s]/g, " ")
    .split(/[,x×\s]+/)
    .filter(Boolean);
  const found = parts.map(Number);
  const isRight = found.every((n) => Number.isInteger(n) && n >= 1 && n <= MOST_LENGTH);
  return isRight && found.length >= 1 && found.length <= most ? found : null;
}

/** Why this is nothing to reckon with; null if it is. That slices are equal, the server checks. */
export function problemOf({ shape, devMat, from, to, terms }: Tryout): string | null {
  const isLength = (n: number) => Number.isInteger(n) && n >= 1 && n <= MOST_LENGTH;
  if (shape.length < 1 || shape.length > MOST_AXES || !shape.every(isLength)) return "shape";
  if (devMat.length < 1 || devMat.length > MOST_AXES || !devMat.every(isLength)) return "matrix";
  if (product(devMat) > MOST_RANKS) return "ranks";
  const isAxis = (a: number) => Number.isInteger(a) && a >= 0 && a < devMat.length;
  const isMap = (m: TensorMap) => {
    const used = m.flatMap(axesOf);
    return m.length === shape.length && used.every(isAxis) && new Set(used).size === used.length;
  };
  const isApart = terms.every((a) => isAxis(a) && !from.flatMap(axesOf).includes(a));
  return isMap(from) && isMap(to) && isApart ? null : "map";
}

/** Another shape or device matrix: maps keep what still has a place. */
export function resized(
  tryout: Tryout,
  shape: readonly number[],
  devMat: readonly number[],
): Tryout {
  const map = (m: TensorMap): TensorMap =>
    shape.map((_, i) => {
      const axes = axesOf(m[i] ?? NOT_CUT).filter((a) => a < devMat.length);
      return entryOf(axes);
    });
  const terms = tryout.terms.filter((a) => a < devMat.length);
  return { shape, devMat, from: map(tryout.from), to: map(tryout.to), terms };
}

/** Put a device axis on a tensor axis of one layout, or take it away; at first, it then holds no terms. */
export function switched(tryout: Tryout, end: "from" | "to", axis: number, device: number): Tryout {
  const next = tryout[end].map((entry, i) => {
    const axes = axesOf(entry);
    if (i === axis && !axes.includes(device)) axes.push(device);
    else if (axes.includes(device)) axes.splice(axes.indexOf(device), 1);
    return entryOf(axes);
  });
  const terms = end === "from" ? tryout.terms.filter((a) => a !== device) : tryout.terms;
  return { ...tryout, [end]: next, terms };
}

/** Make a device axis one over which the tensor is a sum of terms at first, or no longer. */
export function termed(tryout: Tryout, device: number): Tryout {
  if (tryout.terms.includes(device))
    return { ...tryout, terms: tryout.terms.filter((a) => a !== device) };
  const from = tryout.from.map((entry) => {
    const axes = axesOf(entry).filter((a) => a !== device);
    return entryOf(axes);
  });
  return { ...tryout, from, terms: [...tryout.terms, device] };
}

/** Before becomes after; terms do not come back. */
export function turned(tryout: Tryout): Tryout {
  return { ...tryout, from: tryout.to, to: tryout.from, terms: [] };
}
