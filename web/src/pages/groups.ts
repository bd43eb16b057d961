/** Groups of ranks in words, and as columns of a table: alike on every page that lists them. */

import type { GroupItem } from "../api/types";
import { bytes, count, ranksText } from "../math/words";
import type { Column } from "../ui/table";

/** A group's name in addresses. */
export function groupName({ ranks }: GroupItem): string {
  return ranks.length > 6
    ? `${ranks.slice(0, 3).join("-")}..${ranks.at(-1)}.${ranks.length}`
    : ranks.join("-");
}

function kindsText(group: GroupItem): string {
  return Object.entries(group.kinds)
    .map(([kind, n]) => `${n} ${kind}`)
    .join(", ");
}

/** Ranks in few words, also those that stand evenly apart. */
function ranksWords({ ranks }: GroupItem): string {
  const step = (ranks[1] ?? 0) - (ranks[0] ?? 0);
  const isEven =
    ranks.length > 6 && step > 1 && ranks.every((r, i) => r === (ranks[0] ?? 0) + i * step);
  return isEven ? `${ranks[0]}, ${ranks[1]}, … ${ranks.at(-1)}` : ranksText(ranks, 8);
}

export const GROUP_COLUMNS: readonly Column<GroupItem>[] = [
  {
    id: "ranks",
    title: "ranks",
    value: (g) => g.ranks.join(" "),
    text: ranksWords,
    full: (g) => ranksText(g.ranks, 64),
    width: "minmax(110px, 1fr)",
  },
  { id: "size", title: "size", value: (g) => g.ranks.length, align: "end", width: "56px" },
  {
    id: "axes",
    title: "along",
    value: (g) => g.device_axes?.join(" "),
    text: (g) => (g.device_axes?.length ? `axis ${g.device_axes.join(", ")}` : "no axis"),
    width: "76px",
  },
  {
    id: "kinds",
    title: "in a step",
    value: kindsText,
    full: kindsText,
    width: "minmax(150px, 1.6fr)",
  },
  {
    id: "sent",
    title: "a rank sends",
    value: (g) => g.sent_bytes,
    text: (g) => bytes(g.sent_bytes),
    full: (g) => `${count(g.sent_bytes)} bytes`,
    align: "end",
    width: "100px",
  },
];
