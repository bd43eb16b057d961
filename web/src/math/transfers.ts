/** What each rank sends and keeps in one step of a redistribution, and whether nothing is lost on the way. */

import { axisSize, box, group, placeOf, product, rankAt, rankCount, termNumber } from "./layout";
import type { Box, Layout } from "./layout";

export interface Move {
  readonly kind: string;
  readonly before: Layout;
  readonly after: Layout;
  readonly device_axes: readonly number[];
}

export interface Piece {
  readonly sender: number;
  readonly receiver: number;
  readonly box: Box;
  /** A term that is added to others, not a part that is put beside others. */
  readonly isTerm: boolean;
}

/** What both boxes have; null if nothing. */
export function common(a: Box, b: Box): Box | null {
  const found = a.map(([start, stop], i) => {
    const [from, to] = b[i] ?? [0, 0];
    return [Math.max(start, from), Math.min(stop, to)] as const;
  });
  return found.every(([start, stop]) => start < stop) ? found : null;
}

export function volume(of: Box | null): number {
  return of ? product(of.map(([start, stop]) => stop - start)) : 0;
}

function isReduction(step: Move): boolean {
  return step.kind === "all_reduce" || step.kind === "reduce_scatter";
}

/** The ranks that take part in a step with one rank, itself among them. */
export function peers(step: Move, rank: number): number[] {
  if (step.kind === "slice" || placeOf(step.before, rank) < 0) return [rank];
  if (step.device_axes.length > 0) return group(step.before, rank, step.device_axes);
  const all = Array.from({ length: rankCount(step.before) }, (_, i) => rankAt(step.before, i));
  return [rank, ...all.filter((r) => r !== rank)];
}

/** What arrives at a rank in a step. */
export function arriving(step: Move, shape: readonly number[], rank: number): Piece[] {
  const wanted = box(step.after, shape, rank);
  const own = box(step.before, shape, rank);
  if (!wanted || !own) return [];
  const found: Piece[] = [];
  const seen = new Set([key(own)]);
  for (const sender of peers(step, rank)) {
    if (sender === rank) continue;
    const held = box(step.before, shape, sender);
    if (!held) continue;
    if (isReduction(step)) {
      const term = common(held, wanted);
      if (term) found.push({ sender, receiver: rank, box: term, isTerm: true });
      continue;
    }
    if (seen.has(key(held))) continue; // a copy of what another sends, or of what is here
    seen.add(key(held));
    const part = common(held, wanted);
    if (part) found.push({ sender, receiver: rank, box: part, isTerm: false });
  }
  return found;
}

function key(of: Box): string {
  return of.map(([start]) => start).join();
}

export interface Proof {
  readonly isWhole: boolean;
  /** How many ranks were looked at. */
  readonly ranks: number;
  /** The first rank that lacks something or has it twice; null if none. */
  readonly fault: number | null;
}

/** Replay a step with every element: each rank must get each element, or each term, of its slice exactly once. */
export function prove(step: Move, shape: readonly number[], ranks: readonly number[]): Proof {
  const fault = ranks.find((rank) => !isComplete(step, shape, rank)) ?? null;
  return { isWhole: fault === null, ranks: ranks.length, fault };
}

function isComplete(step: Move, shape: readonly number[], rank: number): boolean {
  const wanted = box(step.after, shape, rank);
  const own = box(step.before, shape, rank);
  if (!wanted || !own) return false;
  const pieces = arriving(step, shape, rank);
  if (isReduction(step)) {
    const left = new Set(step.after.partial ?? []);
    const joined = (step.before.partial ?? []).filter((a) => !left.has(a));
    const terms = product(joined.map((a) => axisSize(step.before.dev_mat, a)));
    const distinct = new Set(
      [rank, ...pieces.map((p) => p.sender)].map((r) => termNumber(step.before, r)),
    );
    const whole = volume(wanted);
    return (
      distinct.size === terms &&
      pieces.length === terms - 1 &&
      pieces.every((p) => volume(p.box) === whole)
    );
  }
  const boxes = [common(own, wanted), ...pieces.map((p) => p.box)].filter((b) => b !== null);
  const isApart = boxes.every((a, i) => boxes.every((b, j) => j <= i || common(a, b) === null));
  return isApart && boxes.reduce((n, b) => n + volume(b), 0) === volume(wanted);
}

/** The ranks worth drawing: all if they are few, else one rank and its groups. */
export function drawnRanks(steps: readonly Move[], rank: number, most = 64): number[] {
  const first = steps[0];
  if (!first) return [];
  const total = rankCount(first.before);
  if (total <= most) return Array.from({ length: total }, (_, i) => rankAt(first.before, i));
  const found = new Set([rank]);
  for (const step of steps) {
    for (const peer of peers(step, rank)) if (found.size < most) found.add(peer);
  }
  return [...found].toSorted((a, b) => a - b);
}
