import { describe, expect, it } from "vitest";
import type { Bucket, CollectiveItem } from "../src/api/types";
import { bucketsPicture } from "../src/draw/buckets";
import { matrixPicture, matrixRoom } from "../src/draw/matrix";
import { DARK, LIGHT } from "../src/draw/palette";
import { sequencePicture } from "../src/draw/sequence";
import { toSvg } from "../src/draw/surface";
import type { Grid } from "../src/math/pairs";
import { entriesOf, entryOf, gridOf, orderAlong, pairsOf, partners } from "../src/math/pairs";

/** A ring over all ranks: each sends to the next. */
function ring(size: number): Float64Array {
  const whole = new Float64Array(size * size);
  for (let r = 0; r < size; r++) whole[r * size + ((r + 1) % size)] = 1024 * (r + 1);
  return whole;
}

function gridOfRing(size: number): Grid {
  const pairs = pairsOf(size, ring(size));
  return gridOf(pairs, orderAlong([size], null, size), matrixRoom(760));
}

function matrix(size: number, palette = LIGHT, rank: number | null = null) {
  const ranks = Array.from({ length: size }, (_, r) => r);
  return matrixPicture({
    grid: gridOfRing(size),
    sent: ranks.map((r) => 1024 * (r + 1)),
    received: ranks.map((r) => 1024 * (((r + size - 1) % size) + 1)),
    palette,
    width: 760,
    rank,
  });
}

function collective(index: number, more: Partial<CollectiveItem> = {}): CollectiveItem {
  return {
    index,
    kind: "all_reduce",
    group: [0, 1],
    groups: 1,
    device_axes: [0],
    message_bytes: 64,
    sent_bytes: 64,
    cause: "partial",
    why: "result of matmul is partial",
    fusion: 0,
    parameters: [],
    phase: "forward",
    node: String(index),
    count: 3,
    mean_s: 0.002,
    least_s: 0.001,
    most_s: 0.003,
    mean_offset_s: 0.001 * index,
    wait_s: 0,
    ...more,
  };
}

const BUCKETS: Bucket[] = [
  {
    collective: 4,
    kind: "all_reduce",
    fusion: 1,
    phase: "backward",
    group: [0, 4],
    message_bytes: 400,
    members: [
      { parameter: "w2", bytes: 300, ready: 10 },
      { parameter: "w1", bytes: 100, ready: 14 },
    ],
    launched: 15,
    mean_offset_s: 0.01,
    mean_s: 0.002,
  },
  {
    collective: 5,
    kind: "all_gather",
    fusion: 0,
    phase: "forward",
    group: [0, 4],
    message_bytes: 200,
    members: [{ parameter: "embedding", bytes: 0, ready: null }],
    launched: null,
    mean_offset_s: null,
    mean_s: null,
  },
];

describe("the matrix", () => {
  it("puts ranks along a device axis side by side", () => {
    expect(orderAlong([2, 4], null, 8)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(orderAlong([2, 4], 1, 8)).toEqual([0, 4, 1, 5, 2, 6, 3, 7]);
    expect(orderAlong([2, 4], 1, 6)).toEqual([0, 1, 2, 3, 4, 5]); // another number of ranks: no such axis
  });

  it("has a cell for each entry, found again at its middle", () => {
    const drawn = matrix(8);
    const entries = entriesOf(gridOfRing(8));
    expect(entries.map((e) => [e.sender, e.receiver])).toEqual(
      [0, 1, 2, 3, 4, 5, 6, 7].map((r) => [r, (r + 1) % 8]),
    );
    for (const { cell } of entries) {
      const box = drawn.box(cell);
      expect(drawn.cellAt(box.x + box.width / 2, box.y + box.height / 2)).toBe(cell);
    }
    expect(drawn.cellAt(1, 1)).toBe(-1);
  });

  it("joins ranks that share a pixel and keeps the largest value", () => {
    const grid = gridOfRing(2048);
    const entries = entriesOf(grid);
    expect(grid.side).toBeLessThanOrEqual(matrixRoom(760));
    expect(entries.length).toBeLessThanOrEqual(2 * grid.side);
    expect(Math.max(...entries.map((e) => e.value))).toBe(1024 * 2048);
    expect(matrix(2048).drawing.width).toBeLessThan(760);
  });

  it("draws as many runs of color as there are where every pair exchanges the same", () => {
    const pairs = pairsOf(100, new Float64Array(100 * 100).fill(7));
    const grid = gridOf(pairs, orderAlong([100], null, 100), 300);
    const none = Array.from({ length: 100 }, () => 0);
    const drawn = matrixPicture({ grid, sent: none, received: none, palette: LIGHT, width: 460 });
    expect(toSvg(drawn.drawing, "matrix").match(/h300v3h-300z/g)).toHaveLength(100);
  });

  it("is walked by arrow keys from entry to entry", () => {
    const drawn = matrix(4);
    const grid = gridOfRing(4);
    const first = drawn.step(-1, 1, 0);
    expect(entryOf(grid, first)?.sender).toBe(0);
    expect(entryOf(grid, drawn.step(first, 0, 1))?.sender).toBe(1);
  });

  it("tells with whom a rank exchanges", () => {
    const pairs = pairsOf(4, ring(4));
    expect(partners(pairs, 1, "sends")).toEqual([{ rank: 2, value: 2048 }]);
    expect(partners(pairs, 1, "receives")).toEqual([{ rank: 0, value: 1024 }]);
  });
});

describe("a step's collectives", () => {
  it("have a bar each; those under way together do not cover each other", () => {
    const drawn = sequencePicture({
      collectives: [collective(0), collective(1), collective(2, { cause: "gradient" })],
      palette: LIGHT,
      width: 600,
    });
    const [a, b] = drawn.bars;
    expect(a && b && a.x + a.width > b.x).toBe(true);
    expect(a && b && b.y >= a.y + a.height).toBe(true);
    drawn.bars.forEach((bar, i) => expect(drawn.at(bar.x + 1, bar.y + 1)).toBe(i));
  });

  it("stand in order where no step was timed", () => {
    const untimed = { mean_s: null, mean_offset_s: null };
    const drawn = sequencePicture({
      collectives: [collective(0, untimed), collective(1, untimed)],
      palette: LIGHT,
      width: 600,
    });
    expect(drawn.bars[0]!.x + drawn.bars[0]!.width).toBeLessThan(drawn.bars[1]!.x);
    expect(toSvg(drawn.drawing, "step")).toContain("in order");
  });
});

describe("buckets", () => {
  const drawn = bucketsPicture({ buckets: BUCKETS, palette: LIGHT, width: 502 });

  it("are as wide as their bytes, and so are their parts", () => {
    expect(drawn.parts.map((p) => p.width)).toEqual([375, 125, 250]);
  });
});

describe.each([
  ["light", LIGHT],
  ["dark", DARK],
] as const)("pictures of communication, %s", (_, palette) => {
  it("draws the matrix with a rank's row and column", () => {
    expect(toSvg(matrix(4, palette, 2).pointed(6), "matrix")).toMatchSnapshot();
  });

  it("draws the step", () => {
    const collectives = [collective(0), collective(1, { kind: "all_gather", cause: "mismatch" })];
    const drawn = sequencePicture({ collectives, palette, width: 500, selected: 1, hovered: 0 });
    expect(toSvg(drawn.drawing, "step")).toMatchSnapshot();
  });

  it("draws buckets", () => {
    const drawn = bucketsPicture({ buckets: BUCKETS, palette, width: 502, parameter: "w1" });
    expect(toSvg(drawn.drawing, "buckets")).toMatchSnapshot();
  });
});
