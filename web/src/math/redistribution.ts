/** What a rank sends in one step of a redistribution: the counts of `simpar/layout/redistribution_steps.py`. */

import { product, sliceShape } from "./layout";
import type { Layout } from "./layout";

/** Bytes that a rank sends; null for an exchange, whose count depends on what the others lack. */
export function sentBytes(
  kind: string,
  before: Layout,
  after: Layout,
  groupSize: number,
  shape: readonly number[],
  itemSize: number,
): number | null {
  const has = product(sliceShape(before, shape) ?? []) * itemSize;
  const gets = product(sliceShape(after, shape) ?? []) * itemSize;
  const others = groupSize - 1;
  switch (kind) {
    case "slice":
      return 0;
    case "all_gather":
      return others * has;
    case "reduce_scatter":
      return others * gets;
    case "all_reduce":
      return Math.ceil((2 * others * has) / groupSize);
    case "all_to_all":
      return Math.floor((others * has) / groupSize);
    case "permute":
      return has;
    default:
      return null;
  }
}
