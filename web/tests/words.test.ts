import { describe, expect, it } from "vitest";
import {
  bytes,
  count,
  itemSize,
  layoutSentence,
  mapText,
  percent,
  plural,
  ranksText,
  seconds,
  shapeText,
} from "../src/math/words";
import { toCsv } from "../src/ui/files";
import { leastWidth, sortedRows } from "../src/ui/table";

describe("numbers in words", () => {
  it("gives sizes in binary units", () => {
    expect([0, 1023, 1024, 1536, 4 << 20, 3 * 2 ** 40].map(bytes)).toEqual([
      "0 B",
      "1023 B",
      "1 KiB",
      "1.5 KiB",
      "4 MiB",
      "3 TiB",
    ]);
    expect(bytes(null)).toBe("–");
  });

  it("gives times in the unit that reads best", () => {
    expect([0, 3.5e-7, 1.25e-5, 0.0012, 3.4, 125, 7260].map(seconds)).toEqual([
      "0 s",
      "350 ns",
      "12.5 µs",
      "1.2 ms",
      "3.4 s",
      "2 min 5 s",
      "2 h 1 min",
    ]);
  });

  it("groups long numbers and leaves short ones", () => {
    expect([1234, 12288, -1000000].map(count)).toEqual([
      "1234",
      "12\u202f288",
      "−1\u202f000\u202f000",
    ]);
  });

  it("gives shares in percent, and nouns in number", () => {
    expect([percent(0.479), plural(1, "rank"), plural(2, "copy")]).toEqual([
      "47.9 %",
      "1 rank",
      "2 copies",
    ]);
  });

  it("knows the size of an element by its name", () => {
    expect(["float32", "float16", "bfloat16", "bool", "int64"].map(itemSize)).toEqual([
      4, 2, 2, 1, 8,
    ]);
  });
});

describe("layouts in words", () => {
  it("writes shapes and maps as Python does", () => {
    expect([shapeText([4]), shapeText([]), mapText([[1, 0], -1]), mapText([0])]).toEqual([
      "(4,)",
      "()",
      "((1, 0), -1)",
      "(0,)",
    ]);
  });

  it("shortens a run of ranks", () => {
    expect(ranksText([4, 5, 6, 7, 8, 9, 10, 11, 12])).toBe("4 to 12");
    expect(ranksText([0, 32, 64, 96], 3)).toBe("0, … 96");
  });

  it("says what is cut, kept several times, and still to be joined", () => {
    expect(layoutSentence({ dev_mat: [2, 4], tensor_map: [-1, 0] }, [512, 1024])).toBe(
      "Cut along axis 1 in 4 over device axis 0: 4 slices of shape (512, 256) on 8 ranks, each kept 2 times, repeated over device axis 1.",
    );
    expect(
      layoutSentence({ dev_mat: [2], tensor_map: [-1], partial: [0], combine: "sum" }, [3]),
    ).toBe(
      "Not cut: 1 slice of shape (3,) on 2 ranks, each rank holds one of 2 terms, joined by sum over device axis 0.",
    );
  });
});

describe("tables", () => {
  const columns = [
    {
      id: "n",
      title: "n",
      value: (r: { n: number | string | null }) => r.n,
      width: "minmax(70px, 1fr)",
    },
  ];

  it("puts what is missing last either way", () => {
    const rows = [{ n: 2 }, { n: null }, { n: 10 }];
    expect(sortedRows(rows, columns, { column: "n", isDown: false }).map((r) => r.n)).toEqual([
      2,
      10,
      null,
    ]);
    expect(sortedRows(rows, columns, { column: "n", isDown: true }).map((r) => r.n)).toEqual([
      10,
      2,
      null,
    ]);
  });

  it("sorts numbers in names by their size", () => {
    const rows = [{ n: "w10" }, { n: "w2" }];
    expect(sortedRows(rows, columns, { column: "n", isDown: false }).map((r) => r.n)).toEqual([
      "w2",
      "w10",
    ]);
  });

  it("scrolls sideways below the sum of least widths", () => {
    expect(leastWidth([...columns, ...columns])).toBe(70 + 70 + 12 + 28);
  });

  it("writes CSV that no spreadsheet runs", () => {
    expect(
      toCsv(
        ["a", "b"],
        [
          ['x,"y"', -1.5],
          ["=1+1", null],
        ],
      ),
    ).toBe('a,b\r\n"x,""y""",-1.5\r\n\'=1+1,\r\n');
  });
});
