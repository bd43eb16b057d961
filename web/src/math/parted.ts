/** Copies that should agree: which of them differ, and since when. */

import type { DisagreementItem } from "../api/types";

/**
 * The ranks whose copy is not what most ranks hold of its slice, with the first step at which it was so. Where no group
 * is larger than all others nobody can tell which is right: then all of them.
 */
export function partedRanks(found: readonly DisagreementItem[]): Map<number, number> {
  const parted = new Map<number, number>();
  for (const { ranks, step } of found) {
    const [first = [], second = []] = ranks; // the largest group first
    const odd = first.length > second.length ? ranks.slice(1) : ranks;
    for (const rank of odd.flat()) parted.set(rank, Math.min(step, parted.get(rank) ?? step));
  }
  return parted;
}
