import { describe, expect, it } from "vitest";
import { bars } from "../src/draw/bars";
import { LIGHT } from "../src/draw/palette";
import { toSvg } from "../src/draw/surface";
import type { Side } from "../src/math/strategy";
import { asPython } from "../src/math/python";
import {
  decodeSide,
  encodeSide,
  exampleNetwork,
  freed,
  kindsOf,
  mapOf,
  problemOf,
  toggled,
  wholeEverywhere,
  withoutCopies,
} from "../src/math/strategy";

const known = (name: string, shape: number[], map: number[]) => ({
  name,
  shape,
  dtype: "float32",
  map,
});
const side: Side = { devMat: [2, 4], maps: {} };
const kinds = kindsOf([
  known("blocks.0.w1", [8, 16], [-1, 0]),
  known("blocks.1.w1", [8, 16], [-1, 0]),
  known("head", [6], [-1]),
]);
const [w1, head] = kinds as [(typeof kinds)[0], (typeof kinds)[0]];

describe("strategies that are only thought of", () => {
  it("parameters that differ by numbers alone are one kind", () => {
    expect(kinds.map((k) => [k.id, k.names.length])).toEqual([
      ["blocks.*.w1", 2],
      ["head", 1],
    ]);
  });

  it("layers of two layouts stay two kinds, with names of their own", () => {
    const ids = kindsOf([
      known("b.0.w", [8], [-1]),
      known("b.1.w", [8], [0]),
      known("b.2.w", [8], [0]),
    ]).map((k) => k.id);
    expect(ids).toEqual(["b.0.w", "b.*.w"]);
  });

  it("a device axis leaves the tensor axis that it cut before", () => {
    const next = toggled(side, w1, 0, 0);
    expect(mapOf(next, w1)).toEqual([0, -1]);
    expect(mapOf(toggled(next, w1, 0, 1), w1)).toEqual([[0, 1], -1]);
    expect(mapOf(toggled(next, w1, 0, 0), w1)).toEqual([-1, -1]);
    expect(mapOf(side, w1)).toEqual([-1, 0]);
  });

  it("a device axis that the device matrix lacks cuts nothing", () => {
    expect(mapOf({ devMat: [8], maps: { head: [1] } }, head)).toEqual([-1]);
  });

  it("an axis that does not divide is said with its numbers and the way out", () => {
    expect(problemOf({ ...side, maps: { head: [0] } }, head)).toBe(
      "axis 0 of length 6 cannot be cut into 4 equal slices: pad it to 8, or cut it less",
    );
    expect(problemOf(side, w1)).toBeNull();
  });

  it("the parallel optimizer cuts the first axis over all copies where it divides", () => {
    const next = withoutCopies(side, kinds);
    expect(mapOf(next, w1)).toEqual([1, 0]);
    expect(mapOf(next, head)).toEqual([-1]);
  });

  it("nowhere cut is cut nowhere", () => {
    expect(mapOf(wholeEverywhere(side, kinds), w1)).toEqual([-1, -1]);
  });

  it("the address keeps a side as it is", () => {
    const asked: Side = { devMat: [32, 32], maps: { "blocks.*.w1": [[1, 0], -1], "a;b=c": [0] } };
    expect(encodeSide(asked).split(";")).toHaveLength(3);
    expect(decodeSide(encodeSide(asked))).toEqual(asked);
  });

  it("an address that makes no sense is no side", () => {
    for (const text of [null, "", "x", "0x4", "2x-1", "9999999x9999999"])
      expect(decodeSide(text)).toBeNull();
    expect(decodeSide("2x4;w=99;%=-;v=0")).toEqual({ devMat: [2, 4], maps: { "%": [-1], v: [0] } });
  });

  it("Python gets a layout for each parameter by name", () => {
    const text = asPython({ devMat: [2, 4], maps: { head: [[1, 0]] } }, kinds);
    expect(text).toContain('layout = Layout((2, 4), ("dp", "mp"))');
    expect(text).toContain('    "blocks.1.w1": layout("None", "mp"),');
    expect(text).toContain('    "head": layout(("dp", "mp")),');
    expect(asPython({ devMat: [8], maps: {} }, [])).toContain('Layout((8,), ("dp",))');
  });

  it("operators and names live in the address", () => {
    const full: Side = {
      devMat: [2, 4],
      maps: { "a;b": [[1, 0], -1] },
      operators: { "12": [[1, -1], []], "7": null },
      names: ["dp", "tensor"],
      shards: true,
    };
    expect(decodeSide(encodeSide(full))).toEqual(full);
    expect(decodeSide("2x4;@names=None,dp;@12=x;@shards=1")).toEqual({
      devMat: [2, 4],
      maps: {},
      shards: true,
    });
  });

  it("operators that repeat are sharded once in Python, with their parameters", () => {
    const lay = (...map: number[]) => ({ dev_mat: [2, 4], tensor_map: map });
    const one = (i: number) => ({
      id: i,
      op: "matmul",
      primitive: "MatMul",
      scope: `blocks.${i}`,
      line: "net.py:3",
      operands: [lay(1, -1), lay(-1, 0)],
      is_chosen: true,
      strategy: null,
      parameters: [`blocks.${i}.w1`],
    });
    const text = asPython(side, kinds, [one(0), one(1)] as never);
    expect(text).toContain("# matmul with blocks.*.w1 in blocks.* at net.py:3, 2 times");
    expect(text).toContain('ops.MatMul().shard((layout("dp", "None"), layout("None", "mp")))');
  });

  it("a parameter that is cut anew frees the operators that use it", () => {
    const cut: Side = { ...side, operators: { "1": null, "2": null } };
    const users = [
      { id: 1, parameters: ["head"] },
      { id: 2, parameters: [] },
    ] as never;
    expect(freed(cut, ["head"], users).operators).toEqual({ "2": null });
  });

  it("the example can be cut as it says on 64 ranks", () => {
    const example = kindsOf(exampleNetwork());
    expect(example.length).toBeLessThan(10);
    for (const kind of example) expect(problemOf({ devMat: [8, 8], maps: {} }, kind)).toBeNull();
  });

  it("bars of A and B stand on one scale", () => {
    const drawn = toSvg(
      bars([{ words: "memory", values: [1024, 512] }], ["A", "B"], LIGHT, 314),
      "bars",
    );
    const widths = [...drawn.matchAll(/width="(\d+(?:\.\d+)?)" height="18"/g)].map((m) =>
      Number(m[1]),
    );
    expect(widths).toEqual([220, 220, 220, 110]);
    expect(drawn).toContain("512 B");
  });
});
