/** Who holds which slice: the arithmetic of `simpar/layout`, which writes the fixtures that this must reproduce. */

/** Marks a tensor axis that is not cut. */
export const NOT_CUT = -1;

export interface Layout {
  /** Ranks along each device axis, major first. */
  readonly dev_mat: readonly number[];
  /** For each tensor axis the device axis that cuts it, from the right; -1 for none; several, major first. */
  readonly tensor_map: readonly (number | readonly number[])[];
  /** The rank at each place of the device matrix; in order if null. */
  readonly rank_list?: readonly number[] | null;
  /** Device axes along which each rank holds only a term. */
  readonly partial?: readonly number[];
  readonly combine?: string;
  /** Of each tensor axis how long its slices are, where they are not equal; none if they are on every axis. */
  readonly lengths?: readonly (readonly number[])[];
}

export type Box = readonly (readonly [number, number])[];

export function product(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a * b, 1);
}

/** How many ranks stand along a device axis, which is counted from the right. */
export function axisSize(devMat: readonly number[], deviceAxis: number): number {
  return devMat[devMat.length - 1 - deviceAxis] ?? 1;
}

/** How many ranks the device matrix has. */
export function rankCount(layout: Pick<Layout, "dev_mat">): number {
  return product(layout.dev_mat);
}

/** Where a place of the device matrix stands, major axis first. */
export function coordinates(devMat: readonly number[], place: number): number[] {
  const found = Array.from({ length: devMat.length }, () => 0);
  for (let i = devMat.length - 1; i >= 0; i--) {
    const size = devMat[i] ?? 1;
    found[i] = place % size;
    place = Math.floor(place / size);
  }
  return found;
}

/** The place at these coordinates. */
export function placeAt(devMat: readonly number[], coords: readonly number[]): number {
  return devMat.reduce((place, size, i) => place * size + (coords[i] ?? 0), 0);
}

/** The place of a rank in the device matrix; -1 if it has none. */
export function placeOf(layout: Layout, rank: number): number {
  return layout.rank_list ? layout.rank_list.indexOf(rank) : rank;
}

/** The rank at a place. */
export function rankAt(layout: Layout, place: number): number {
  return layout.rank_list ? (layout.rank_list[place] ?? -1) : place;
}

/** The device axes that cut each tensor axis, major first; empty where it is not cut. */
export function cuttingAxes(layout: Layout): number[][] {
  return layout.tensor_map.map((entry) =>
    (typeof entry === "number" ? [entry] : [...entry]).filter((a) => a !== NOT_CUT),
  );
}

/** Into how many slices each tensor axis is cut. */
export function cuts(layout: Layout): number[] {
  return cuttingAxes(layout).map((axes) => product(axes.map((a) => axisSize(layout.dev_mat, a))));
}

/** How many different slices there are. */
export function sliceCount(layout: Layout): number {
  return product(cuts(layout));
}

/** How many terms a value is held in; 1 unless it is partial. */
export function termCount(layout: Layout): number {
  return product((layout.partial ?? []).map((a) => axisSize(layout.dev_mat, a)));
}

/** The device axes of size above one along which ranks hold the same, major first. */
export function repeatedAxes(layout: Layout): number[] {
  const used = new Set([...cuttingAxes(layout).flat(), ...(layout.partial ?? [])]);
  const all = layout.dev_mat.map((_, i) => layout.dev_mat.length - 1 - i);
  return all.filter((a) => !used.has(a) && axisSize(layout.dev_mat, a) > 1);
}

/** How many ranks hold the same slice. */
export function copyCount(layout: Layout): number {
  return product(repeatedAxes(layout).map((a) => axisSize(layout.dev_mat, a)));
}

/** Whether some ranks hold more than others. */
export function isUnequal(layout: Layout): boolean {
  return (layout.lengths ?? []).some((own) => own.length > 0);
}

/** The shape of the slice that each rank holds, of the largest if they are not equal; null if an axis does not divide. */
export function sliceShape(layout: Layout, shape: readonly number[]): number[] | null {
  const parts = cuts(layout);
  if (parts.length !== shape.length) return null;
  const found = shape.map((length, i) => {
    const own = layout.lengths?.[i] ?? [];
    return own.length > 0 ? Math.max(...own) : length / (parts[i] ?? 1);
  });
  return found.every(Number.isInteger) ? found : null;
}

