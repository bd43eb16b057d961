import { describe, expect, it } from "vitest";
import type { Span, StepMark, Timeline } from "../src/api/types";
import { brushPicture } from "../src/draw/brush";
import {
  choices,
  lanesOf,
  latenessOf,
  neighbourSpan,
  rowsOf,
  sharesOf,
  spanKey,
  spanOf,
  together,
} from "../src/draw/lanes";
import { DARK, LIGHT } from "../src/draw/palette";
import { toSvg } from "../src/draw/surface";
import { timelinePicture } from "../src/draw/timeline";
import { timeText } from "../src/draw/timeline-ruler";
import { timelineSentence } from "../src/pages/timeline-words";

/** What a tile says of rows with these shares of computing, a half of the rest moving, a quarter waiting. */
function tileOf(compute: number[][]): Float32Array {
  const all = compute.flat();
  return Float32Array.from([
    ...all,
    ...all.map((x) => (1 - x) / 2),
    ...all.map((x) => (1 - x) / 4),
  ]);
}

function span(rank: number, collective: number, start: number, met: number, end: number): Span {
  return {
    rank,
    collective,
    step: 1,
    program: 0,
    start_s: start,
    wait_s: met - start,
    end_s: end,
  };
}

// ranks 0 and 1 meet at 3, ranks 2 and 3 at 4: two groups of the same collective
const SPANS = [
  span(0, 0, 1, 3, 5),
  span(1, 0, 3, 3, 5),
  span(2, 0, 2, 4, 6),
  span(3, 0, 4, 4, 6),
  span(0, 1, 4, 4, 8), // under way while collective 0 still is
];

const TIMELINE: Timeline = {
  schema: 1,
  programs: ["train"],
  start_s: 0,
  end_s: 10,
  first_step: 1,
  last_step: 1,
  bins: 4,
  rows: [[0], [1], [2], [3]],
  lanes: [],
  timed_steps: 1,
  read_every: 1,
  steps: [{ step: 1, program: 0, start_s: 0, end_s: 10 }],
  spans: SPANS,
  late: [],
  clock_offsets_s: {},
};

function picture(palette = LIGHT, more: object = {}) {
  return timelinePicture({
    timeline: TIMELINE,
    rows: rowsOf(TIMELINE, tileOf(TIMELINE.rows.map(() => [1, 0.5, 0, 1])), [2, 2], "each"),
    palette,
    width: 700,
    kind: (_, collective) => (collective ? "all_gather" : "all_reduce"),
    ...more,
  });
}

describe("rows", () => {
  const ranks = Array.from({ length: 8 }, (_, rank) => rank);

  it("are the ranks where these are few", () => {
    const each = { rows: ranks.map((r) => [r]), bins: 2 };
    const rows = rowsOf(each, tileOf(ranks.map((r) => [r / 8, 1])), [2, 4], "each");
    expect(rows.map((r) => r.label)).toEqual(ranks.map((r) => `rank ${r}`));
    expect([...rows[4]!.compute]).toEqual([0.5, 1]);
    expect([...rows[4]!.communication]).toEqual([0.25, 0]);
    expect([...rows[4]!.wait]).toEqual([0.125, 0]);
  });

  it("name the place along a device axis, or the ranks that share them", () => {
    const halves = { rows: [ranks.slice(0, 4), ranks.slice(4)], bins: 1 };
    const tile = tileOf([[0], [1]]);
    expect(rowsOf(halves, tile, [2, 4], 1).map((r) => r.label)).toEqual([
      "axis 1 at 0",
      "axis 1 at 1",
    ]);
    expect(rowsOf(halves, tile, [2, 4], "blocks")[1]!.label).toBe("4 to 7");
  });

  it("cannot be single ranks where these are too many to be seen", () => {
    expect(choices([32, 32], 1024)).toEqual(["blocks", 1, 0]);
    expect(choices([2, 4], 8)).toEqual(["each", 1, 0]);
    expect(choices([8], 8)).toEqual(["each"]);
  });

  it("sum to the shares of the stretch", () => {
    const [row] = rowsOf({ rows: [[0]], bins: 2 }, tileOf([[1, 0]]), [1], "each");
    expect(sharesOf(row!)).toEqual({ compute: 0.5, communication: 0.25, wait: 0.125 });
  });
});

