import { describe, expect, it } from "vitest";
import type { ParameterValues } from "../src/api/types";
import { diverging, divergingRamp, heatmap } from "../src/draw/heatmap";
import { columnsOf, multiples, widthOf } from "../src/draw/multiples";
import { DARK, LIGHT } from "../src/draw/palette";
import { rankWall } from "../src/draw/rankwall";
import { toSvg } from "../src/draw/surface";
import { layWall } from "../src/draw/wall";
import { partedRanks } from "../src/math/parted";
import {
  elementsOfCell,
  pageOf,
  placeOfCell,
  reach,
  readCells,
  sliceOfCell,
} from "../src/math/values";

function base64(values: readonly number[]): string {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return btoa(String.fromCharCode(...bytes));
}

/** A (4, 6) tensor, its rows cut in 2 and its columns in 3: slices of (2, 2), each element a cell. */
function answer(more: Partial<ParameterValues> = {}): ParameterValues {
  return {
    cells: [4, 6],
    cuts: [2, 3],
    edges: [
      [0, 1, 2],
      [0, 1, 2],
    ],
    missing: [],
    values: base64(Array.from({ length: 24 }, (_, i) => i - 12)),
    ...more,
  } as ParameterValues;
}

const HOLDERS = [[0, 6], [1, 7], [2, 8], [3, 9], [4, 10], [5, 11]]; // prettier-ignore

function picture(more: Partial<ParameterValues> = {}, palette = LIGHT, rank: number | null = null) {
  const cells = readCells(answer(more));
  return heatmap({
    cells,
    page: pageOf(cells, [0, 1], [0, 0]),
    axes: [0, 1],
    palette,
    width: 420,
    height: 320,
    reach: 12,
    holders: HOLDERS,
    selectedRank: rank,
  });
}

describe("cells of a tensor", () => {
  it("are the numbers that the server sent, little-endian", () => {
    const { values } = readCells(answer());
    expect([...values.slice(0, 3), values[23]]).toEqual([-12, -11, -10, 11]);
  });

  it("begin where slices and cells of slices begin", () => {
    expect(readCells(answer()).edges).toEqual([
      [0, 1, 2, 3, 4],
      [0, 1, 2, 3, 4, 5, 6],
    ]);
  });

  it("know their place, their slice and their elements", () => {
    const cells = readCells(answer());
    const at = 3 * 6 + 4; // row 3, column 4: the second slice down, the third across
    expect(placeOfCell(cells, at)).toEqual([3, 4]);
    expect(sliceOfCell(cells, at)).toBe(1 * 3 + 2);
    expect(elementsOfCell(cells, at)).toBe("[3, 4]");
  });

  it("that are means of several elements name them as a range", () => {
    const cells = readCells(
      answer({ cells: [2, 3], edges: [[0, 2], [0, 2]], values: base64([1, 2, 3, 4, 5, 6]) }), // prettier-ignore
    );
    expect(elementsOfCell(cells, 4)).toBe("[2:4, 2:4]");
    expect(sliceOfCell(cells, 4)).toBe(4);
  });

  it("of slices of unequal cells keep the cells' lengths in each slice", () => {
    const cells = readCells(
      answer({ cells: [4, 3], edges: [[0, 1, 2], [0, 2]], values: base64(Array(12).fill(0)) }), // prettier-ignore
    );
    expect(cells.edges[1]).toEqual([0, 2, 4, 6]);
  });
});

describe("a page of cells", () => {
  const cells = { ...readCells(answer()), counts: [2, 3, 4] };

  it("runs over two axes at one place of the third", () => {
    const page = pageOf(cells, [1, 2], [1, 0, 0]);
    expect([page.rows, page.columns]).toEqual([3, 4]);
    expect(page.at(0, 0)).toBe(12);
    expect(page.at(2, 3)).toBe(23);
  });

  it("may have its axes the other way round", () => {
    const page = pageOf(cells, [2, 0], [0, 1, 0]);
    expect([page.rows, page.columns]).toEqual([4, 2]);
    expect(page.at(3, 1)).toBe(1 * 12 + 1 * 4 + 3);
  });

  it("of one axis has one row", () => {
    const page = pageOf({ ...cells, counts: [5] }, [-1, 0], [0]);
    expect([page.rows, page.columns, page.at(0, 4)]).toEqual([1, 5, 4]);
  });

  it("stays within the tensor where the place lies beyond", () => {
    expect(pageOf(cells, [1, 2], [9, 0, 0]).at(0, 0)).toBe(12);
  });
});

describe("the colour scale", () => {
  it("ends at the largest finite distance from zero", () => {
    expect(reach(Float32Array.from([1, -3, NaN, Infinity, 2]))).toBe(3);
    expect(reach(new Float32Array())).toBe(0);
  });

  it.each([LIGHT, DARK])("tells signs apart and grows with the distance ($isDark)", (palette) => {
    const ramp = divergingRamp(palette);
    expect(new Set(ramp).size).toBe(13);
    expect(diverging(palette, -2)).toBe(diverging(palette, -1));
    expect(diverging(palette, 0.5)).not.toBe(diverging(palette, -0.5));
  });
});

