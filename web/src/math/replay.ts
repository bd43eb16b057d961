/** A redistribution replayed with numbers: what each rank ends up holding, compared with the tensor it began as. */

import { box, cuts, isUnequal, product, rankAt, rankCount, termCount, termNumber } from "./layout";
import type { Box, Layout } from "./layout";
import { arriving, common } from "./transfers";
import type { Move } from "./transfers";

export interface Replay {
  /** Numbers compared at the end, over all ranks. */
  readonly compared: number;
  /** Numbers that came from another rank, over all steps. */
  readonly moved: number;
  /** How many of those compared are wrong. */
  readonly wrong: number;
}

const MOST_NUMBERS = 1 << 21;

type Held = Map<number, Float64Array>;

/** The smallest parts that any layout of the steps knows, along each tensor axis: each becomes one number. */
function partsOf(layouts: readonly Layout[], shape: readonly number[]): number[] {
  const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
  return shape.map((_, i) =>
    layouts.map((l) => cuts(l)[i] ?? 1).reduce((a, b) => (a * b) / gcd(a, b), 1),
  );
}

/**
 * Number the parts of a tensor, hand them to the ranks as the first layout says, and do the steps.
 *
 * Ranks that hold terms begin with a number each that differs by rank; what they are joined to is known. Null if the
 * result is still in terms, if slices are not equal, or if there would be more numbers than a page should hold.
 */
export function replay(steps: readonly Move[], shape: readonly number[]): Replay | null {
  const [first, last] = [steps[0]?.before, steps.at(-1)?.after];
  if (!first || !last || termCount(last) > 1) return null;
  if (steps.some((s) => isUnequal(s.before) || isUnequal(s.after))) return null;
  const parts = partsOf(
    steps.flatMap((s) => [s.before, s.after]),
    shape,
  );
  const size = product(parts);
  if (size * rankCount(first) > MOST_NUMBERS) return null;
  let held = dealt(first, parts);
  let moved = 0;
  for (const step of steps) {
    const [next, came] = stepped(step, parts, held);
    held = next;
    moved += came;
  }
  return { moved, ...comparedWith(held, last, parts, joinedWeight(first)) };
}

function dealt(layout: Layout, parts: readonly number[]): Held {
  const held: Held = new Map();
  for (let place = 0; place < rankCount(layout); place++) {
    const rank = rankAt(layout, place);
    const own = new Float64Array(product(parts)).fill(NaN);
    each(
      box(layout, parts, rank),
      parts,
      (i) => (own[i] = (i + 1) * (termNumber(layout, rank) + 1)),
    );
    held.set(rank, own);
  }
  return held;
}

/** What all terms of a number make, as a multiple of it. */
function joinedWeight(layout: Layout): number {
  const terms = termCount(layout);
  if (layout.combine === "max") return terms;
  return layout.combine === "min" ? 1 : (terms * (terms + 1)) / 2;
}

function join(combine: string | undefined, a: number, b: number): number {
  if (combine === "max") return Math.max(a, b);
  return combine === "min" ? Math.min(a, b) : a + b;
}

function stepped(step: Move, parts: readonly number[], held: Held): [Held, number] {
  const next: Held = new Map();
  let moved = 0;
  for (let place = 0; place < rankCount(step.after); place++) {
    const rank = rankAt(step.after, place);
    const [had, wanted] = [held.get(rank), box(step.after, parts, rank)];
    const before = box(step.before, parts, rank);
    const own = new Float64Array(product(parts)).fill(NaN);
    if (had && wanted && before)
      each(common(before, wanted), parts, (i) => (own[i] = had[i] ?? NaN));
    for (const piece of arriving(step, parts, rank)) {
      const sent = held.get(piece.sender);
      each(piece.box, parts, (i) => {
        const given = sent?.[i] ?? NaN;
        own[i] = piece.isTerm ? join(step.before.combine, own[i] ?? NaN, given) : given;
        moved += 1;
      });
    }
    next.set(rank, own);
  }
  return [next, moved];
}

function comparedWith(
  held: Held,
  layout: Layout,
  parts: readonly number[],
  weight: number,
): { compared: number; wrong: number } {
  let [compared, wrong] = [0, 0];
  for (const [rank, own] of held) {
    each(box(layout, parts, rank), parts, (i) => {
      compared += 1;
      if (own[i] !== (i + 1) * weight) wrong += 1;
    });
  }
  return { compared, wrong };
}

/** Visit the places of a box in a tensor laid out row by row. */
function each(of: Box | null, shape: readonly number[], visit: (at: number) => void): void {
  if (!of) return;
  const walk = (axis: number, at: number): void => {
    const range = of[axis];
    if (!range) {
      visit(at);
      return;
    }
    for (let i = range[0]; i < range[1]; i++) walk(axis + 1, at * (shape[axis] ?? 1) + i);
  };
  walk(0, 0);
}
