/** Strategies that are only thought of: parameters of one kind, how each kind is cut, and the words for it. */

import type { OperatorItem, SideAsked } from "../api/types";
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
  /** Operands' tensor maps of operators, by the operator's id; null for the default. */
  readonly operators?: Readonly<Record<string, readonly TensorMap[] | null>>;
  /** Names of the device axes, major first, where they are not the usual ones. */
  readonly names?: readonly string[];
  /** Whether the parallel optimizer stores parameters cut; as recorded if not said. */
  readonly shards?: boolean;
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

/** Forget the strategies of operators that use these parameters: they are cut as the parameter is from now on. */
export function freed(
  side: Side,
  names: readonly string[],
  operators: readonly OperatorItem[],
): Side {
  if (!side.operators) return side;
  const users = new Set(
    operators.filter((o) => o.parameters.some((p) => names.includes(p))).map((o) => String(o.id)),
  );
  const left = Object.entries(side.operators).filter(([id]) => !users.has(id));
  return { ...side, operators: Object.fromEntries(left) };
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

export function namesOf(side: Side): readonly string[] {
  return side.names?.length === side.devMat.length ? side.names : axisNames(side.devMat.length);
}

export function nameOfAxis(side: Side, deviceAxis: number): string {
  return namesOf(side)[side.devMat.length - 1 - deviceAxis] ?? String(deviceAxis);
}

/** What a side changes against what was recorded, as the server takes it. */
export function askedSide(side: Side, kinds: readonly Kind[]): SideAsked {
  const maps: Record<string, TensorMap> = {};
  for (const kind of kinds) {
    if (side.maps[kind.id]) for (const name of kind.names) maps[name] = mapOf(side, kind);
  }
  return {
    dev_mat: [...side.devMat],
    maps: maps as NonNullable<SideAsked["maps"]>,
    strategies: (side.operators ?? {}) as NonNullable<SideAsked["strategies"]>,
    has_optimizer_shards: side.shards ?? null,
  };
}

/** Whether a side is anything else than what was recorded. */
export function isChanged(side: Side, recorded: Side, kinds: readonly Kind[]): boolean {
  return (
    side.devMat.join() !== recorded.devMat.join() ||
    side.shards !== undefined ||
    Object.keys(side.operators ?? {}).length > 0 ||
    kinds.some((k) => JSON.stringify(mapOf(side, k)) !== JSON.stringify(mapOf(recorded, k)))
  );
}

// --- the address: 2x4;blocks.*.w1=-,0;head.weight=1.0,-;@12=1,-/-,0;@names=dp.mp;@shards=1 ---

export function encodeSide(side: Side): string {
  const map = (of: TensorMap) => of.map((e) => axesOf(e).join(".") || "-").join(",");
  const maps = Object.entries(side.maps).map(
    ([id, of]) => `${encodeURIComponent(id).replaceAll(";", "%3B")}=${map(of)}`,
  );
  const operators = Object.entries(side.operators ?? {}).map(
    ([id, of]) => `@${id}=${of === null ? "" : of.map(map).join("/")}`,
  );
  const names = side.names ? [`@names=${side.names.map(encodeURIComponent).join(",")}`] : [];
  const shards = side.shards === undefined ? [] : [`@shards=${side.shards ? 1 : 0}`];
  return [side.devMat.join("x"), ...maps, ...operators, ...names, ...shards].join(";");
}

export function decodeSide(text: string | null | undefined): Side | null {
  const [matrix = "", ...rest] = (text ?? "").split(";");
  if (!/^\d{1,7}(x\d{1,7}){0,7}$/.test(matrix)) return null;
  const devMat = matrix.split("x").map(Number);
  if (devMat.some((n) => n < 1) || product(devMat) > 1 << 20) return null;
  const side: { devMat: number[]; maps: Record<string, TensorMap> } & Omit<
    Side,
    "devMat" | "maps"
  > = { devMat, maps: {} };
  const operators: Record<string, readonly TensorMap[] | null> = {};
  for (const part of rest) {
    const [id = "", words = ""] = part.split("=", 2);
    if (id === "@names") {
      const names = words.split(",").map(readName);
      if (isNaming(names, devMat)) Object.assign(side, { names });
    } else if (id === "@shards") Object.assign(side, { shards: words === "1" });
    else if (/^@\d{1,9}$/.test(id)) {
      const maps = words === "" ? null : words.split("/").map(readMap);
      if (maps === null || maps.every((m) => m !== null)) operators[id.slice(1)] = maps;
    } else if (part.includes("=")) {
      const map = readMap(words);
      if (map) side.maps[readName(id)] = map;
    }
  }
  return Object.keys(operators).length > 0 ? { ...side, operators } : side;
}

function readMap(words: string): TensorMap | null {
  if (!/^[\d.,-]*$/.test(words)) return null;
  if (words === "") return [];
  const entries = words.split(",").map((e) => (e === "-" ? [] : e.split(".").map(Number)));
  if (entries.some((axes) => axes.some((a) => !Number.isInteger(a) || a > 7))) return null;
  return entries.map(entryOf);
}

function readName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Whether these can name the axes of a device matrix. */
export function isNaming(names: readonly string[], devMat: readonly number[]): boolean {
  const good = names.filter((n) => /^[A-Za-z_]\w{0,15}$/.test(n) && n !== "None");
  return good.length === devMat.length && new Set(good).size === devMat.length;
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
