import { expect, test } from "vitest";
import { aliasProblem, modelNameProblem } from "./names";

test.each([
  ["churn model #1 (50 %)", undefined],
  ["…", undefined],
  ["a.b", undefined],
  ["🐦".repeat(256), undefined],
  ["", "empty"],
  ["  ", "empty"],
  ["a/b", "separator"],
  ["a:b", "separator"],
  ["..", "dots"],
  ["x".repeat(257), "long"],
])("the name %j has the problem %s", (name, problem) => {
  expect(modelNameProblem(name)).toBe(problem);
});

test.each([
  ["champion", undefined],
  ["1", undefined],
  ["niño_2-b", undefined],
  ["v", undefined],
  ["v2x", undefined],
  ["", "empty"],
  ["a b", "characters"],
  ["a.b", "characters"],
  ["Latest", "reserved"],
  ["v12", "reserved"],
  ["x".repeat(256), "long"],
])("the alias %j has the problem %s", (alias, problem) => {
  expect(aliasProblem(alias)).toBe(problem);
});
