import { expect, test } from "vitest";
import { check } from "./check";

const NAMES = { metrics: ["loss", "val/loss"], params: ["lr", "depth"], tags: ["team"] };

test.each([
  "",
  "   ",
  "metrics.`val/loss` < 0.1",
  "params.optimizer = 'adam' AND (metrics.loss < 0.1 OR tags.keep = 'yes')",
  "status IN ('FINISHED', 'FAILED') AND NOT tags.team = 'test'",
  "start_time BETWEEN 1700000000000 AND 1700086400000",
  "tags.`mlflow.note.content` IS NOT NULL",
  "run_id IN ('a',)",
  "run name = 'x'",
  "`run name` LIKE 'x%'",
  '"run_name" not ilike "x"',
  "NOT NOT (params.a = 'b')",
  "experiment_id = '5' or experiment_id not in (5, '6')",
  "dataset.name = 'usage'",
  "attr.duration not between 1 and 2",
  "metric.loss != +1e-3",
  "metrics.loss>=.5 and params.lr='1'",
])("the server's grammar is accepted: %s", (filter) => {
  expect(check(filter, "runs", NAMES)).toBeUndefined();
});

test.each([
  ["params.a = 'open", "unclosedQuote", 11],
  ["params.`a = 'x'", "unclosedQuote", 7],
  ["metrics.", "keyMustFollow", 7],
  ["metrics.loss", "comparator", 12],
  ["metrics.loss 5", "comparator", 13],
  ["metrics.loss LIKE 'x'", "invalidComparator", 13],
  ["params.lr < 5", "invalidComparator", 10],
  ["params.lr == 'a'", "invalidComparator", 10],
  ["params.lr = 5", "text", 12],
  ["metrics.loss < 'low'", "number", 15],
  ["metrics.loss < -", "unexpectedCharacter", 15],
  ["experiment_id = 5.5", "integer", 16],
  ["foo.bar = 'x'", "unknownPrefix", 0],
  ["speed > 3", "unknownAttribute", 0],
  ["metrics.`` > 3", "emptyKey", 0],
  ["metrics.val/loss < 1", "unquotedKey", 11],
  ["metrics.val-1 < 1", "unquotedKey", 11],
  ["tags.a IS 'x'", "null", 10],
  ["tags.a IS NOT", "null", 13],
  ["tags.a IN 'x'", "list", 10],
  ["tags.a IN ()", "text", 11],
  ["tags.a IN ('x' 'y')", "nextMember", 15],
  ["duration BETWEEN 1 2", "and", 19],
  ["tags.a = 'x' tags.b = 'y'", "join", 13],
  ["tags.a = 'x')", "join", 12],
  ["(tags.a = 'x'", "join", 13],
  ["tags.a = 'x' AND", "field", 16],
  ["= 5", "field", 0],
  [`${"(".repeat(17)}tags.a = 'x'`, "tooDeep", 16],
  [Array(201).fill("tags.a = 'x'").join(" OR "), "tooMany", 3200],
])("what is wrong is told with its place: %.60s", (filter, code, from) => {
  expect(check(filter, "runs", NAMES)).toMatchObject({ code, from });
});

test("a filter that only ends too early is told from one that is wrong", () => {
  expect(check("metrics.loss <", "runs")).toMatchObject({ isUnfinished: true });
  expect(check("metrics.loss < x", "runs")).toMatchObject({ isUnfinished: false });
});

test.each([
  ["lr = '1'", "params.lr = '1'"],
  ["val/loss < 1", "metrics.`val/loss` < 1"],
  ["metrics.val/loss < 1", "metrics.`val/loss` < 1"],
  ["params.lr = adam-2 AND status = 'x'", "params.lr = 'adam-2' AND status = 'x'"],
  ["params.depth = 5", "params.depth = '5'"],
  ["metrics.loss < '0.5'", "metrics.loss < 0.5"],
])("a slip comes with what puts it right: %s", (filter, expected) => {
  const fix = check(filter, "runs", NAMES)?.fix;
  expect(fix && filter.slice(0, fix.from) + fix.text + filter.slice(fix.to)).toBe(expected);
  expect(check(expected, "runs", NAMES)).toBeUndefined();
});

test("each entity has fields of its own", () => {
  expect(check("metrics.loss < 1", "experiments")).toMatchObject({ code: "unknownPrefix", options: ["tags."] });
  expect(check("creation_time > 5", "experiments")).toBeUndefined();
  expect(check("timestamp > 5 AND description ILIKE '%x%'", "registered_models")).toBeUndefined();
  expect(check("status = 'x'", "registered_models")).toMatchObject({ code: "unknownAttribute" });
});
