import { expect, test } from "vitest";
import { isFilter, modelFilter, quoted } from "./filter";

test("nothing typed asks for every model", () => {
  expect(modelFilter("  ")).toBeUndefined();
});

test("words are looked for in the name, each of them", () => {
  expect(modelFilter(" churn ")).toBe("name ILIKE '%churn%'");
  expect(modelFilter("churn eu")).toBe("name ILIKE '%churn%' AND name ILIKE '%eu%'");
});

test("quotes in a word do not end the text", () => {
  expect(modelFilter("ana's")).toBe("name ILIKE '%ana''s%'");
  expect(quoted("it's")).toBe("'it''s'");
});

test.each([
  "tags.owner = 'x'",
  "name LIKE 'a%'",
  "name ilike '%b'",
  "last_updated_timestamp > 5",
  "name IN ('a', 'b')",
  "tags.owner IS NOT NULL",
])("%s is passed on as it is", (text) => {
  expect(modelFilter(text)).toBe(text);
});

test.each(["like", "in", "what is it", "churn-model v2"])("%s is words", (text) => {
  expect(isFilter(text)).toBe(false);
});
