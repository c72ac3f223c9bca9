import { describe, expect, it } from "vitest";
import { binOf, fiveNumbers, pearson, ranks, spearman, varianceShare } from "./statistics";

describe("correlations", () => {
  it("are 1 for a rising line, -1 for a falling one", () => {
    expect(pearson([1, 2, 3], [10, 20, 30])).toBeCloseTo(1);
    expect(pearson([1, 2, 3], [3, 2, 1])).toBeCloseTo(-1);
  });

  it("tell a curve that always rises by its ranks alone", () => {
    const xs = [1, 2, 3, 4, 5];
    const ys = xs.map((x) => Math.exp(x));
    expect(spearman(xs, ys)).toBeCloseTo(1);
    // As numpy.corrcoef says.
    expect(pearson(xs, ys)).toBeCloseTo(0.8862, 3);
  });

  it("are unknown for two pairs, or where nothing varies", () => {
    expect(pearson([1, 2], [1, 2])).toBeUndefined();
    expect(pearson([1, 1, 1], [1, 2, 3])).toBeUndefined();
  });

  it("give equal values the mean of their ranks", () => {
    expect(ranks([30, 10, 10, 20])).toEqual([4, 1.5, 1.5, 3]);
  });
});

describe("the share of the variance that groups explain", () => {
  it("is 1 where groups say all, 0 where they say nothing", () => {
    expect(varianceShare([0, 0, 1, 1], [5, 5, 9, 9])).toBe(1);
    expect(varianceShare([0, 0, 1, 1], [5, 9, 5, 9])).toBe(0);
  });

  it("is Kelley's estimate in between", () => {
    // Within 4 * 0.25 = 1, by 2 degrees of freedom; whole 17, by 3: 1 - 0.5 / (17 / 3).
    expect(varianceShare([0, 0, 1, 1], [1, 2, 5, 6])).toBeCloseTo(1 - 0.5 / (17 / 3));
  });

  it("is unknown where each run is a group of its own, for that would explain everything", () => {
    expect(varianceShare([0, 1, 2, 3], [1, 5, 2, 8])).toBeUndefined();
    expect(varianceShare([0, 0, 0], [1, 2, 3])).toBeUndefined();
    expect(varianceShare([0, 0, 1], [4, 4, 4])).toBeUndefined();
  });
});

describe("bins", () => {
  it("leave few different numbers as they are", () => {
    expect(binOf([16, 64, 16, 32, 64, 16, 32, 64, 16])).toEqual([0, 2, 0, 1, 2, 0, 1, 2, 0]);
  });

  it("put many numbers into groups of equal size, equal ones together", () => {
    const bins = binOf(Array.from({ length: 100 }, (_, at) => at ** 3));
    expect(new Set(bins).size).toBe(10);
    expect(bins.filter((bin) => bin === 3)).toHaveLength(10);
    const tied = binOf([...Array.from({ length: 50 }, () => 0), ...Array.from({ length: 50 }, (_, at) => at + 1)]);
    expect(new Set(tied.slice(0, 50)).size).toBe(1);
  });
});

describe("five numbers", () => {
  it("are those of NumPy's quantiles, with what lies far off apart", () => {
    expect(fiveNumbers([1, 2, 3, 4, 100])).toEqual({
      low: 1,
      lowerQuartile: 2,
      median: 3,
      upperQuartile: 4,
      high: 4,
      outliers: [100],
    });
  });

  it("are all the same of one value, and none of none", () => {
    expect(fiveNumbers([7])).toMatchObject({ low: 7, median: 7, high: 7, outliers: [] });
    expect(fiveNumbers([])).toBeUndefined();
  });
});