describe("the heatmap", () => {
  it.each([
    ["light", LIGHT],
    ["dark", DARK],
  ] as const)("draws cells, slices and who holds them, %s", (_, palette) => {
    expect(toSvg(picture({}, palette, 7).drawing, "values")).toMatchSnapshot();
  });

  it("puts cells side by side without gaps, inside the picture", () => {
    const grid = picture();
    for (let row = 0; row < grid.rows; row++) {
      for (let column = 0; column < grid.columns; column++) {
        const box = grid.box(row, column);
        const right = grid.box(row, column + 1);
        if (column + 1 < grid.columns) expect(right.x).toBe(box.x + box.width);
        expect(box.x + box.width).toBeLessThanOrEqual(grid.drawing.width);
        expect(box.y + box.height).toBeLessThanOrEqual(grid.drawing.height);
      }
    }
  });

  it("writes the ranks of every slice", () => {
    const svg = toSvg(picture().drawing, "values");
    for (const [one, two] of HOLDERS) expect(svg).toContain(`>${one}, ${two}<`);
  });

  it("crosses out what is no number", () => {
    const values = Array.from({ length: 24 }, (_, i) => (i === 5 ? NaN : i));
    const lines = (svg: string) => svg.split(`stroke="${LIGHT.bad}"`).length - 1;
    expect(lines(toSvg(picture().drawing, "values"))).toBe(0);
    expect(lines(toSvg(picture({ values: base64(values) }).drawing, "values"))).toBe(2);
  });

  it("outlines what the selected rank holds, copies alike", () => {
    const outlined = (rank: number | null) =>
      toSvg(picture({}, LIGHT, rank).drawing, "v").split(`stroke="${LIGHT.selected}"`).length - 1;
    expect([outlined(null), outlined(1), outlined(7), outlined(99)]).toEqual([0, 1, 1, 0]);
  });
});

describe("small multiples", () => {
  const three = () => multiples([picture(), picture(), picture()], 2, 2 * 420 + 16);

  it("stand in even columns, none narrower than asked", () => {
    expect(columnsOf(8, 1008, 240)).toBe(4);
    expect(columnsOf(5, 1008, 240)).toBe(3); // 3 and 2, not 4 and 1
    expect(columnsOf(8, 100, 240)).toBe(1);
    expect(columnsOf(1, 1008, 240)).toBe(1);
    expect(widthOf(3, 632)).toBe(200);
  });

  it("are pointed at as one: what is at the middle of a mark is that mark", () => {
    const found = three();
    for (let mark = 0; mark < 3 * 24; mark++) {
      const box = found.box(mark);
      expect(found.at(box.x + box.width / 2, box.y + box.height / 2)).toBe(mark);
    }
  });

  it("have nothing beside and below their cells", () => {
    const found = three();
    expect(found.at(1, 1)).toBe(-1);
    expect(found.at(found.drawing.width - 30, found.drawing.height - 30)).toBe(-1); // a fourth that is not there
  });

  it("count page by page, row by row", () => {
    expect(three().where(24 + 6 + 2)).toEqual([1, 1, 2]);
  });

  it("are walked by arrows, from one picture into the next, and not beyond", () => {
    const found = three();
    expect(found.step(-1, 1, 0)).toBe(0);
    expect(found.step(5, 1, 0)).toBe(24); // the end of the first row: into the second picture
    expect(found.step(24, -1, 0)).toBe(5);
    expect(found.step(0, -1, 0)).toBe(0);
    expect(found.step(0, 0, -1)).toBe(0);
    expect(found.step(0, 0, 1)).toBe(6);
    expect(found.step(2 * 24 + 23, 1, 0)).toBe(2 * 24 + 23);
  });
});

describe("copies that should agree", () => {
  const split = (step: number, ranks: number[][]) => ({ parameter: "w", step, ranks, text: "" });

  it("that differ from most are told, with the step since when", () => {
    expect([...partedRanks([split(7, [[0, 2, 4], [6]])])]).toEqual([[6, 7]]);
  });

  it("are all told where none is the most", () => {
    expect([...partedRanks([split(3, [[2], [6]])])]).toEqual([[2, 3], [6, 3]]); // prettier-ignore
    expect(partedRanks([]).size).toBe(0);
  });

  it("are solid on the wall and say the step", () => {
    const layout = { dev_mat: [2, 4], tensor_map: [-1, 0] };
    const wall = layWall(layout.dev_mat, { width: 600, height: 400 });
    const drawn = (parted: Map<number, number>) =>
      toSvg(rankWall({ wall, layout, shape: [8, 8], palette: LIGHT, parted }), "w");
    expect(drawn(new Map())).not.toContain(LIGHT.bad);
    expect(drawn(new Map([[6, 7]])).split(`fill="${LIGHT.bad}"`).length - 1).toBe(1);
    expect(drawn(new Map([[6, 7]]))).toContain("since step 7");
  });
});
