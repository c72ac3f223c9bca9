import { expect, test } from "vitest";
import { compareColumns, isOdd, mapOf, rowOf } from "./comparison";

test("rows are all keys, sorted, and know whether they differ", () => {
  const first = new Map([
    ["lr", "0.1"],
    ["depth", "3"],
  ]);
  const second = new Map([
    ["lr", "0.2"],
    ["depth", "3"],
    ["seed", "1"],
  ]);
  expect(compareColumns([first, second])).toEqual([
    { key: "depth", values: ["3", "3"], differs: false },
    { key: "lr", values: ["0.1", "0.2"], differs: true },
    { key: "seed", values: [undefined, "1"], differs: true },
  ]);
});

test("the odd cell is the one unlike most", () => {
  const row = rowOf("lr", ["0.1", "0.2", "0.2"]);
  expect([0, 1, 2].map((column) => isOdd(row, column))).toEqual([true, false, false]);
});

test("with two columns the first is the measure", () => {
  const row = rowOf("lr", ["0.1", "0.2"]);
  expect([0, 1].map((column) => isOdd(row, column))).toEqual([false, true]);
});

test("nothing is odd in a row of equals", () => {
  expect(isOdd(rowOf("lr", ["1", "1"]), 0)).toBe(false);
});

test("pairs become a map, numbers as text", () => {
  expect(mapOf([{ key: "loss", value: 0.5 }])).toEqual(new Map([["loss", "0.5"]]));
  expect(mapOf(undefined).size).toBe(0);
});
