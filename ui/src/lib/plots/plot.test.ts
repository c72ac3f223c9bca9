import { expect, it } from "vitest";
import { axisColumns, finished, newDraft } from "./defaults";
import { csvOf, dataTable, fileNameOf } from "./data";
import { columnsOf, movePlot, newPlotId, type Plot, readPlots } from "./plot";

const bar: Plot = { id: "p1", kind: "bar", y: "metrics.loss" };
const box: Plot = { id: "p2", kind: "box", y: "metrics.loss", by: "params.lr" };
const parallel: Plot = {
  id: "p3",
  kind: "parallel",
  axes: ["params.lr", "metrics.loss"],
  scales: { "params.lr": "log" },
};
const available = { metrics: ["system/cpu", "val/loss"], params: ["lr", "depth"], tags: ["mlflow.user", "team"] };

it("plots come out of an address as they went in", () => {
  const plots = [bar, box, parallel];
  expect(readPlots(JSON.parse(JSON.stringify(plots)))).toEqual(plots);
});

it("what is no plot is left out", () => {
  expect(readPlots("nonsense")).toEqual([]);
  expect(
    readPlots([null, {}, { id: "a", kind: "pie", y: "metrics.x" }, { id: "b", kind: "bar", y: "loss" }, bar, bar]),
  ).toEqual([bar]);
  expect(readPlots([{ ...bar, order: "size", scales: { loss: "log", "metrics.loss": "cubic" } }])).toEqual([bar]);
});

it("plots are moved, within the ends", () => {
  const ids = (plots: Plot[]) => plots.map(({ id }) => id).join(" ");
  expect(ids(movePlot([bar, box, parallel], "p1", 2))).toBe("p2 p3 p1");
  expect(ids(movePlot([bar, box, parallel], "p3", -1))).toBe("p1 p3 p2");
  expect(ids(movePlot([bar, box, parallel], "p1", -1))).toBe("p1 p2 p3");
});

it("new plots have ids of their own", () => {
  expect(newPlotId([bar, parallel])).toBe("p4");
});

it("a plot is drawn from the columns of its axes", () => {
  expect(columnsOf(box)).toEqual(["params.lr", "metrics.loss"]);
});

it("every kind begins as a plot of the first columns, metrics of the machine last", () => {
  for (const kind of ["bar", "scatter", "contour", "box", "parallel", "importance"] as const) {
    expect(finished(newDraft(kind, available, []))).toMatchObject({ id: "p1", kind });
  }
  expect(newDraft("bar", available, []).y).toBe("metrics.val/loss");
  expect(finished(newDraft("scatter", { metrics: [], params: [], tags: [] }, []))).toBeUndefined();
  expect(finished({ id: "p1", kind: "parallel", axes: ["params.lr"] })).toBeUndefined();
});

it("the axes to choose from end with the tags of clients", () => {
  const columns = axisColumns(available);
  expect(columns.slice(0, 4)).toEqual(["metrics.val/loss", "metrics.system/cpu", "params.lr", "params.depth"]);
  expect(columns.slice(-2)).toEqual(["tags.team", "tags.mlflow.user"]);
});

it("the data are a CSV file of what was logged", () => {
  const table = dataTable(
    [
      { runId: "r1", name: 'a "b", c' },
      { runId: "r2", name: "d" },
    ],
    ["metrics.loss"],
    {
      "metrics.loss": ["NaN", null],
    },
  );
  expect(csvOf(table)).toBe('run_name,run_id,metrics.loss\r\n"a ""b"", c",r1,NaN\r\nd,r2,\r\n');
});

it("a title becomes the name of a file", () => {
  expect(fileNameOf("val/loss by lr", "svg")).toBe("val_loss by lr.svg");
  expect(fileNameOf("...", "csv")).toBe("plot.csv");
});
