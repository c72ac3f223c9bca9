import { expect, it } from "vitest";
import { axisOf, categoryAxis, completeRows, missingCounts, orderCategories, suggestScale } from "./values";

it("a param whose values are all numbers is an axis of numbers", () => {
  const axis = axisOf("params.depth", ["2", null, "10"]);
  expect(axis).toMatchObject({ kind: "number", scale: "linear", values: [2, undefined, 10] });
});

it("one word among the numbers makes it an axis of words, in the order people expect", () => {
  const axis = axisOf("params.layers", ["layer 10", "layer 2", "none", null]);
  expect(axis).toMatchObject({ kind: "category", categories: ["layer 2", "layer 10", "none"] });
  expect(axis.values).toEqual([1, 0, 2, undefined]);
});

it("booleans and hexadecimal ids are words", () => {
  expect(axisOf("params.shuffle", ["True", "False"]).kind).toBe("category");
  expect(axisOf("params.id", ["0x10", "0x20"]).kind).toBe("category");
});

it("a metric that is NaN has no place on an axis, and stays a metric", () => {
  expect(axisOf("metrics.loss", ["NaN", 0.5, "Infinity"])).toMatchObject({
    kind: "number",
    values: [undefined, 0.5, undefined],
  });
  expect(axisOf("metrics.loss", ["NaN"]).kind).toBe("number");
});

it("learning rates are shown by their logarithms, unless the reader says otherwise", () => {
  const cells = ["0.0001", "0.001", "0.1"];
  expect(axisOf("params.lr", cells).scale).toBe("log");
  expect(axisOf("params.lr", cells, "linear").scale).toBe("linear");
  expect(suggestScale([0, 1, 1000])).toBe("linear");
  expect(suggestScale([1, 50])).toBe("linear");
});

it("what is not above zero has no place on a logarithmic axis", () => {
  expect(axisOf("metrics.gap", [-1, 0, 10], "log").values).toEqual([undefined, undefined, 10]);
});

it("words that are numbers are sorted as numbers", () => {
  expect(orderCategories(["10", "9", "10", undefined])).toEqual(["9", "10"]);
  expect(categoryAxis("params.depth", ["10", "9"]).values).toEqual([1, 0]);
});

it("runs without a value are left out and counted", () => {
  const axes = [axisOf("params.lr", ["0.1", null, "0.3"]), axisOf("metrics.loss", [1, 2, null])];
  expect(completeRows(axes, 3)).toEqual([0]);
  expect(missingCounts(axes, 3)).toEqual([
    { column: "params.lr", missing: 1 },
    { column: "metrics.loss", missing: 1 },
  ]);
});
