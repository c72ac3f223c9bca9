import { expect, it } from "vitest";
import { importances, ranked } from "./importance";

const metric = [1, 2, 3, 10, 11, 12, undefined];
const params = [
  { column: "params.kind", cells: ["a", "a", "a", "b", "b", "b", "a"] },
  { column: "params.lr", cells: ["6", "5", "4", "3", "2", "1", "9"] },
  { column: "params.constant", cells: ["x", "x", "x", "x", "x", "x", "y"] },
  { column: "params.name", cells: ["n1", "n2", "n3", "n4", "n5", "n6", "n7"] },
];

it("tells of each param that varies what it has to do with the metric", () => {
  const found = importances(metric, params);
  expect(found.map(({ column }) => column)).toEqual(["params.kind", "params.lr", "params.name"]);
  const [kind, rate, name] = found;
  expect(kind).toMatchObject({ count: 6, pearson: undefined });
  expect(kind!.share).toBeGreaterThan(0.9);
  expect(rate!.spearman).toBeCloseTo(-1);
  // A word for each run explains nothing, though it tells the runs apart.
  expect(name!.share).toBeUndefined();
});

it("ranks by strength, whatever the sign, and leaves out what a measure says nothing of", () => {
  const found = importances(metric, params);
  expect(ranked(found, "spearman").map(({ column }) => column)).toEqual(["params.lr"]);
  expect(ranked(found, "share")[0]!.column).toBe("params.kind");
});
