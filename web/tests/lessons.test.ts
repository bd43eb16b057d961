import { describe, expect, it } from "vitest";
import { LIGHT } from "../src/draw/palette";
import { toSvg } from "../src/draw/surface";
import { boxText, cellsOf, RECORDED, valuesText } from "../src/lessons/frames";
import type { Part } from "../src/lessons/frames";
import { drawnSize, frameDrawing, numberText, planScene, sourceOf } from "../src/lessons/picture";
import { bubble, length, pipelineDrawing, schedule } from "../src/lessons/pipeline";
import { barsOf, lastToCome, spansDrawing } from "../src/lessons/spans";
import { LESSONS } from "../src/lessons/texts";

const part: Part = {
  name: "w",
  shape: [2, 4],
  box: [
    [1, 2],
    [2, 4],
  ],
  values: [7, 8],
  kind: "slice",
  dev_mat: [2, 2],
};

describe("words of the lessons", () => {
  it("are ten, each with one right answer", () => {
    expect(LESSONS).toHaveLength(10);
    for (const lesson of LESSONS) {
      expect(lesson.choices.filter((c) => c.isRight)).toHaveLength(1);
      expect(lesson.command).toMatch(/^simpar (run|plan) scenarios\/\w+\.py -n \d$/);
    }
  });

  it("tell of every recorded picture, and of no other", () => {
    const drawn = LESSONS.filter((l) => Object.keys(l.captions).length > 0);
    expect(drawn.map((l) => l.id).sort()).toEqual(Object.keys(RECORDED.frames).sort());
    for (const lesson of drawn) {
      const names = RECORDED.frames[lesson.id]?.map((f) => f.name);
      expect(Object.keys(lesson.captions)).toEqual(names);
    }
  });
});

describe("a part of a tensor", () => {
  it("has its numbers where its box says", () => {
    const held = cellsOf(part).filter((c) => c.value !== null);
    expect(held).toEqual([
      { row: 1, column: 2, value: 7 },
      { row: 1, column: 3, value: 8 },
    ]);
  });

  it("is written as Python writes it", () => {
    expect(boxText(part)).toBe("[1:2, 2:4]");
    expect(
      valuesText({
        ...part,
        box: [
          [0, 2],
          [0, 1],
        ],
      }),
    ).toBe("7; 8");
  });

  it("is folded where it is one long row", () => {
    expect(drawnSize({ ...part, shape: [1, 10] })).toEqual({ rows: 2, columns: 5 });
    expect(drawnSize(part)).toEqual({ rows: 2, columns: 4 });
  });
});

describe("a picture", () => {
  const lessons = Object.entries(RECORDED.frames);

  it.each(lessons)("of %s shows every number and rank, and fits", (id, frames) => {
    frames.forEach((frame, at) => {
      const drawing = frameDrawing({ frames, tint: "place", width: 740, palette: LIGHT }, at);
      const svg = toSvg(drawing, id);
      expect(drawing.width).toBeLessThanOrEqual(740);
      frame.ranks.forEach((parts, rank) => {
        expect(svg).toContain(`>rank ${rank}<`);
        for (const value of parts.flatMap((p) => p.values)) {
          expect(svg).toContain(`>${numberText(value)}<`);
        }
      });
    });
  });

  it("has panels of one size in all frames of a device matrix", () => {
    const frames = RECORDED.frames.redistribution ?? [];
    const sizes = frames.map((_, at) => JSON.stringify(planScene(frames, at, 740).panel));
    expect(new Set(sizes).size).toBe(1);
  });

  it("knows from which rank a number came", () => {
    expect([10, 33, 42].map(sourceOf)).toEqual([0, 2, 3]);
    expect([100, 104, 108, 5].map(sourceOf)).toEqual([-1, -1, -1, -1]);
  });
});

describe("a pipeline", () => {
  const cases = [2, 3, 4, 8].flatMap((p) => [1, 2, 5, 16].map((m) => [p, m] as const));

  it.each(cases)("of %i stages and %i micro-batches keeps the order of work", (p, m) => {
    const turns = schedule(p, m);
    const at = (stage: number, micro: number, isBackward: boolean) =>
      turns.find((t) => t.stage === stage && t.micro === micro && t.isBackward === isBackward)!;
    for (const turn of turns) {
      if (turn.isBackward) {
        expect(turn.start).toBeGreaterThanOrEqual(at(turn.stage, turn.micro, false).stop);
        if (turn.stage < p - 1) {
          expect(turn.start).toBeGreaterThanOrEqual(at(turn.stage + 1, turn.micro, true).stop);
        }
      } else if (turn.stage > 0) {
        expect(turn.start).toBeGreaterThanOrEqual(at(turn.stage - 1, turn.micro, false).stop);
      }
    }
    for (let stage = 0; stage < p; stage++) {
      const own = turns.filter((t) => t.stage === stage).sort((a, b) => a.start - b.start);
      own.slice(1).forEach((t, i) => expect(t.start).toBeGreaterThanOrEqual(own[i]!.stop));
    }
    expect(Math.max(...turns.map((t) => t.stop))).toBe(length(p, m));
  });

  it.each(cases)("of %i stages and %i micro-batches waits as long as the formula says", (p, m) => {
    const busy = schedule(p, m)
      .filter((t) => t.stage === 0)
      .reduce((n, t) => n + t.stop - t.start, 0);
    expect(bubble(p, m)).toBeCloseTo(1 - busy / length(p, m), 12);
  });

  it("is drawn with its turns", () => {
    expect(toSvg(pipelineDrawing(4, 2, 740, LIGHT), "pipeline")).toContain(">B1<");
  });
});

describe("a timeline", () => {
  const span = (start_s: number, end_s: number) => ({
    step: 0,
    kind: "all_reduce",
    start_s,
    end_s,
  });

  it("waits until the last rank comes", () => {
    const timeline = [[span(1, 5)], [span(4, 5)]];
    expect(lastToCome(timeline, 0)).toEqual({ rank: 1, start_s: 4 });
    expect(barsOf(timeline).map((b) => b.waiting_s)).toEqual([3, 0]);
  });

  it("tells who waits only when asked", () => {
    const bars = barsOf();
    expect(toSvg(spansDrawing(bars, false, 740, LIGHT), "timeline")).not.toContain(">waits<");
    expect(toSvg(spansDrawing(bars, true, 740, LIGHT), "timeline")).toContain(">waits<");
  });
});