describe("collectives", () => {
  it("belong together where all of a group arrived at one moment", () => {
    expect(together(SPANS, SPANS[0]!).map((s) => s.rank)).toEqual([0, 1]);
    expect(together(SPANS, SPANS[3]!).map((s) => s.rank)).toEqual([2, 3]);
  });

  it("name the last to arrive, and what the others waited", () => {
    expect(latenessOf(together(SPANS, SPANS[0]!))).toEqual({ last: 1, late_s: 2, cost_s: 2 });
    expect(latenessOf([SPANS[0]!])).toBeNull();
  });

  it("lie on lanes of their own while under way together", () => {
    expect(lanesOf(SPANS)).toEqual({ lane: [0, 0, 0, 0, 1], count: 2 });
  });

  it("are found again by their names", () => {
    for (const s of SPANS) expect(spanOf(SPANS, spanKey(s))).toBe(s);
    expect(spanOf(SPANS, "9.9.9.9")).toBeUndefined();
  });

  it("are walked by arrow keys: in time on a rank, and from rank to rank", () => {
    expect(neighbourSpan(SPANS, SPANS[0], 1, 0)).toBe(SPANS[4]);
    expect(neighbourSpan(SPANS, SPANS[4], -1, 0)).toBe(SPANS[0]);
    expect(neighbourSpan(SPANS, SPANS[0], 0, 1)).toBe(SPANS[1]);
    expect(neighbourSpan(SPANS, SPANS[3], 0, 1)).toBe(SPANS[3]);
  });
});

describe.each([
  ["light", LIGHT],
  ["dark", DARK],
] as const)("the timeline, %s", (_, palette) => {
  it("draws each collective and the selected one's group", () => {
    const drawn = picture(palette, { selected: SPANS[0], rank: 2 });
    expect(drawn.isExact).toBe(true);
    expect(toSvg(drawn.pointed({ span: SPANS[3] }), "timeline")).toMatchSnapshot();
  });

  it("draws shares where collectives are too many", () => {
    const drawn = picture(palette, { timeline: { ...TIMELINE, spans: [] } });
    expect(drawn.isExact).toBe(false);
    expect(toSvg(drawn.drawing, "timeline")).toMatchSnapshot();
  });

  it("draws the brush over all steps", () => {
    const steps = [1, 2, 3].map((step) => ({
      step,
      program: 0,
      start_s: step,
      end_s: 1.25 * step,
    }));
    const drawn = brushPicture({ steps, start_s: 2, end_s: 3, palette, width: 500 });
    expect(toSvg(drawn.drawing, "steps")).toMatchSnapshot();
  });
});

describe("pointing at the timeline", () => {
  it("finds a collective at the middle of its box", () => {
    const drawn = picture();
    for (const s of SPANS) {
      const box = drawn.spanBox(s);
      expect(drawn.spanAt(box.x + box.width / 2, box.y + box.height / 2)).toBe(s);
    }
    expect(drawn.spanAt(drawn.left + 1, 60)).toBeUndefined();
  });

  it("turns places into times and back", () => {
    const drawn = picture();
    expect(drawn.timeAt(drawn.left)).toBe(0);
    expect(drawn.timeAt(drawn.right)).toBe(10);
  });

  it("writes moments with as many digits as their distance needs", () => {
    expect([timeText(1, 1), timeText(0.25, 0.05), timeText(1.0005, 0.0005)]).toEqual([
      "1 s",
      "0.25 s",
      "1.0005 s",
    ]);
  });
});

describe("the sentence of the timeline", () => {
  const said = (steps: StepMark[]) =>
    timelineSentence(
      { ...TIMELINE, programs: ["train", "test", "more"], steps },
      rowsOf(TIMELINE, tileOf(TIMELINE.rows.map(() => [1, 1, 1, 1])), [2, 2], "each"),
      () => "",
      false,
    );
  const step = (program: number, number: number): StepMark => ({
    program,
    step: number,
    start_s: 0,
    end_s: 1,
  });

  it("tells the steps of one program from the first to the last", () => {
    expect(said([step(0, 9), step(0, 20)])).toContain("steps 9 to 20:");
    expect(said([step(0, 9)])).toContain("step 9:");
    expect(said([])).toContain("no step:");
  });

  it("tells the steps of several programs apart, since each counts its own", () => {
    const both = [step(0, 190), step(0, 200), step(1, 1)];
    expect(said(both)).toContain("steps 190 to 200 of train, step 1 of test:");
  });
});