/** Start and stop of one slice of a tensor axis of this length. */
export function interval(
  layout: Layout,
  axis: number,
  block: number,
  length: number,
): [number, number] {
  const own = layout.lengths?.[axis] ?? [];
  if (own.length > 0) {
    const start = own.slice(0, block).reduce((a, b) => a + b, 0);
    return [start, start + (own[block] ?? 0)];
  }
  const n = length / (cuts(layout)[axis] ?? 1);
  return [block * n, (block + 1) * n];
}

function digits(layout: Layout, coords: readonly number[], axes: readonly number[]): number {
  const last = layout.dev_mat.length - 1;
  return axes.reduce((n, a) => n * axisSize(layout.dev_mat, a) + (coords[last - a] ?? 0), 0);
}

/** Which slice of each tensor axis a rank holds, counted from 0. */
export function blocks(layout: Layout, rank: number): number[] {
  const coords = coordinates(layout.dev_mat, placeOf(layout, rank));
  return cuttingAxes(layout).map((axes) => digits(layout, coords, axes));
}

/** The row-major number of a rank's slice among all slices. */
export function sliceIndex(layout: Layout, rank: number): number {
  const parts = cuts(layout);
  return blocks(layout, rank).reduce((n, block, i) => n * (parts[i] ?? 1) + block, 0);
}

/** The slice number of every rank, in the order of places: one pass, for thousands of ranks. */
export function sliceIndices(layout: Layout): Int32Array {
  const size = rankCount(layout);
  const found = new Int32Array(size);
  const { dev_mat: devMat } = layout;
  let weight = 1;
  const axes = cuttingAxes(layout);
  for (let i = axes.length - 1; i >= 0; i--) {
    for (const a of [...(axes[i] ?? [])].reverse()) {
      const n = axisSize(devMat, a);
      const stride = product(devMat.slice(devMat.length - a));
      for (let place = 0; place < size; place++) {
        found[place] = (found[place] ?? 0) + (Math.floor(place / stride) % n) * weight;
      }
      weight *= n;
    }
  }
  return found;
}

/** Which copy of its slice a rank holds, counted from 0. */
export function copyNumber(layout: Layout, rank: number): number {
  const coords = coordinates(layout.dev_mat, placeOf(layout, rank));
  return digits(layout, coords, repeatedAxes(layout));
}

/** Which term of its value a rank holds, counted from 0. */
export function termNumber(layout: Layout, rank: number): number {
  const coords = coordinates(layout.dev_mat, placeOf(layout, rank));
  return digits(layout, coords, layout.partial ?? []);
}

/** Start and stop of a rank's slice along each tensor axis. */
export function box(layout: Layout, shape: readonly number[], rank: number): Box | null {
  if (!sliceShape(layout, shape)) return null;
  return blocks(layout, rank).map((b, i) => interval(layout, i, b, shape[i] ?? 0));
}

/** The ranks that differ from one only along some device axes, the first of these slowest. */
export function group(layout: Layout, rank: number, deviceAxes: readonly number[]): number[] {
  const { dev_mat: devMat } = layout;
  let found = [coordinates(devMat, placeOf(layout, rank))];
  for (const a of deviceAxes) {
    const at = devMat.length - 1 - a;
    found = found.flatMap((coords) =>
      Array.from({ length: devMat[at] ?? 1 }, (_, i) => coords.with(at, i)),
    );
  }
  return found.map((coords) => rankAt(layout, placeAt(devMat, coords)));
}

/** The ranks that hold the same slice, itself included. */
export function replicas(layout: Layout, rank: number): number[] {
  return group(layout, rank, repeatedAxes(layout));
}

/** The ranks that hold each slice, in slice order; with every copy and every term. */
export function holders(layout: Layout): number[][] {
  const found: number[][] = Array.from({ length: sliceCount(layout) }, () => []);
  sliceIndices(layout).forEach((slice, place) => found[slice]?.push(rankAt(layout, place)));
  return found;
}
