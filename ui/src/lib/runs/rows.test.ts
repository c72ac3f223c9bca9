import { describe, expect, it } from "vitest";
import { blockOf, groupKey, groupRows, runRows } from "./rows";
import { extended, keptScroll, toggled } from "./selection";

describe("rows", () => {
  it("show children below a run that is open, and that they are being read", () => {
    const rows = runRows(
      ["a", "b"],
      new Map([
        ["a", ["c"]],
        ["c", undefined],
      ]),
    );
    expect(rows.map((row) => [row.kind, row.kind === "run" ? `${row.depth} ${row.runId}` : ""])).toEqual([
      ["run", "0 a"],
      ["run", "1 c"],
      ["loading", ""],
      ["run", "0 b"],
    ]);
  });

  it("have keys of their own, also where a run is shown twice", () => {
    const rows = runRows(["a", "c"], new Map([["a", ["c"]]]));
    expect(new Set(rows.map(({ key }) => key)).size).toBe(rows.length);
  });

  it("end where runs are each other's parents", () => {
    expect(
      runRows(
        ["a"],
        new Map([
          ["a", ["b"]],
          ["b", ["a"]],
        ]),
      ).length,
    ).toBe(3);
  });

  it("show groups, and the runs of those that are open", () => {
    const keys = [groupKey(["adam"]), groupKey([null])];
    const rows = groupRows(keys, new Map([[keys[1]!, ["a", "b"]]]));
    expect(rows.map(({ kind }) => kind)).toEqual(["group", "group", "run", "run"]);
    expect(groupKey(["null"])).not.toBe(groupKey([null]));
  });
});

describe("selections", () => {
  const runIds = ["a", "b", undefined, "c", "d"];

  it("toggle one run", () => {
    expect([...toggled(new Set(["a"]), "b")]).toEqual(["a", "b"]);
    expect([...toggled(new Set(["a"]), "a")]).toEqual([]);
  });

  it("extend over a range, both ways, and pass over what is no run", () => {
    expect([...extended(new Set(["b"]), runIds, 1, 4)].sort()).toEqual(["b", "c", "d"]);
    expect([...extended(new Set(["d"]), runIds, 4, 0)].sort()).toEqual(["a", "b", "c", "d"]);
  });

  it("take a range away where the first row was taken away", () => {
    expect([...extended(new Set(["b", "c", "d"]), runIds, 0, 3)]).toEqual(["d"]);
  });

  it("keep their place when rows come in above", () => {
    expect(keptScroll("b", -10, ["new", "a", "b"], 32)).toBe(74);
    expect(keptScroll("gone", 0, ["a"], 32)).toBeUndefined();
  });
});

describe("a block", () => {
  it("holds what is in view and stays the same while that moves within it", () => {
    expect(blockOf(3, 30, 40)).toEqual({ first: 0, last: 40 });
    expect(blockOf(12, 39, 40)).toEqual({ first: 0, last: 40 });
    expect(blockOf(13, 40, 40)).toEqual({ first: 0, last: 80 });
  });

  it("is empty where nothing is in view", () => {
    expect(blockOf(0, -1, 40)).toEqual({ first: 0, last: 0 });
  });
});
