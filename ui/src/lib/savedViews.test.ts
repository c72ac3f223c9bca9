import { expect, test } from "vitest";
import { isSameView, lengthOf, viewsOf, viewText } from "./savedViews";

test("views are found among an experiment's tags, by name", () => {
  const tags = [
    { key: "runyard.view.run 10", value: '{"filter":"x"}' },
    { key: "team", value: "vision" },
    { key: "runyard.view.run 9", value: "{" },
    { key: "runyard.view.", value: "{}" },
    { key: "runyard.view.a list", value: "[1]" },
  ];
  expect(viewsOf(tags)).toEqual([
    { name: "a list", view: undefined, text: "[1]" },
    { name: "run 9", view: undefined, text: "{" },
    { name: "run 10", view: { filter: "x" }, text: '{"filter":"x"}' },
  ]);
});

test("the same view is the same in whatever order it was put together", () => {
  const view = {
    filter: "a",
    columns: ["metrics.b", "metrics.a"],
    charts: { x: 1, y: [{ b: 1, a: 2 }] },
    tab: undefined,
  };
  const same = { charts: { y: [{ a: 2, b: 1 }], x: 1 }, columns: ["metrics.b", "metrics.a"], filter: "a" };
  expect(viewText(view)).toBe(viewText(same));
  expect(isSameView(view, same)).toBe(true);
  expect(isSameView({ ...view, columns: ["metrics.a", "metrics.b"] }, same)).toBe(false);
  expect(isSameView(undefined, same)).toBe(false);
});

test("lengths are counted in characters", () => {
  expect(lengthOf("añ🌳")).toBe(3);
});
