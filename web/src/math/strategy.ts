/** Strategies that are only thought of: parameters of one kind, how each kind is cut, and the words for it. */

import type { Layout } from "./layout";
import { NOT_CUT, axisSize, product } from "./layout";

export type TensorMap = readonly (number | readonly number[])[];

export interface Known {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly map: TensorMap;
}

/** Parameters that differ only by numbers in their names: cut alike, edited together. */
export interface Kind {
  /** Their name with a star for each number that differs, e.g. `blocks.*.w1`. */
  readonly id: string;
  readonly names: readonly string[];
  readonly shape: readonly number[];
  readonly dtype: string;
  /** As recorded. */
  readonly map: TensorMap;
}

/** One of two strategies: a device matrix, and the kinds that are cut otherwise than recorded. */
export interface Side {
  readonly devMat: readonly number[];
  readonly maps: Readonly<Record<string, TensorMap>>;
}

/** Gather parameters of one kind: names alike but for numbers, the same shape, type and layout. */
export function kindsOf(known: readonly Known[]): Kind[] {
  const found = new Map<string, { names: string[]; one: Known }>();
  for (const one of known) {
    const star = one.name.replace(/(^|\.)\d+(?=\.|$)/g, "$1*");
    const key = JSON.stringify([star, one.shape, one.dtype, one.map]);
    const kind = found.get(key);
    if (kind) kind.names.push(one.name);
    else found.set(key, { names: [one.name], one });
  }
  const taken = new Set<string>();
  return [...found.values()].map(({ names, one }) => {
    const star = one.name.replace(/(^|\.)\d+(?=\.|$)/g, "$1*");
    const id = names.length > 1 && !taken.has(star) ? star : one.name;
    taken.add(id);
    return { id, names, shape: one.shape, dtype: one.dtype, map: one.map };
  });
}

/** How a side cuts a kind; device axes that its device matrix lacks cut nothing. */
export function mapOf(side: Side, kind: Kind): TensorMap {
  const map = side.maps[kind.id] ?? kind.map;
  return kind.shape.map((_, i) => {
    const axes = axesOf(map[i] ?? NOT_CUT).filter((a) => a < side.devMat.length);
    return entryOf(axes);
  });
}

export function axesOf(entry: number | readonly number[]): number[] {
  return (typeof entry === "number" ? [entry] : [...entry]).filter((a) => a !== NOT_CUT);
}

/** The entry of a tensor map for the device axes that cut one tensor axis. */
export function entryOf(axes: readonly number[]): number | readonly number[] {
  return axes.length > 1 ? axes : (axes[0] ?? NOT_CUT);
}

export function layoutOf(side: Side, kind: Kind): Layout {
  return { dev_mat: side.devMat, tensor_map: mapOf(side, kind) };
}

/** Put a device axis on a tensor axis, or take it away if it is there; it leaves the axis that it cut before. */
export function toggled(side: Side, kind: Kind, axis: number, deviceAxis: number): Side {
  const next = mapOf(side, kind).map((entry, i) => {
    const axes = axesOf(entry);
    if (i === axis && !axes.includes(deviceAxis)) axes.push(deviceAxis);
    else if (axes.includes(deviceAxis)) axes.splice(axes.indexOf(deviceAxis), 1);
    return entryOf(axes);
  });
  return { ...side, maps: { ...side.maps, [kind.id]: next } };
}

/** Why a side cannot cut a kind so, and what to do; null if it can. */
export function problemOf(side: Side, kind: Kind): string | null {
  return unequal(side.devMat, mapOf(side, kind), kind.shape);
}

/** Which axis a tensor map cannot cut into equal slices, and what to do; null if there is none. */
export function unequal(
  devMat: readonly number[],
  map: TensorMap,
  shape: readonly number[],
): string | null {
  for (const [i, entry] of map.entries()) {
    const parts = product(axesOf(entry).map((a) => axisSize(devMat, a)));
    const length = shape[i] ?? 1;
    if (length % parts !== 0) {
      const padded = Math.ceil(length / parts) * parts;
      return `axis ${i} of length ${length} cannot be cut into ${parts} equal slices: pad it to ${padded}, or cut it less`;
    }
  }
  return null;
}

/** Every kind cut along its first axis that divides by the ranks that would repeat it: the parallel optimizer. */
export function withoutCopies(side: Side, kinds: readonly Kind[]): Side {
  const maps: Record<string, TensorMap> = {};
  for (const kind of kinds) {
    const map = mapOf(side, kind);
    const used = new Set(map.flatMap(axesOf));
    const free = side.devMat
      .map((_, i) => side.devMat.length - 1 - i)
      .filter((a) => !used.has(a) && axisSize(side.devMat, a) > 1);
    const added = {
      ...side,
      maps: { [kind.id]: map.map((e, i) => (i === 0 ? [...free, ...axesOf(e)] : e)) },
    };
    const fits = kind.shape.length > 0 && problemOf(added, kind) === null;
    maps[kind.id] = fits ? mapOf(added, kind) : map;
  }
  return { ...side, maps };
}

