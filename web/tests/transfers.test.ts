import { describe, expect, it } from "vitest";
import { LIGHT } from "../src/draw/palette";
import { momentDrawing, partsOf, setStage } from "../src/draw/steps";
import { toSvg } from "../src/draw/surface";
import type { Layout } from "../src/math/layout";
import type { Move } from "../src/math/transfers";
import { arriving, common, drawnRanks, prove, volume } from "../src/math/transfers";

const layout = (map: number[], partial: number[] = []): Layout => ({
  dev_mat: [2, 2],
  tensor_map: map,
  partial,
});
const move = (kind: string, before: Layout, after: Layout, axes: number[]): Move => ({
  kind,
  before,
  after,
  device_axes: axes,
});
const ALL = [0, 1, 2, 3];
const SHAPE = [4, 4];

const count = (svg: string) => svg.split("<rect").length;
const size = (svg: string) => /viewBox="([^"]*)"/.exec(svg)?.[1];

const gather = move("all_gather", layout([1, 0]), layout([1, -1]), [0]);
const turn = move("all_to_all", layout([1, -1]), layout([-1, 1]), [1]);
const cut = move("slice", layout([-1, -1]), layout([1, 0]), []);
const sum = move("all_reduce", layout([-1, -1], [0]), layout([-1, -1]), [0]);
const scatter = move("reduce_scatter", layout([-1, -1], [0]), layout([0, -1]), [0]);

describe("transfers", () => {
  it("an all_gather brings each rank the slices of the others of its group", () => {
    expect(arriving(gather, SHAPE, 1)).toEqual([
      {
        sender: 0,
        receiver: 1,
        box: [
          [0, 2],
          [0, 2],
        ],
        isTerm: false,
      },
    ]);
  });

  it("an all_to_all brings the part of the new slice that another holds", () => {
    expect(arriving(turn, SHAPE, 0)).toEqual([
      {
        sender: 2,
        receiver: 0,
        box: [
          [2, 4],
          [0, 2],
        ],
        isTerm: false,
      },
    ]);
  });

  it("a slice brings nothing", () => {
    expect(ALL.flatMap((rank) => arriving(cut, SHAPE, rank))).toEqual([]);
  });

  it("a reduction brings one term from each of the others", () => {
    expect(arriving(sum, SHAPE, 3)).toEqual([
      {
        sender: 2,
        receiver: 3,
        box: [
          [0, 4],
          [0, 4],
        ],
        isTerm: true,
      },
    ]);
    expect(arriving(scatter, SHAPE, 3)[0]?.box).toEqual([
      [2, 4],
      [0, 4],
    ]);
  });

  it("every step that a plan makes keeps each element exactly once", () => {
    for (const step of [gather, turn, cut, sum, scatter]) {
      expect(prove(step, SHAPE, ALL)).toEqual({ isWhole: true, ranks: 4, fault: null });
    }
  });

  it("a step along the wrong device axis is found out", () => {
    expect(prove({ ...gather, device_axes: [1] }, SHAPE, ALL)).toMatchObject({
      isWhole: false,
      fault: 0,
    });
    expect(prove({ ...sum, device_axes: [1] }, SHAPE, ALL).isWhole).toBe(false);
  });

  it("a slice that keeps what the rank never had is found out", () => {
    expect(prove({ ...cut, before: layout([0, -1]) }, SHAPE, ALL).isWhole).toBe(false);
  });

  it("boxes overlap in what both have", () => {
    expect(common([[0, 4]], [[2, 6]])).toEqual([[2, 4]]);
    expect(common([[0, 2]], [[2, 4]])).toBeNull();
    expect([
      volume([
        [0, 2],
        [1, 4],
      ]),
      volume(null),
    ]).toEqual([6, 0]);
  });

  it("of many ranks one and its groups are drawn", () => {
    const big = { dev_mat: [32, 32], tensor_map: [1, 0] };
    const step = {
      kind: "all_gather",
      before: big,
      after: { dev_mat: [32, 32], tensor_map: [1, -1] },
      device_axes: [0],
    };
    expect(drawnRanks([step], 40)).toEqual(Array.from({ length: 32 }, (_, i) => 32 + i));
    expect(drawnRanks([gather], 0)).toEqual(ALL);
  });
});

describe("the drawing of a redistribution", () => {
  const stage = setStage([gather, turn], SHAPE, ALL, 600, 400);
  const at = (moment: number) =>
    toSvg(
      momentDrawing({ stage, at: moment, palette: LIGHT, selected: null, hovered: null }),
      "steps",
    );

  it("cuts a slice into the parts that any step knows", () => {
    expect(
      partsOf(stage, [
        [0, 2],
        [0, 4],
      ]),
    ).toEqual([
      [
        [0, 2],
        [0, 2],
      ],
      [
        [0, 2],
        [2, 4],
      ],
    ]);
  });

  it("shows pieces only on their way", () => {
    expect(count(at(0.5)) - count(at(0))).toBe(4);
    expect(at(2)).not.toContain("NaN");
  });

  it("keeps its size at every moment", () => {
    expect(size(at(0.4))).toBe(size(at(1.7)));
  });
});
