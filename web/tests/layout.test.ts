import { describe, expect, it } from "vitest";
import type { Layout } from "../src/math/layout";
import {
  blocks,
  box,
  copyCount,
  cuts,
  group,
  holders,
  rankAt,
  rankCount,
  repeatedAxes,
  replicas,
  sliceCount,
  sliceIndex,
  sliceIndices,
  sliceShape,
  termCount,
} from "../src/math/layout";
import { sentBytes } from "../src/math/redistribution";
import layouts from "./fixtures/layouts.json";
import redistributions from "./fixtures/redistributions.json";

describe("layouts are what Python says", () => {
  it.each(layouts.map((c, i) => [i, c] as const))("layout %i", (_, known) => {
    const layout = known.layout as Layout;
    expect(cuts(layout)).toEqual(known.cuts);
    expect(repeatedAxes(layout)).toEqual(known.repeated_axes);
    expect(sliceShape(layout, known.shape)).toEqual(known.slice_shape);
    expect([...sliceIndices(layout)]).toEqual(known.slice_index);
    for (const one of known.ranks) {
      expect(blocks(layout, one.rank)).toEqual(one.blocks);
      expect(box(layout, known.shape, one.rank)).toEqual(one.box);
      expect(replicas(layout, one.rank)).toEqual(one.replicas);
      expect(one.groups.map((_, a) => group(layout, one.rank, [a]))).toEqual(one.groups);
    }
  });
});

describe("every layout", () => {
  it("has each slice on as many ranks as it has copies and terms", () => {
    for (const known of layouts) {
      const layout = known.layout as Layout;
      const each = copyCount(layout) * termCount(layout);
      expect(holders(layout).map((ranks) => ranks.length)).toEqual(
        Array(sliceCount(layout)).fill(each),
      );
      expect(each * sliceCount(layout)).toBe(rankCount(layout));
    }
  });

  it("numbers a rank's slice as the list of all does", () => {
    for (const known of layouts) {
      const layout = known.layout as Layout;
      sliceIndices(layout).forEach((slice, place) =>
        expect(sliceIndex(layout, rankAt(layout, place))).toBe(slice),
      );
    }
  });
});

describe("a shape that does not divide", () => {
  it("has no slice shape", () => {
    expect(sliceShape({ dev_mat: [4], tensor_map: [0] }, [10])).toBeNull();
  });
});

describe("bytes of redistributions are what Python says", () => {
  it("for every step but exchanges", () => {
    const steps = redistributions.flatMap((c) => c.steps.map((step) => ({ step, shape: c.shape })));
    expect(steps.length).toBeGreaterThan(80);
    for (const { step, shape } of steps.filter(({ step }) => step.kind !== "exchange")) {
      const sent = sentBytes(
        step.kind,
        step.before as Layout,
        step.after as Layout,
        step.group_size,
        shape,
        4,
      );
      expect([step.kind, sent]).toEqual([step.kind, step.sent_bytes]);
    }
  });
});