/** Nothing cut: every rank keeps all. */
export function wholeEverywhere(side: Side, kinds: readonly Kind[]): Side {
  return {
    ...side,
    maps: Object.fromEntries(kinds.map((k) => [k.id, k.shape.map(() => NOT_CUT)])),
  };
}

/** Names of device axes, major first, as scenarios give them. */
export function axisNames(count: number): string[] {
  const known: Record<number, string[]> = { 1: ["dp"], 2: ["dp", "mp"], 3: ["dp", "sp", "mp"] };
  return known[count] ?? Array.from({ length: count }, (_, i) => `d${count - 1 - i}`);
}

export function nameOfAxis(devMat: readonly number[], deviceAxis: number): string {
  return axisNames(devMat.length)[devMat.length - 1 - deviceAxis] ?? String(deviceAxis);
}

// --- the address: 2x4;blocks.*.w1=-,0;head.weight=1.0,- ---

export function encodeSide(side: Side): string {
  const maps = Object.entries(side.maps).map(([id, map]) => {
    const entries = map.map((e) => axesOf(e).join(".") || "-").join(",");
    return `${encodeURIComponent(id).replaceAll(";", "%3B")}=${entries}`;
  });
  return [side.devMat.join("x"), ...maps].join(";");
}

export function decodeSide(text: string | null | undefined): Side | null {
  const [matrix = "", ...rest] = (text ?? "").split(";");
  if (!/^\d{1,7}(x\d{1,7}){0,7}$/.test(matrix)) return null;
  const devMat = matrix.split("x").map(Number);
  if (devMat.some((n) => n < 1) || product(devMat) > 1 << 20) return null;
  const maps: Record<string, TensorMap> = {};
  for (const part of rest) {
    const found = /^([^=]+)=([\d.,-]*)$/.exec(part);
    if (!found) continue;
    const entries = (found[2] ?? "")
      .split(",")
      .map((e) => (e === "-" ? [] : e.split(".").map(Number)));
    if (entries.some((axes) => axes.some((a) => !Number.isInteger(a) || a > 7))) continue;
    maps[readName(found[1] ?? "")] = entries.map((axes) =>
      axes.length === 1 ? (axes[0] ?? NOT_CUT) : axes.length === 0 ? NOT_CUT : axes,
    );
  }
  return { devMat, maps };
}

function readName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The strategy as Python: a layout for each parameter. */
export function asPython(side: Side, kinds: readonly Kind[]): string {
  const names = axisNames(side.devMat.length);
  const tuple = (items: readonly string[]) =>
    items.length === 1 ? `(${items[0]},)` : `(${items.join(", ")})`;
  const entry = (e: number | readonly number[]) => {
    const axes = axesOf(e).map((a) => `"${nameOfAxis(side.devMat, a)}"`);
    return axes.length === 0 ? '"None"' : axes.length === 1 ? (axes[0] ?? "") : tuple(axes);
  };
  const lines = kinds.flatMap((kind) => {
    const made = `layout(${mapOf(side, kind).map(entry).join(", ")})`;
    return kind.names.map((name) => `    ${JSON.stringify(name)}: ${made},`);
  });
  return [
    "from simpar.parallel import Layout",
    "",
    `layout = Layout(${tuple(side.devMat.map(String))}, ${tuple(names.map((n) => `"${n}"`))})`,
    "",
    "# How each parameter is cut. Give a layout to the op that uses the parameter, with one for its other operand:",
    `# ops.MatMul().shard((layout("${names[0]}", "None"), strategy["w"]))`,
    "strategy = {",
    ...lines,
    "}",
    "",
  ].join("\n");
}

/** A network to think about where no run is at hand: a language model of 24 layers. */
export function exampleNetwork(): Known[] {
  const known = (name: string, shape: number[], map: number[]): Known => ({
    name,
    shape,
    dtype: "float32",
    map,
  });
  const layers = Array.from({ length: 24 }, (_, i) => i).flatMap((i) => [
    known(`blocks.${i}.norm.gamma`, [4096], [-1]),
    known(`blocks.${i}.attention.qkv`, [4096, 12288], [-1, 0]),
    known(`blocks.${i}.attention.out`, [4096, 4096], [0, -1]),
    known(`blocks.${i}.first`, [4096, 16384], [-1, 0]),
    known(`blocks.${i}.second`, [16384, 4096], [0, -1]),
  ]);
  return [
    known("embedding_table", [51200, 4096], [0, -1]),
    ...layers,
    known("head.weight", [51200, 4096], [0, -1]),
  ];
}
