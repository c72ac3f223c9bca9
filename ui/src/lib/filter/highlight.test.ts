import { expect, test } from "vitest";
import { briefly, highlight, placeOf } from "./highlight";

const shown = (filter: string, wrong?: { from: number; to: number }) =>
  highlight(filter, wrong).map(({ text, kind, isWrong }) => (isWrong ? [text, kind, "wrong"] : [text, kind]));

test("a filter is drawn piece by piece, and nothing of it is lost", () => {
  const filter = " metrics.`a b` < 0.5 and tags.x = 'y' ~ rest";
  expect(
    highlight(filter)
      .map(({ text }) => text)
      .join(""),
  ).toBe(filter);
  expect(shown("metrics.`a b` < 0.5 and x = 'y'")).toEqual([
    ["metrics.`a b`", "field"],
    [" ", "plain"],
    ["<", "comparator"],
    [" ", "plain"],
    ["0.5", "number"],
    [" ", "plain"],
    ["and", "keyword"],
    [" ", "plain"],
    ["x", "field"],
    [" ", "plain"],
    ["=", "comparator"],
    [" ", "plain"],
    ["'y'", "text"],
  ]);
});

test("an open quote holds all that follows", () => {
  expect(shown("x = 'y AND z")).toContainEqual(["'y AND z", "text"]);
});

test("what is wrong is marked, across pieces too", () => {
  expect(shown("ab = 5", { from: 1, to: 4 })).toEqual([
    ["a", "field"],
    ["b", "field", "wrong"],
    [" ", "plain", "wrong"],
    ["=", "comparator", "wrong"],
    [" ", "plain"],
    ["5", "number"],
  ]);
});

test("the server's place is that of the text box, though characters may take two units", () => {
  expect(placeOf("expected a number at character 7:\n…", "tags.🌳 < 'low'")).toEqual({ from: 7, to: 8 });
  expect(placeOf("no such experiment", "x")).toBeUndefined();
  expect(briefly("expected a number at character 6:\nx < 'low'\n    ^")).toBe("expected a number at character 6");
});
