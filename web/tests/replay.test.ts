import { describe, expect, it } from "vitest";
import type { Layout } from "../src/math/layout";
import { replay } from "../src/math/replay";
import type { Move } from "../src/math/transfers";
import {
  EXAMPLES,
  decode,
  encode,
  layoutsOf,
  problemOf,
  readLengths,
  resized,
  switched,
  termed,
  turned,
} from "../src/math/tryout";
import redistributions from "./fixtures/redistributions.json";

const plans = redistributions as unknown as { shape: number[]; steps: Move[] }[];
const layout = (map: number[], partial: number[] = []): Layout => ({
  dev_mat: [2, 2],
  tensor_map: map,
  partial,
});

describe("a redistribution replayed with numbers", () => {
  it("ends with the tensor that it began with, for every plan that Python makes", () => {
    const whole = plans.filter((p) => (p.steps.at(-1)?.after.partial ?? []).length === 0);
    const done = whole.flatMap(({ shape, steps }) => replay(steps, shape) ?? []);
    expect(done.length).toBeGreaterThan(40);
    expect(done.filter((r) => r.wrong > 0 || r.compared === 0)).toEqual([]);
  });

  it("counts what comes from another rank", () => {
    const gather = {
      kind: "all_gather",
      before: layout([1, 0]),
      after: layout([1, -1]),
      device_axes: [0],
    };
    // 2 x 2 parts; each of four ranks keeps one, is sent one, and holds two
    expect(replay([gather], [4, 4])).toEqual({ compared: 8, moved: 4, wrong: 0 });
  });

  it("finds out a step along the wrong device axis, and a term that is left out", () => {
    const gather = {
      kind: "all_gather",
      before: layout([1, 0]),
      after: layout([1, -1]),
      device_axes: [1],
    };
    expect(replay([gather], [4, 4])?.wrong).toBe(4);
    const sum = {
      kind: "slice",
      before: layout([-1, -1], [0]),
      after: layout([-1, -1]),
      device_axes: [],
    };
    expect(replay([sum], [4, 4])?.wrong).toBeGreaterThan(0);
  });

  it("is left out where numbers would be too many, or the result is still in terms", () => {
    const big = { dev_mat: [1024, 1024], tensor_map: [1, 0] };
    const step = {
      kind: "all_gather",
      before: big,
      after: { ...big, tensor_map: [-1, 0] },
      device_axes: [1],
    };
    expect(replay([step], [1024, 1024])).toBeNull();
    const half = layout([-1, -1], [0]);
    expect(
      replay([{ kind: "slice", before: half, after: half, device_axes: [] }], [4, 4]),
    ).toBeNull();
  });
});

describe("layouts to try", () => {
  const first = EXAMPLES[0]!.tryout;

  it("come back from the address as they were", () => {
    for (const { tryout } of EXAMPLES) expect(decode(encode(tryout))).toEqual(tryout);
  });

  it.each([
    "",
    "a~b~c~d~e",
    "4~0~w~w~",
    "4~2~9~w~",
    "4~2~0,0~w,w~",
    "4,4~2~0,0~w,w~",
    "4~2~0~w~0",
    "4~2~w",
  ])("an address that means nothing is none: %s", (text) => expect(decode(text)).toBeNull());

  it("an axis cuts one tensor axis at a time", () => {
    const moved = switched(first, "from", 1, 0);
    expect(moved.from).toEqual([-1, 0]);
    expect(switched(moved, "from", 1, 0).from).toEqual([-1, -1]);
    expect(switched(moved, "from", 1, 1).from).toEqual([-1, [0, 1]]);
    expect(problemOf(moved)).toBeNull();
  });

  it("a device axis over which there are terms cuts nothing", () => {
    const terms = termed(first, 0);
    expect([terms.from, terms.terms]).toEqual([[-1, -1], [0]]);
    expect(switched(terms, "from", 0, 0).terms).toEqual([]);
    expect(layoutsOf(terms).source.partial).toEqual([0]);
    expect(turned(terms)).toMatchObject({ from: [-1, 0], to: [-1, -1], terms: [] });
  });

  it("keeps of the maps what another shape or matrix still has", () => {
    expect(resized(first, [8], [2])).toMatchObject({ from: [0], to: [-1] });
    expect(resized(EXAMPLES[1]!.tryout, [8, 8], [4])).toMatchObject({ from: [-1, 0] });
  });

  it("reads lengths as people write them", () => {
    expect(readLengths("(4096, 1024)")).toEqual([4096, 1024]);
    expect(readLengths("2 x 4")).toEqual([2, 4]);
    for (const text of ["", "0", "1.5", "a", "1,2,3,4,5"]) expect(readLengths(text)).toBeNull();
  });
});
