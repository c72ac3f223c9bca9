import { expect, it } from "vitest";
import { interpolate, levelsOf, placeOf } from "./grid";

const points = [
  { x: 0, y: 0, z: 1 },
  { x: 10, y: 0, z: 2 },
  { x: 0, y: 4, z: 3 },
  { x: 10, y: 4, z: 4 },
];

it("the surface goes through the points, and never beyond them", () => {
  const grid = interpolate(points, [0, 10], [0, 4], 5);
  expect(grid.values[0]).toBe(1);
  expect(grid.values[4]).toBe(2);
  expect(grid.values[20]).toBe(3);
  expect(grid.values[24]).toBe(4);
  // The middle is as far from all.
  expect(grid.values[12]).toBeCloseTo(2.5);
  expect(Math.min(...grid.values)).toBe(1);
  expect(Math.max(...grid.values)).toBe(4);
});

it("points in the same place count as their mean", () => {
  const grid = interpolate([...points, { x: 0, y: 0, z: 5 }], [0, 10], [0, 4], 3);
  expect(grid.values[0]).toBe(3);
});

it("one point makes a level surface", () => {
  const grid = interpolate([{ x: 1, y: 1, z: 7 }], [1, 1], [1, 1], 3);
  expect(new Set(grid.values)).toEqual(new Set([7]));
  expect(levelsOf(grid.values)).toEqual([7]);
});

it("places on the grid are places on the axes", () => {
  const grid = interpolate(points, [0, 10], [0, 4], 5);
  expect(placeOf(grid, [0.5, 0.5])).toEqual([0, 0]);
  expect(placeOf(grid, [2.5, 4.5])).toEqual([5, 4]);
  expect(placeOf(grid, [5, 0])).toEqual([10, 0]);
});

it("levels are evenly spaced from the lowest on", () => {
  expect(levelsOf([0, 10], 5)).toEqual([0, 2, 4, 6, 8]);
  expect(levelsOf([])).toEqual([]);
});
