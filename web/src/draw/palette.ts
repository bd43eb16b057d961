/** Colours of drawings. Those that the page shares are the custom properties of `styles/tokens.css`; a test compares them. */

import { interpolateViridis } from "d3-scale-chromatic";

export interface Palette {
  readonly isDark: boolean;
  readonly paper: string;
  readonly surface: string;
  readonly sunken: string;
  readonly ink: string;
  readonly quiet: string;
  readonly line: string;
  readonly edge: string;
  readonly accent: string;
  readonly accentSoft: string;
  readonly selected: string;
  readonly good: string;
  readonly bad: string;
  readonly warn: string;
}

export const LIGHT: Palette = {
  isDark: false,
  paper: "#f5f7f9",
  surface: "#ffffff",
  sunken: "#eef1f4",
  ink: "#17212b",
  quiet: "#5a6876",
  line: "#e1e6eb",
  edge: "#b9c4ce",
  accent: "#1d5fae",
  accentSoft: "#e4eefa",
  selected: "#c2410c",
  good: "#17734c",
  bad: "#b42318",
  warn: "#95590a",
};

export const DARK: Palette = {
  isDark: true,
  paper: "#0f1419",
  surface: "#161c23",
  sunken: "#1d252e",
  ink: "#e7ecf1",
  quiet: "#9ba9b6",
  line: "#27313b",
  edge: "#465361",
  accent: "#7fb4f5",
  accentSoft: "#1a2c42",
  selected: "#fb923c",
  good: "#5cc495",
  bad: "#ff8a80",
  warn: "#e9b35c",
};

/** A kind of movement: its colour (Okabe and Ito's) and the sign that says the same without colour. */
export interface Kind {
  readonly words: string;
  readonly color: string;
  readonly sign: string;
}

const KINDS: Record<string, Kind> = {
  all_reduce: { words: "all_reduce", color: "#D55E00", sign: "Σ" },
  reduce_scatter: { words: "reduce_scatter", color: "#E69F00", sign: "Σ/" },
  all_gather: { words: "all_gather", color: "#0072B2", sign: "⧉" },
  all_to_all: { words: "all_to_all", color: "#009E73", sign: "⇄" },
  exchange: { words: "exchange", color: "#009E73", sign: "⇄" },
  permute: { words: "permute", color: "#CC79A7", sign: "→" },
  halo_exchange: { words: "halo_exchange", color: "#CC79A7", sign: "↔" },
  halo_reduce: { words: "halo_reduce", color: "#CC79A7", sign: "Σ↔" },
  neighbor_exchange: { words: "neighbor_exchange", color: "#CC79A7", sign: "↔" },
  broadcast: { words: "broadcast", color: "#CC79A7", sign: "→" },
  send: { words: "send", color: "#CC79A7", sign: "→" },
  receive: { words: "receive", color: "#CC79A7", sign: "→" },
  slice: { words: "slice", color: "#56B4E9", sign: "✂" },
};

/** The colour and sign of a collective or of a step; grey for what computes. */
export function kindOf(name: string): Kind {
  return KINDS[name] ?? { words: name, color: "#7f8b97", sign: "" };
}

/** The colour of a slice by its number: lightness rises with it. A help to the eye; position and glyph tell the slice. */
export function ramp(palette: Palette, index: number, countOf: number): string {
  return made(palette).strong(index, countOf);
}

/** The same, quiet enough to be written on. */
export function softRamp(palette: Palette, index: number, countOf: number): string {
  return made(palette).soft(index, countOf);
}

interface Ramps {
  readonly strong: (index: number, countOf: number) => string;
  readonly soft: (index: number, countOf: number) => string;
}

/** Colours that were made before: a wall asks for the same few thousands of times. */
const ramps = new WeakMap<Palette, Ramps>();

function made(palette: Palette): Ramps {
  const known = ramps.get(palette);
  if (known) return known;
  const [low, high] = palette.isDark ? [0.26, 0.86] : [0.2, 0.88];
  const strong = remembered((t) => hex(rgb(interpolateViridis(low + t * (high - low)))));
  const share = palette.isDark ? 0.62 : 0.66;
  const soft = remembered((_, i, n) => mix(strong(i, n), palette.surface, share));
  const both = { strong, soft };
  ramps.set(palette, both);
  return both;
}

const MOST_COLORS = 4096;

function remembered(
  make: (t: number, index: number, countOf: number) => string,
): (index: number, countOf: number) => string {
  const known = new Map<number, string>();
  return (index, countOf) => {
    const t = countOf <= 1 ? 0.5 : index / (countOf - 1);
    const found = known.get(t);
    if (found !== undefined) return found;
    if (known.size >= MOST_COLORS) known.clear();
    const color = make(t, index, countOf);
    known.set(t, color);
    return color;
  };
}

/** One colour mixed with a share of another. */
export function mix(one: string, other: string, share: number): string {
  const a = rgb(one);
  const b = rgb(other);
  return hex(a.map((v, i) => v * (1 - share) + (b[i] ?? 0) * share));
}

/** A colour with an opacity. */
export function fade(color: string, opacity: number): string {
  return `rgba(${rgb(color).map(Math.round).join(",")},${opacity})`;
}

/** Dark or light ink, whichever can be read on a colour. */
export function inkOn(color: string): string {
  const [r = 0, g = 0, b = 0] = rgb(color).map((v) => (v / 255) ** 2.2);
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.2 ? "#17212b" : "#ffffff";
}

function rgb(color: string): number[] {
  if (color.startsWith("#")) return [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16));
  return (color.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
}

function hex(parts: readonly number[]): string {
  return `#${parts.map((v) => Math.round(v).toString(16).padStart(2, "0")).join("")}`;
}
