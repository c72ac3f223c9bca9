import { expect, it } from "vitest";
import { brushedRows, categoryIntervals, isBrushed, selectedCategories, setIntervals } from "./brush";
import { axisOf } from "./values";

const axes = [axisOf("params.optimizer", ["adam", "sgd", "adam"]), axisOf("metrics.loss", [1, 2, 3])];

it("selects the runs that lie within a range of every axis that has any", () => {
  expect(brushedRows(axes, {}, [0, 1, 2])).toEqual([0, 1, 2]);
  expect(brushedRows(axes, { "metrics.loss": [[1.5, 3]] }, [0, 1, 2])).toEqual([1, 2]);
  const both = {
    "metrics.loss": [[1.5, 3]] as [number, number][],
    "params.optimizer": [[-0.25, 0.25]] as [number, number][],
  };
  expect(brushedRows(axes, both, [0, 1, 2])).toEqual([2]);
});

it("takes several ranges of an axis as alternatives, and ranges of axes that are gone as nothing", () => {
  const brush = {
    "metrics.loss": [[0, 1] as [number, number], [3, 4] as [number, number]],
    "params.gone": [[0, 0] as [number, number]],
  };
  expect(brushedRows(axes, brush, [0, 1, 2])).toEqual([0, 2]);
});

it("ranges are set, put in order, and taken away", () => {
  const brush = setIntervals({}, "metrics.loss", [[3, 1]]);
  expect(brush).toEqual({ "metrics.loss": [[1, 3]] });
  expect(isBrushed(setIntervals(brush, "metrics.loss", []))).toBe(false);
});

it("words that are chosen become ranges, neighbours one", () => {
  expect(categoryIntervals([true, true, false, true])).toEqual([
    [-0.25, 1.25],
    [2.75, 3.25],
  ]);
  expect(categoryIntervals([true, true])).toEqual([]);
  const axis = axisOf("params.name", ["a", "b", "c"]);
  expect(selectedCategories(axis, { "params.name": categoryIntervals([false, true, false]) })).toEqual([
    false,
    true,
    false,
  ]);
  expect(selectedCategories(axis, { "params.name": categoryIntervals([false, false, false]) })).toEqual([
    false,
    false,
    false,
  ]);
});
