import { expect, test } from "vitest";
import {
  allColumns,
  findColumns,
  moveColumn,
  pinnedFirst,
  setShown,
  shareShown,
  type TreeRow,
  treeRows,
} from "./columnTree";

const AVAILABLE = {
  attributes: ["run_name", "status"],
  metrics: ["accuracy", "system/cpu", "system/gpu.0", "system/gpu.1", "train/loss", "val/a/x", "val/a/y"],
  params: [],
  tags: ["mlflow.source.name", "mlflow.source.type", "mlflow.user", "team"],
};

const drawn = (rows: TreeRow[]) =>
  rows.map(
    (row) =>
      `${"  ".repeat(row.depth)}${row.label || row.family}${row.kind === "group" ? ` (${row.columns.length})` : ""}`,
  );

test("columns are put together by kind and by what their names start with", () => {
  expect(drawn(treeRows(AVAILABLE, () => false))).toEqual([
    "attributes (2)",
    "  run_name",
    "  status",
    "metrics (7)",
    "  system/ (3)",
    "    gpu. (2)",
    "      0",
    "      1",
    "    cpu",
    "  val/a/ (2)",
    "    x",
    "    y",
    "  accuracy",
    "  train/loss",
    "tags (4)",
    "  mlflow. (3)",
    "    source. (2)",
    "      name",
    "      type",
    "    user",
    "  team",
  ]);
});

test("what is in closed groups is not drawn, but counted", () => {
  const closed = new Set(["attributes", "metrics.system/", "tags"]);
  expect(drawn(treeRows(AVAILABLE, (id) => closed.has(id)))).toEqual([
    "attributes (2)",
    "metrics (7)",
    "  system/ (3)",
    "  val/a/ (2)",
    "    x",
    "    y",
    "  accuracy",
    "  train/loss",
    "tags (4)",
  ]);
});

test("names that end with a separator, or are one, are names", () => {
  const odd = { attributes: [], metrics: ["a/", "a//b", "/", "..", "a.b"], params: [], tags: [] };
  expect(
    treeRows(odd, () => false)
      .flatMap((row) => (row.kind === "column" ? [row.id] : []))
      .sort(),
  ).toEqual(allColumns(odd).sort());
});

test("a search finds all its words anywhere in a name, in any case", () => {
  expect(allColumns(findColumns(AVAILABLE, "GPU 1"))).toEqual(["metrics.system/gpu.1"]);
  expect(allColumns(findColumns(AVAILABLE, "tags source"))).toHaveLength(2);
  expect(findColumns(AVAILABLE, "  ")).toBe(AVAILABLE);
  expect(allColumns(findColumns(AVAILABLE, "nothing"))).toEqual([]);
});

test("columns are shown at the end, and hidden where they are", () => {
  expect(setShown(["a", "b"], ["c", "a"], true)).toEqual(["a", "b", "c"]);
  expect(setShown(["a", "b", "c"], ["c", "a"], false)).toEqual(["b"]);
  expect(shareShown(["a", "b"], new Set(["a"]))).toBe("some");
  expect(shareShown(["a", "b"], new Set(["a", "b", "c"]))).toBe("all");
  expect(shareShown(["a", "b"], new Set())).toBe("none");
});

test("pinned columns come first, and columns move among their like", () => {
  const pinned = new Set(["c", "d"]);
  const ordered = pinnedFirst(["a", "b", "c", "d"], pinned);
  expect(ordered).toEqual(["c", "d", "a", "b"]);
  expect(moveColumn(ordered, pinned, 2, 3)).toEqual(["c", "d", "b", "a"]);
  expect(moveColumn(ordered, pinned, 3, 0)).toEqual(["c", "d", "b", "a"]);
  expect(moveColumn(ordered, pinned, 0, 9)).toEqual(["d", "c", "a", "b"]);
  expect(moveColumn(ordered, pinned, 1, 0, 1)).toEqual(ordered);
  expect(moveColumn(ordered, pinned, 9, 0)).toEqual(ordered);
});

test("two thousand names are put together in no time", () => {
  const metrics = Array.from({ length: 2000 }, (_, at) => `group_${at % 40}/part_${at % 7}/metric_${at}`);
  const start = performance.now();
  const rows = treeRows({ attributes: [], metrics, params: [], tags: [] }, () => false);
  expect(rows.filter(({ kind }) => kind === "column")).toHaveLength(2000);
  expect(performance.now() - start).toBeLessThan(200);
});
