import { describe, expect, it } from "vitest";
import { grown, noSteps, Thinned } from "../src/api/steps";
import type { StepColumns } from "../src/api/types";

const columns = (...steps: number[]): StepColumns => ({
  rank: steps.map(() => 0),
  program: steps.map(() => 0),
  step: steps,
  start_s: steps,
  end_s: steps.map((s) => s + 0.5),
  loss: steps.map((s) => (s === 2 ? "nan" : 1 / s)),
});

describe("steps", () => {
  it("grow without being copied, and keep no loss that is no number", () => {
    const first = grown(noSteps(), ["train"], columns(1, 2));
    const second = grown(first, ["train"], columns(3));
    expect([first.length, second.length]).toEqual([2, 3]);
    expect(second.step).toBe(first.step);
    expect(second.loss).toEqual([1, null, 1 / 3]);
  });

  it("forget what a question that was given up had added", () => {
    const known = grown(noSteps(), ["train"], columns(1, 2));
    grown(known, ["train"], columns(3, 4));
    expect(grown(known, ["train"], columns(3)).step).toEqual([1, 2, 3]);
  });
});

describe("thinned points", () => {
  it("are all there while they are few", () => {
    const thinned = new Thinned<number>(8);
    for (let i = 1; i <= 5; i++) thinned.add(i);
    expect(thinned.points()).toEqual([1, 2, 3, 4, 5]);
  });

  it("stay few, evenly spaced, with the first and the last", () => {
    const thinned = new Thinned<number>(8);
    for (let i = 0; i <= 1000; i++) thinned.add(i);
    const points = thinned.points();
    expect(points.length).toBeLessThan(11);
    expect([points[0], points.at(-1)]).toEqual([0, 1000]);
    const gaps = new Set(points.slice(1, -1).map((p, i) => p - (points[i] ?? 0)));
    expect(gaps.size).toBe(1);
  });
});
