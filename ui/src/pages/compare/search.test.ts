import { expect, it } from "vitest";
import { readCompareSearch } from "./search";

it("reads the runs, each once, whatever their ids look like", () => {
  expect(readCompareSearch({ runs: ["a", 12, "a", null, " "] }).runs).toEqual(["a", "12"]);
  expect(readCompareSearch({ runs: "a,b" }).runs).toEqual(["a", "b"]);
  expect(readCompareSearch({}).runs).toEqual([]);
});

it("leaves out what does not fit", () => {
  const search = readCompareSearch({ tab: "x", differences: "yes", shows: 3, best: "most", step: "1", plots: [{}] });
  expect(search).toEqual({ runs: [], plots: [] });
});

it("keeps a word that was read as a number as text", () => {
  expect(readCompareSearch({ find: 12, image: "a", step: 3, best: "none" })).toEqual({
    runs: [],
    find: "12",
    image: "a",
    step: 3,
    best: "none",
  });
});
