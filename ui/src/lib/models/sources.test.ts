import { expect, test } from "vitest";
import { loadByAlias, loadByVersion, parseSource, runSource } from "./sources";

test.each([
  ["runs:/abc/model", { kind: "run", runId: "abc", path: "model" }],
  ["runs:/abc/a/b", { kind: "run", runId: "abc", path: "a/b" }],
  ["runs:///abc", { kind: "run", runId: "abc", path: "" }],
  ["models:/m-12", { kind: "logged-model", modelId: "m-12" }],
  ["models:/churn model/3", { kind: "version", name: "churn model", version: "3" }],
  ["models:/churn@champion", { kind: "other" }],
  ["s3://bucket/model", { kind: "other" }],
])("%s is read", (source, meaning) => {
  expect(parseSource(source)).toEqual(meaning);
});

test("a run's folder is named without slashes around it", () => {
  expect(runSource("abc", "/models/best/")).toBe("runs:/abc/models/best");
});

test("code that loads a model names it as text of Python", () => {
  expect(loadByVersion('a "b"', "3")).toContain('load_model("models:/a \\"b\\"/3")');
  expect(loadByAlias("churn", "champion")).toContain('load_model("models:/churn@champion")');
});
