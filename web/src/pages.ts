/** The pages, in the order of the navigation. A new page is one file in `pages/` and one line here. */

import type { Component } from "svelte";
import type { Session } from "./api/runs.svelte";
import type { IconName } from "./ui/icons";

export interface PageProps {
  readonly session: Session;
}

export interface Page {
  /** Its name in the address. */
  readonly id: string;
  readonly title: string;
  /** What the page answers. */
  readonly question: string;
  readonly icon: IconName;
  /** After `g`, goes to it. */
  readonly key: string;
  /** Loaded when it is first opened; none while it is not written. */
  readonly load?: () => Promise<{ default: Component<PageProps> }>;
  /** Stands in the navigation under another page. */
  readonly under?: string;
  /** Whether it can be shown without any run. */
  readonly needsNoRun?: boolean;
}

export const PAGES: readonly Page[] = [
  {
    id: "overview",
    title: "Overview",
    question: "Is this run healthy, and is its layout sensible?",
    icon: "overview",
    key: "o",
    load: () => import("./pages/Overview.svelte"),
  },
  {
    id: "devices",
    title: "Devices",
    question: "Where is each rank, and with whom does it share an axis?",
    icon: "devices",
    key: "d",
    load: () => import("./pages/Devices.svelte"),
  },
  {
    id: "tensors",
    title: "Tensors",
    question: "Which rank holds which piece of each parameter?",
    icon: "tensors",
    key: "t",
    load: () => import("./pages/Tensors.svelte"),
  },
  {
    id: "tensor",
    title: "Tensor",
    question: "Which rank holds which piece of this parameter?",
    icon: "tensors",
    key: "",
    under: "tensors",
    load: () => import("./pages/Tensor.svelte"),
  },
  {
    id: "graph",
    title: "Graph",
    question: "Where does the layout change, and what was inserted because of it?",
    icon: "graph",
    key: "r",
    load: () => import("./pages/Graph.svelte"),
  },
  {
    id: "communication",
    title: "Communication",
    question: "Who sends how much to whom, in which groups, and in which order?",
    icon: "communication",
    key: "c",
    load: () => import("./pages/Communication.svelte"),
  },
  {
    id: "redistribution",
    title: "Redistribution",
    question: "How does this tensor get from one layout to another?",
    icon: "redistribution",
    key: "s",
    needsNoRun: true,
    load: () => import("./pages/Redistribution.svelte"),
  },
  {
    id: "timeline",
    title: "Timeline",
    question: "When was each rank computing, sending or waiting, and for whom?",
    icon: "timeline",
    key: "i",
    load: () => import("./pages/Timeline.svelte"),
  },
  {
    id: "memory",
    title: "Memory",
    question: "What fills each rank, and which one runs out first?",
    icon: "memory",
    key: "m",
    load: () => import("./pages/Memory.svelte"),
  },
  {
    id: "plan",
    title: "Plan",
    question: "What would this strategy cost, and which of two is better?",
    icon: "plan",
    key: "p",
    needsNoRun: true,
    load: () => import("./pages/Plan.svelte"),
  },
  {
    id: "learn",
    title: "Learn",
    question: "How does it work?",
    icon: "learn",
    key: "l",
    load: () => import("./pages/Learn.svelte"),
    needsNoRun: true,
  },
];
