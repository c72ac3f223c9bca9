import { describe, expect, it } from "vitest";
import type { RunGroups } from "../../api/schema";
import { sortGroups } from "./groups";

const aggregate = (means: (number | string | null)[]) => ({
  counts: means.map(() => 1),
  means,
  deviations: means.map(() => null),
  minima: means,
  maxima: means,
});
const groups: RunGroups = {
  values: [["0.1"], [null], ["0.01"], ["10"]],
  run_counts: [4, 3, 2, 1],
  metrics: { loss: aggregate([0.5, null, 0.9, "NaN"]) },
  total_count: 4,
};

describe("groups", () => {
  it("stay as the server gave them without an order of theirs", () => {
    expect(sortGroups(groups, ["params.lr"], undefined)).toBe(groups);
    expect(sortGroups(groups, ["params.lr"], { column: "attributes.start_time", descending: true })).toBe(groups);
  });

  it("sort by the mean of a metric, with what has none at the end both ways", () => {
    const order = { column: "metrics.loss", descending: true };
    expect(sortGroups(groups, ["params.lr"], order).run_counts).toEqual([2, 4, 3, 1]);
    expect(sortGroups(groups, ["params.lr"], { ...order, descending: false }).run_counts).toEqual([4, 2, 3, 1]);
  });

  it("sort by their values, numbers as numbers", () => {
    const sorted = sortGroups(groups, ["params.lr"], { column: "params.lr", descending: false });
    expect(sorted.values.map(([value]) => value)).toEqual(["0.01", "0.1", "10", null]);
    expect(sorted.metrics.loss?.means).toEqual([0.9, 0.5, "NaN", null]);
  });
});
