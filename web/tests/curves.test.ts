import { describe, expect, it } from "vitest";
import { curves } from "../src/draw/curves";
import { LIGHT } from "../src/draw/palette";
import { toSvg } from "../src/draw/surface";

describe("curves as a file", () => {
  it("break where a value is missing, and mark one that stands alone", () => {
    const lines = [{ words: "loss", values: [3, 2, null, 1], color: "#123456" }];
    const svg = toSvg(curves([1, 2, 3, 4], lines, String, LIGHT), "loss");
    expect(svg.match(/<path[^>]*stroke="#123456"/g)).toHaveLength(1);
    expect(svg.match(/<circle[^>]*fill="#123456"/g)).toHaveLength(1);
    expect(svg).not.toContain("NaN");
  });

  it("are empty without a value", () => {
    expect(toSvg(curves([], [], String, LIGHT), "none")).not.toContain("NaN");
  });
});
