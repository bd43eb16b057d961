import { describe, expect, it } from "vitest";
import type { RankMemory } from "../src/api/types";
import {
  byteStep,
  curveDrawing,
  measuredOf,
  memoryPicture,
  memoryRows,
  plannedOf,
  treemap,
  treemapDrawing,
} from "../src/draw/memory";
import { DARK, LIGHT } from "../src/draw/palette";
import { toSvg } from "../src/draw/surface";
import { parseBytes, parseRanges, parseSpan, rangesText, spanText } from "../src/math/sizes";

function rank(number: number, arena = 300): RankMemory {
  return {
    rank: number,
    planned_bytes: 100 + 200 + arena,
    classes: [
      { name: "parameter", bytes: 100 },
      { name: "optimizer state", bytes: 200 },
      { name: "arena", bytes: arena },
    ],
    measured: [
      { step: 1, rss_bytes: 900, pss_bytes: 700 },
      { step: 2, rss_bytes: 950, pss_bytes: null },
    ],
  };
}

const PIECES = [8, 6, 5, 3, 1, 1].map((bytes, i) => ({ name: `w${i}`, kind: "parameter", bytes }));

describe("memory of the ranks", () => {
  it("is what the plan says, and what was measured as the rank's own share", () => {
    expect(plannedOf(rank(0))).toBe(600);
    expect(plannedOf({ ...rank(0), planned_bytes: null })).toBe(600);
    expect(measuredOf(rank(0))).toBe(950);
    expect(measuredOf({ ...rank(0), measured: [] })).toBeNull();
  });

  it("has a row for each rank, or for blocks by the rank that needs most", () => {
    expect(memoryRows([rank(0), rank(1)]).map((r) => r.label)).toEqual(["rank 0", "rank 1"]);
    const rows = memoryRows(Array.from({ length: 1024 }, (_, i) => rank(i, i)));
    expect(rows).toHaveLength(32);
    expect(rows[0]?.label).toBe("0 to 31");
    expect(rows.map((r) => r.peak)).toEqual(rows.map((_, i) => 300 + 32 * i + 31));
  });

  it("has one row for many ranks that were planned alike", () => {
    const planned = Array.from({ length: 1024 }, (_, i) => ({ ...rank(i), measured: [] }));
    expect(memoryRows(planned).map((r) => [r.label, r.peak])).toEqual([["all 1024 ranks", 600]]);
  });

  it("has marks at round sizes", () => {
    expect(byteStep(2_000_000, 8)).toBe(1 << 18);
  });
});

describe("the treemap", () => {
  const tiles = treemap(PIECES, 300, 200);

  it("gives each piece its share of the area", () => {
    expect(tiles).toHaveLength(PIECES.length);
    for (const t of tiles) expect((t.width * t.height) / 60_000).toBeCloseTo(t.piece.bytes / 24, 9);
  });

  it("stays in its frame and lets no two tiles overlap", () => {
    tiles.forEach((a, i) => {
      expect(Math.min(a.x, a.y)).toBeGreaterThanOrEqual(0);
      expect(a.x + a.width).toBeLessThanOrEqual(300 + 1e-9);
      expect(a.y + a.height).toBeLessThanOrEqual(200 + 1e-9);
      for (const b of tiles.slice(i + 1)) {
        const across = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
        const down = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
        expect(Math.min(across, down)).toBeLessThan(1e-9);
      }
    });
  });

  it("is empty for nothing", () => {
    expect(treemap([], 300, 200)).toEqual([]);
    expect(treemap([{ name: "w", kind: "parameter", bytes: 0 }], 300, 200)).toEqual([]);
  });
});

describe.each([
  ["light", LIGHT],
  ["dark", DARK],
] as const)("pictures of memory, %s", (_, palette) => {
  it("draws the ranks, and marks those over what they may hold", () => {
    const rows = memoryRows([rank(0), rank(1, 900)]);
    const drawn = memoryPicture({ rows, palette, width: 600, capacity: 800, rank: 1, hovered: 0 });
    const svg = toSvg(drawn.drawing, "memory");
    expect(svg).toMatchSnapshot();
    expect(svg).toContain("1.17 KiB !");
    expect(svg).toContain("600 B<");
  });

  it("draws the treemap", () => {
    const view = { tiles: treemap(PIECES, 300, 200), palette, width: 300, height: 200 };
    expect(
      toSvg(treemapDrawing({ ...view, parameter: "w1", hovered: 0 }), "tree"),
    ).toMatchSnapshot();
  });

  it("draws what was measured", () => {
    const view = { ranks: [rank(0), rank(1)], palette, width: 400, rank: 1 };
    expect(toSvg(curveDrawing(view), "curve")).toMatchSnapshot();
  });
});

describe("sizes and stretches as readers type them", () => {
  it("reads sizes in binary and decimal units", () => {
    expect(parseBytes("32 GiB")).toBe(32 * 2 ** 30);
    expect(parseBytes("500 MB")).toBe(500e6);
    expect(parseBytes("1.5g")).toBe(1.5 * 2 ** 30);
    expect(parseBytes("4096")).toBe(4096);
  });

  it("takes nothing else for a size", () => {
    for (const text of ["", "many", "-3 GiB", "0", "3 XiB"]) expect(parseBytes(text)).toBeNull();
  });

  it("brings a stretch of time back from an address", () => {
    expect(parseSpan(spanText(1.25, 3.5))).toEqual([1.25, 3.5]);
    for (const text of [undefined, "", "3~1", "a~b"]) expect(parseSpan(text)).toBeNull();
  });

  it("brings ranks back from an address", () => {
    const ranks = [0, 1, 2, 3, 8, 16, 17];
    expect(rangesText(ranks)).toBe("0-3.8.16-17");
    expect(parseRanges(rangesText(ranks))).toEqual(ranks);
    expect(parseRanges("0-9999999")).toHaveLength(1024);
    expect(parseRanges("x.-3")).toEqual([]);
  });
});
