import { describe, expect, it } from "vitest";
import { arrangeColumns, defaultColumns, isGroupable, moveColumn, parseColumn, widthOf } from "./columns";

const names = (columns: { name: string }[]) => columns.map(({ name }) => name);

describe("columns", () => {
  it("are a kind and a key, which may hold dots and spaces", () => {
    expect(parseColumn("metrics.val/loss.best one")).toEqual({
      name: "metrics.val/loss.best one",
      kind: "metrics",
      key: "val/loss.best one",
    });
    expect(parseColumn("loss")).toBeUndefined();
    expect(parseColumn("metrics.")).toBeUndefined();
    expect(parseColumn("attributes.nothing")).toBeUndefined();
  });

  it("begin with the name, and leave system metrics to those who ask for them", () => {
    const shown = defaultColumns({ metrics: ["loss", "system/cpu"], params: ["lr"], tags: ["team"] }, 1);
    expect(shown[0]).toBe("attributes.run_name");
    expect(shown).toContain("metrics.loss");
    expect(shown).not.toContain("metrics.system/cpu");
    expect(shown).not.toContain("attributes.experiment_name");
    expect(defaultColumns({ metrics: [], params: [], tags: [] }, 2)).toContain("attributes.experiment_name");
  });

  it("are arranged with the name and the pinned first, each once", () => {
    const { pinned, free } = arrangeColumns(
      ["params.lr", "metrics.a", "metrics.b", "metrics.a", "junk"],
      ["metrics.b"],
    );
    expect(names(pinned)).toEqual(["attributes.run_name", "metrics.b"]);
    expect(names(free)).toEqual(["params.lr", "metrics.a"]);
  });

  it("move to the place of another, both ways", () => {
    expect(moveColumn(["a", "b", "c", "d"], "a", "c")).toEqual(["b", "c", "a", "d"]);
    expect(moveColumn(["a", "b", "c", "d"], "d", "b")).toEqual(["a", "d", "b", "c"]);
    expect(moveColumn(["a", "b"], "x", "a")).toEqual(["a", "b"]);
  });

  it("are never too narrow to be taken hold of", () => {
    const column = parseColumn("metrics.loss")!;
    expect(widthOf(column, { "metrics.loss": 1 })).toBe(56);
    expect(widthOf(column, {})).toBe(120);
  });

  it("group runs where their values can be equal", () => {
    expect(isGroupable(parseColumn("params.lr")!)).toBe(true);
    expect(isGroupable(parseColumn("metrics.loss")!)).toBe(false);
    expect(isGroupable(parseColumn("attributes.start_time")!)).toBe(false);
  });
});
