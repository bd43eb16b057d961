import { describe, expect, it } from "vitest";
import { pageAxes, tensorBlock } from "../src/draw/block";
import { cutsDrawing } from "../src/draw/glyph";
import { DARK, LIGHT, kindOf, ramp } from "../src/draw/palette";
import type { Palette } from "../src/draw/palette";
import { rankWall } from "../src/draw/rankwall";
import { signDisc } from "../src/draw/signs";
import { fitted, toSvg } from "../src/draw/surface";
import { layWall, neighbour, placeAtPoint } from "../src/draw/wall";
import type { Layout } from "../src/math/layout";
import css from "../src/styles/tokens.css?raw";

const LAYOUT: Layout = { dev_mat: [2, 4], tensor_map: [-1, 0] };
const SHAPE = [512, 1024];
const ROOM = { width: 600, height: 400 };

function block(palette: Palette, layout: Layout = LAYOUT, shape: readonly number[] = SHAPE) {
  const axes = pageAxes(shape);
  const page = shape.map(() => 0);
  return tensorBlock({
    layout,
    shape,
    palette,
    width: 480,
    height: 320,
    axes,
    page,
    selectedSlice: 2,
  });
}

function wall(
  palette: Palette,
  layout: Layout = LAYOUT,
  shape: readonly number[] | undefined = SHAPE,
) {
  return rankWall({
    wall: layWall(layout.dev_mat, ROOM),
    layout,
    shape,
    palette,
    selected: 2,
    lit: new Set([2, 6]),
  });
}

describe.each([
  ["light", LIGHT],
  ["dark", DARK],
] as const)("pictures, %s", (_, palette) => {
  it("draws a tensor with its cuts and ranks", () => {
    expect(toSvg(block(palette).drawing, "w")).toMatchSnapshot();
  });

  it("draws who holds which slice, copies hatched", () => {
    expect(toSvg(wall(palette), "w")).toMatchSnapshot();
  });

  it("draws terms with dots", () => {
    const partial: Layout = { dev_mat: [2, 2], tensor_map: [1, -1], partial: [0] };
    expect(toSvg(wall(palette, partial, [8, 8]), "z")).toMatchSnapshot();
  });

  it("draws the thumbnail of a table", () => {
    expect(toSvg(cutsDrawing(LAYOUT, SHAPE, palette), "w")).toMatchSnapshot();
  });
});

describe("the wall", () => {
  it("puts ranks where the device matrix has them: the last axis right, the one before down", () => {
    const { x, y } = layWall([2, 4], ROOM);
    expect(x[1]).toBeGreaterThan(x[0] ?? 0);
    expect(y[1]).toBe(y[0]);
    expect(x[4]).toBe(x[0]);
    expect(y[4]).toBeGreaterThan(y[0] ?? 0);
  });

  it.each([
    [[1]],
    [[4]],
    [[1024]],
    [[32, 32]],
    [[2, 512]],
    [[4, 16, 16]],
    [[2, 2, 2, 2, 2]],
    [[1, 8, 1]],
    [[8, 1, 4, 2]],
  ])("keeps the tiles of %j apart and inside", (devMat) => {
    const { x, y, tile, width, height } = layWall(devMat, ROOM);
    const corners = new Set([...x].map((value, i) => `${value} ${y[i]}`));
    expect(corners.size).toBe(x.length);
    expect(Math.max(...x) + tile).toBeLessThanOrEqual(width + 0.01);
    expect(Math.max(...y) + tile).toBeLessThanOrEqual(height + 0.01);
    expect(width).toBeLessThanOrEqual(ROOM.width);
    const near = [...x].every((value, i) =>
      [...x].every(
        (other, j) =>
          i === j || Math.abs(value - other) >= tile || Math.abs((y[i] ?? 0) - (y[j] ?? 0)) >= tile,
      ),
    );
    expect(near).toBe(true);
  });

  it("frames the axes beyond the second", () => {
    const found = layWall([2, 2, 4], ROOM);
    expect(found.frames.map((f) => f.words)).toEqual(["axis 2 at 0", "axis 2 at 1"]);
    for (const f of found.frames) expect(f.x + f.width).toBeLessThanOrEqual(found.width);
  });

  it("finds the tile at a point, and neighbours by arrows", () => {
    const found = layWall([2, 4], ROOM);
    expect(placeAtPoint(found, (found.x[6] ?? 0) + 3, (found.y[6] ?? 0) + 3)).toBe(6);
    expect(placeAtPoint(found, -5, -5)).toBe(-1);
    expect([
      neighbour(found, 1, 1, 0),
      neighbour(found, 1, 0, 1),
      neighbour(found, 3, 1, 0),
    ]).toEqual([2, 5, 3]);
  });
});

