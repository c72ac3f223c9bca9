import { describe, expect, it } from "vitest";
import type { Run } from "../../api/schema";
import { compareRuns, filterGroups, type GroupName, differentCells, type TableWords } from "./table";

const words = {
  ...(Object.fromEntries(
    [
      "experiment",
      "status",
      "start",
      "duration",
      "user",
      "runId",
      "description",
      "source",
      "sourceType",
      "entryPoint",
      "commit",
      "branch",
      "repository",
    ].map((word) => [word, word]),
  ) as unknown as TableWords),
  statusOf: (status: string) => status,
  experimentName: (id: string) => `experiment ${id}`,
  timeText: (timeMs: number) => `at ${timeMs}`,
};

function runOf(id: string, content: Partial<Run["data"]> = {}, digest?: string): Run {
  const dataset = { name: "usage", digest: digest ?? "", source: "", source_type: "" };
  const info = {
    run_id: id,
    run_uuid: id,
    experiment_id: "1",
    run_name: id,
    status: "FINISHED",
    start_time: 1000,
    end_time: 3000,
    user_id: "",
    artifact_uri: "",
    lifecycle_stage: "active",
  };
  const inputs = digest
    ? { dataset_inputs: [{ dataset, tags: [{ key: "mlflow.data.context", value: "training" }] }] }
    : {};
  return { info, data: content, inputs };
}

const metric = (key: string, value: number | string) => ({ key, value, timestamp: 0, step: 0 });
const a = runOf(
  "a",
  {
    params: [
      { key: "lr", value: "0.1" },
      { key: "depth", value: "2" },
    ],
    metrics: [metric("loss", 0.5), metric("odd", "NaN")],
    tags: [
      { key: "team", value: "x" },
      { key: "mlflow.user", value: "ana" },
      { key: "mlflow.source.git.commit", value: "0123456789abcdef" },
      { key: "mlflow.source.git.repoURL", value: "git@github.com:o/r.git" },
    ],
  },
  "d1",
);
const b = runOf(
  "b",
  { params: [{ key: "lr", value: "0.1" }], metrics: [metric("loss", 0.25), metric("odd", "NaN")] },
  "d2",
);
const groups = compareRuns([a, b], words, 0);
const group = (name: GroupName) => groups.find((one) => one.name === name)!.rows;

describe("runs side by side", () => {
  it("have a row for each key that any has", () => {
    expect(group("params")).toMatchObject([
      { key: "depth", values: ["2", undefined], differs: true },
      { key: "lr", values: ["0.1", "0.1"], differs: false },
    ]);
  });

  it("have metrics as numbers; NaN in both is no difference", () => {
    expect(group("metrics")).toMatchObject([
      { key: "loss", values: ["0.5", "0.25"], numbers: [0.5, 0.25], differs: true },
      { key: "odd", values: ["NaN", "NaN"], differs: false },
    ]);
  });

  it("have the least of each metric when it is asked for", () => {
    const byRun = [new Map([["loss", { min: 0.1, max: 0.9 }]]), undefined];
    const found = compareRuns([a, b], words, 0, { of: "min", byRun });
    expect(found.find(({ name }) => name === "metrics")!.rows[0]).toMatchObject({ numbers: [0.1, undefined] });
  });

  it("keep the tags of clients apart, and link commits", () => {
    expect(group("tags").map(({ key }) => key)).toEqual(["team"]);
    const commit = group("code").find(({ key }) => key === "commit")!;
    expect(commit.links).toEqual(["https://github.com/o/r/commit/0123456789abcdef", undefined]);
  });

  it("have datasets by name and use", () => {
    expect(group("datasets")).toMatchObject([{ key: "usage (training)", values: ["d1", "d2"], differs: true }]);
  });

  it("leave out rows that no run has a value for", () => {
    expect(group("run").map(({ key }) => key)).toEqual(["experiment", "status", "start", "duration", "user", "runId"]);
  });
});

it("rows are found by parts of their names, and by having differences", () => {
  const only = filterGroups(groups, "", true);
  expect(only.find(({ name }) => name === "params")!.rows.map(({ key }) => key)).toEqual(["depth"]);
  const found = filterGroups(groups, "LR", false);
  expect(found.flatMap(({ rows }) => rows.map(({ key }) => key))).toEqual(["lr"]);
});

it("a cell is marked that is not as most, or not as the baseline", () => {
  const row = { key: "x", values: ["1", "1", "2"], differs: true, isMarked: true };
  expect(differentCells(row, undefined)).toEqual([false, false, true]);
  expect(differentCells(row, 2)).toEqual([true, true, false]);
  expect(differentCells({ ...row, values: ["1", "2"] }, undefined)).toEqual([true, true]);
  expect(differentCells({ ...row, isMarked: false }, undefined)).toEqual([false, false, false]);
});
