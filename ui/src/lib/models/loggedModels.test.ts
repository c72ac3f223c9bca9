import { expect, test } from "vitest";
import type { LoggedModel } from "../../api/schema";
import {
  datasetKey,
  datasetOf,
  loggedModelState,
  metricDatasets,
  metricNames,
  metricOf,
  ownMetrics,
  versionState,
} from "./loggedModels";

const point = (key: string, value: number, step: number, dataset?: string) => ({
  key,
  value,
  step,
  timestamp: 1,
  dataset_name: dataset ?? null,
  dataset_digest: dataset ? "d1" : null,
});
const model = {
  info: { model_id: "m-1" },
  data: { metrics: [point("loss", 0.5, 1, "usage"), point("loss", 0.4, 2), point("accuracy", 0.9, 1, "plans")] },
} as unknown as LoggedModel;

test("metrics are named once, sorted", () => {
  expect(metricNames([model, model])).toEqual(["accuracy", "loss"]);
});

test("datasets are those of the metrics", () => {
  expect(metricDatasets([model])).toEqual([
    { name: "plans", digest: "d1" },
    { name: "usage", digest: "d1" },
  ]);
});

test("a dataset survives being an option's value", () => {
  const dataset = { name: 'a "b"', digest: "1" };
  expect(datasetOf(datasetKey(dataset))).toEqual(dataset);
  expect(datasetOf("")).toBeUndefined();
});

test("a metric's value is the newest, on the dataset where one is asked for", () => {
  expect(metricOf(model, "loss")?.value).toBe(0.4);
  expect(metricOf(model, "loss", { name: "usage", digest: "d1" })?.value).toBe(0.5);
  expect(metricOf(model, "loss", { name: "plans", digest: "d1" })).toBeUndefined();
});

test("statuses of the wire are understood", () => {
  expect(loggedModelState("LOGGED_MODEL_UPLOAD_FAILED")).toBe("failed");
  expect(loggedModelState("READY")).toBe("ready");
  expect(versionState("PENDING_REGISTRATION")).toBe("pending");
  expect(versionState("?")).toBe("unknown");
});

test("metrics of the machine are no metrics of a model", () => {
  expect(ownMetrics([point("system/cpu", 1, 0), point("loss", 1, 0)]).map((metric) => metric.key)).toEqual(["loss"]);
});
