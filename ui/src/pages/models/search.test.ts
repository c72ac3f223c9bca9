import { expect, test } from "vitest";
import { readCompareVersionsSearch, readModelFilesSearch, readModelsSearch } from "./search";

test("the query and the order are read, and what does not fit is left out", () => {
  expect(readModelsSearch({ query: "churn", sort: "updated", other: 1 })).toEqual({ query: "churn", sort: "updated" });
  expect(readModelsSearch({ query: { a: 1 }, sort: "size" })).toEqual({ query: undefined, sort: undefined });
});

test("a query that is a number is the text of it", () => {
  expect(readModelsSearch({ query: 12 }).query).toBe("12");
});

test("versions to compare are numbers, each once, as text or not", () => {
  expect(readCompareVersionsSearch({ versions: ["2", 1, "2", "x", null] }).versions).toEqual(["2", "1"]);
  expect(readCompareVersionsSearch({ versions: "3" }).versions).toEqual([]);
  expect(readCompareVersionsSearch({ differences: true }).differences).toBe(true);
});

test("the path of a file is read", () => {
  expect(readModelFilesSearch({ path: "model/MLmodel" }).path).toBe("model/MLmodel");
  expect(readModelFilesSearch({}).path).toBeUndefined();
});
