import { expect, test } from "vitest";
import { keyText, tokenize } from "./tokenize";

const kinds = (filter: string) => tokenize(filter).map(({ kind }) => kind);

test("a filter is cut into fields, comparators, values and words, each with its place", () => {
  const tokens = tokenize("metrics.`val/loss` <= 1e-3 AND tags.team IN ('a''b', \"c\")");
  expect(tokens.map(({ kind, value, prefix, from }) => [kind, value, prefix, from])).toEqual([
    ["field", "val/loss", "metrics", 0],
    ["comparator", "<=", "", 19],
    ["number", "1e-3", "", 22],
    ["word", "AND", "", 27],
    ["field", "team", "tags", 31],
    ["word", "IN", "", 41],
    ["open", "(", "", 44],
    ["text", "a'b", "", 45],
    ["comma", ",", "", 51],
    ["quoted", "c", "", 53],
    ["close", ")", "", 56],
    ["end", "", "", 57],
  ]);
});

test("a blank filter has no tokens", () => {
  expect(kinds("")).toEqual(["end"]);
  expect(kinds(" \n ")).toEqual(["end"]);
});

test.each([
  ["params.a = 'open", "unclosedQuote", 11],
  ["metrics.`open", "unclosedQuote", 8],
  ["metrics.", "keyMustFollow", 7],
  ["metrics.a < 1.2.3", "badNumber", 12],
  ["metrics.a < 5x", "badNumber", 12],
  ["params.a ~ 'x'", "unexpectedCharacter", 9],
  ["tags.a = 🌳", "unexpectedCharacter", 9],
])("what is no token ends the tokens and is told: %s", (filter, flaw, from) => {
  const tokens = tokenize(filter);
  expect(tokens.at(-1)?.kind).toBe("end");
  expect(tokens.at(-2)).toMatchObject({ kind: "unknown", flaw, from });
});

test("letters of every language make words and keys", () => {
  expect(tokenize("params.größe = 'x'")[0]).toMatchObject({ kind: "field", value: "größe" });
  expect(tokenize("metrics.2x < 1")[0]).toMatchObject({ kind: "field", value: "2x" });
});

test("keys are put in backticks where they need it", () => {
  expect(["loss", "a.b", "2x", "val/loss", "a b", "a`b", "a.", ""].map(keyText)).toEqual([
    "loss",
    "a.b",
    "2x",
    "`val/loss`",
    "`a b`",
    "`a``b`",
    "`a.`",
    "``",
  ]);
});
