import { describe, expect, it } from "vitest";
import { readRunSearch } from "./search";

describe("the address of a run's page", () => {
  it("tells the tab, the artifact and the arrangements of charts", () => {
    const search = { tab: "artifacts", path: "plots/a.png", charts: { version: 1 }, systemCharts: { version: 1 } };
    expect(readRunSearch(search)).toEqual(search);
  });

  it("may name an artifact that looks like a number", () => {
    expect(readRunSearch({ path: 7 })).toEqual({ path: "7" });
  });

  it("leaves out what does not fit", () => {
    expect(readRunSearch({ tab: "overview", path: "", charts: "x", systemCharts: null, other: 1 })).toEqual({});
  });
});
