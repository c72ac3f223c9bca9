import { beforeEach, describe, expect, it } from "vitest";
import { type Item, marked, matching, recentItems, rememberItem, runIdOf } from "./palette";

const item = (id: string): Item => ({ kind: "run", id, label: id, href: `#/${id}` });

describe("the command palette", () => {
  beforeEach(() => localStorage.clear());

  it("marks the words of the query, in any case, whatever characters they have", () => {
    expect(marked("Train (a+b)", "a+b tr")).toEqual([
      { text: "Tr", isMatch: true },
      { text: "ain (", isMatch: false },
      { text: "a+b", isMatch: true },
      { text: ")", isMatch: false },
    ]);
    expect(marked("x", " ")).toEqual([{ text: "x", isMatch: false }]);
  });

  it("offers what has every word", () => {
    const items = ["Go to Models", "Go to Settings"].map(
      (label) => ({ kind: "action", id: label, label }) satisfies Item,
    );
    expect(matching(items, "go mod").map(({ label }) => label)).toEqual(["Go to Models"]);
  });

  it("remembers what was opened last, once each, and not without end", () => {
    for (const id of ["a", "b", "a", "c", "d", "e", "f", "g"]) rememberItem(item(id));
    expect(recentItems().map(({ id }) => id)).toEqual(["g", "f", "e", "d", "c", "a"]);
  });

  it("has nothing to show where what was kept is broken", () => {
    localStorage.setItem("runyard.recent", "{");
    expect(recentItems()).toEqual([]);
  });
});

describe("a run that is named", () => {
  const id = "0123456789abcdef0123456789abcdef";

  it.each([id, ` ${id}\n`, id.toUpperCase(), `http://host:5000/#/experiments/1/runs/${id}?tab=metrics`])(
    "is found in %j",
    (text) => expect(runIdOf(text)).toBe(id),
  );

  it.each(["", "train", id.slice(1), `${id}0`, `x/runs/${id}0`])("is not found in %j", (text) =>
    expect(runIdOf(text)).toBeUndefined(),
  );
});
