/** A tensor's way from one layout to another: recorded in a run, or only asked about. */

import type { Chain, CollectiveItem, RedistributionAnswer } from "../api/types";
import { product, sliceShape } from "./layout";
import type { Layout } from "./layout";
import type { Move } from "./transfers";
import { itemSize } from "./words";

export interface PassageStep extends Move {
  readonly words: string;
  readonly group_size: number;
  readonly slice_shape_before: readonly number[];
  readonly slice_shape_after: readonly number[];
  /** What a rank sends, foreseen. */
  readonly sent_bytes: number;
  /** What its collective carries, by the layouts of all values in it; null for a slice. */
  readonly foreseen: number | null;
  /** What it carried; null if nothing was recorded. */
  readonly recorded: number | null;
  readonly mean_s: number | null;
  /** How many values travel in one message. */
  readonly members: number;
  readonly isCollective: boolean;
}

export interface Passage {
  /** Another for another way. */
  readonly id: string;
  readonly title: string;
  readonly explain: string;
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly source: Layout;
  readonly target: Layout;
  readonly steps: readonly PassageStep[];
  readonly sent_bytes: number;
  readonly isRecorded: boolean;
}

/** What a redistribution is of, without the file's line and the layouts: `Operand of norm in blocks.0`. */
export function titleOf(chain: Chain): string {
  const [first, ...others] = chain.parameters;
  if (first !== undefined) {
    if (others.length === 0) return first;
    return `${chain.value}, one of ${chain.parameters.length} gradients`;
  }
  const words = chain.why
    .replace(/: .*$/, "")
    .replace(/ is partial.*$/, "")
    .replace(/ \([^()]*:\d+\)/, "");
  return words ? `${words[0]?.toUpperCase()}${words.slice(1)}` : chain.value;
}

/** The same in a list that tells the cause beside it: `norm in blocks.0`. */
export function shortTitleOf(chain: Chain): string {
  return titleOf(chain).replace(/^(Operand|Result) of /, "");
}

/** What is recorded of a redistribution, beside what its layouts foretell. */
export function recordedPassage(
  chain: Chain,
  chains: readonly Chain[],
  collectives: readonly CollectiveItem[],
  explain: string,
): Passage {
  const steps = chain.steps.map((step): PassageStep => {
    const isCollective = step.collective !== null;
    const members = chains.flatMap((c) =>
      c.steps
        .filter((s) => isCollective && s.collective === step.collective)
        .map((s) => product(s.slice_shape_before) * itemSize(c.dtype)),
    );
    return {
      ...step,
      isCollective,
      foreseen: isCollective ? members.reduce((a, b) => a + b, 0) : null,
      recorded: collectives.find((c) => c.index === step.collective)?.message_bytes ?? null,
      members: members.length,
    };
  });
  const { shape, dtype, source, target, sent_bytes } = chain;
  const title = titleOf(chain);
  return {
    id: String(chain.id),
    title,
    explain,
    shape,
    dtype,
    source,
    target,
    steps,
    sent_bytes,
    isRecorded: true,
  };
}

/** The way that the server found between two layouts. */
export function plannedPassage(
  answer: RedistributionAnswer,
  shape: readonly number[],
  dtype: string,
  explain: string,
): Passage {
  const steps = answer.steps.map((step): PassageStep => {
    const isCollective = step.kind !== "slice";
    const has = sliceShape(step.before, shape) ?? [];
    return {
      ...step,
      slice_shape_before: has,
      slice_shape_after: step.slice_shape,
      isCollective,
      foreseen: isCollective ? product(has) * answer.itemsize : null,
      recorded: null,
      mean_s: null,
      members: 1,
    };
  });
  const { source, target, sent_bytes } = answer;
  return {
    id: JSON.stringify([source, target, shape]),
    title: "From one layout to another",
    explain,
    shape,
    dtype,
    source,
    target,
    steps,
    sent_bytes,
    isRecorded: false,
  };
}
