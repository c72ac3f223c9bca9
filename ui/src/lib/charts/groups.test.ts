import { describe, expect, it } from "vitest";
import { groupBars, groupLines, groupValue, withoutGaps } from "./groups";
import { toLines } from "./series";

const series = (runId: string, values: Record<number, number>) => ({
  runId,
  points: Object.entries(values).map(([step, value]) => ({ step: Number(step), timeMs: 0, value })),
});
const STEP = { axis: "step", logX: false, logY: false, maxPlaces: 1000 } as const;

describe("groups", () => {
  it("have the mean, the ends and the deviation of the sample", () => {
    expect(groupValue([1, 2, 6], "range")).toEqual({ mean: 3, low: 1, high: 6, count: 3 });
    const { low, high } = groupValue([1, 3], "deviation")!;
    expect([low, high]).toEqual([2 - Math.SQRT2, 2 + Math.SQRT2]);
    expect(groupValue([5], "deviation")).toEqual({ mean: 5, low: 5, high: 5, count: 1 });
    expect(groupValue([], "range")).toBeUndefined();
  });

  it("fill what lies between two points, and nothing beyond the ends", () => {
    expect(withoutGaps([null, 1, null, 4, null], [0, 1, 2, 4, 5])).toEqual([null, 1, 2, 4, null]);
  });

  it("make one line of runs with points at different steps, and count them at each", () => {
    const lines = toLines([series("a", { 0: 0, 2: 4 }), series("b", { 1: 6, 2: 8 }), series("c", { 0: NaN })], STEP);
    const groups = [
      { key: "g", runIds: ["a", "b", "c"] },
      { key: "none", runIds: ["d"] },
    ];
    const grouped = groupLines(lines, groups, "range");
    expect(grouped.runs).toEqual([
      { runId: "g", last: [0, 4, 6], min: [0, 2, 4], max: [0, 6, 8], counts: [1, 2, 2], hasBand: true },
    ]);
    expect(grouped.marks).toEqual([{ runId: "g", x: 0, kind: "nan" }]);
  });

  it("make bars of runs with one value each, of what is finite", () => {
    const one = [series("a", { 0: 1 }), series("b", { 0: 3 }), series("c", { 0: Infinity })];
    expect(groupBars(one, [{ key: "g", runIds: ["a", "b", "c"] }], "range")).toEqual([
      { key: "g", mean: 2, low: 1, high: 3, count: 2 },
    ]);
  });
});