describe("the block", () => {
  it("has a cell for each slice of a page", () => {
    expect(block(LIGHT).cells.map((c) => c.slice)).toEqual([0, 1, 2, 3]);
    expect(
      block(LIGHT, { dev_mat: [2, 4], tensor_map: [1, 0, -1] }, [8, 8, 8]).cells.map(
        (c) => c.slice,
      ),
    ).toEqual([0, 1, 2, 3]);
  });

  it("shows the axes that are cut, and the last ones where they are many or none", () => {
    expect(pageAxes([8, 8, 8, 8], [2, 1, 4, 1])).toEqual([0, 2]);
    expect(pageAxes([8, 8, 8, 8], [2, 2, 4, 1])).toEqual([1, 2]);
    expect(pageAxes([8, 8, 8, 8], [4, 1, 1, 1])).toEqual([0, 3]);
    expect([pageAxes([4, 4, 4]), pageAxes([4]), pageAxes([])]).toEqual([
      [1, 2],
      [-1, 0],
      [-1, -1],
    ]);
  });

  it("draws tensors of no axis and of one", () => {
    expect(block(LIGHT, { dev_mat: [2], tensor_map: [] }, []).cells).toHaveLength(1);
    expect(block(LIGHT, { dev_mat: [2], tensor_map: [0] }, [4]).cells).toHaveLength(2);
  });
});

describe("names", () => {
  it("cannot become elements", () => {
    expect(toSvg(block(LIGHT).drawing, '<script>"')).toContain(
      "<title>&lt;script&gt;&quot;</title>",
    );
  });

  it("are shortened in the middle", () => {
    expect(fitted("transformer.layers.11.weight", 80, 12)).toBe("trans…eight");
  });
});

describe("the palette", () => {
  it("is that of the page", () => {
    const [light = "", dark = ""] = css.split(':root[data-theme="dark"]');
    for (const [part, palette] of [
      [light, LIGHT],
      [dark, DARK],
    ] as const) {
      for (const [name, color] of Object.entries(palette).filter(
        ([, v]) => typeof v === "string",
      )) {
        const property = name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
        expect(part).toContain(`--${property}: ${color};`);
      }
    }
  });

  it("rises in lightness along the slices", () => {
    const light = (hex: string) =>
      [1, 3, 5].reduce(
        (n, i, k) => n + parseInt(hex.slice(i, i + 2), 16) * [0.21, 0.72, 0.07][k]!,
        0,
      );
    const colors = Array.from({ length: 16 }, (_, i) => light(ramp(LIGHT, i, 16)));
    expect(colors).toEqual([...colors].sort((a, b) => a - b));
  });

  it("draws every sign with lines, so that no font has to have it", () => {
    const kinds = ["all_reduce", "reduce_scatter", "all_gather", "all_to_all", "permute", "slice"];
    const pictures = kinds.map((k) => signDisc(k, 20));
    for (const svg of pictures) {
      expect(svg).toContain("<path");
      expect(svg).not.toContain("<text");
    }
    expect(
      new Set(pictures.map((svg) => svg.replace(/(fill|stroke|<title>)[^>]*/g, ""))).size,
    ).toBe(6);
  });

  it("gives every kind of movement a sign of its own or none", () => {
    expect(
      ["all_reduce", "reduce_scatter", "all_gather", "all_to_all", "slice", "matmul"].map(
        (k) => kindOf(k).sign,
      ),
    ).toEqual(["Σ", "Σ/", "⧉", "⇄", "✂", ""]);
  });
});
