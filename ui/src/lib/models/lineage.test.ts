import { expect, test } from "vitest";
import type { LoggedModel, ModelVersion, Run } from "../../api/schema";
import { lineageOf } from "./lineage";

function versionOf(values: Partial<ModelVersion>): ModelVersion {
  return { name: "churn", version: "2", run_id: "", source: "", model_id: null, ...values } as ModelVersion;
}

const dataset = (name: string, context: string) => ({
  dataset: { name, digest: "d1", source: "", source_type: "s3" },
  tags: [{ key: "mlflow.data.context", value: context }],
});
const run = {
  info: { run_id: "r1", run_name: "train", experiment_id: "7" },
  data: {},
  inputs: { dataset_inputs: [dataset("usage", "training"), dataset("usage", "testing"), dataset("plans", "training")] },
} as unknown as Run;

test("a version comes from datasets, a run and a logged model", () => {
  const model = { info: { model_id: "m-1", name: "best", experiment_id: "7" }, data: {} } as unknown as LoggedModel;
  const steps = lineageOf(versionOf({ run_id: "r1", source: "models:/m-1" }), run, model);
  expect(steps).toEqual([
    [
      { kind: "dataset", name: "usage", digest: "d1", contexts: ["training", "testing"] },
      { kind: "dataset", name: "plans", digest: "d1", contexts: ["training"] },
    ],
    [{ kind: "run", runId: "r1", name: "train", experimentId: "7" }],
    [{ kind: "logged-model", modelId: "m-1", name: "best", experimentId: "7" }],
    [{ kind: "version", name: "churn", version: "2", isThis: true }],
  ]);
});

test("a run that is gone is still named", () => {
  expect(lineageOf(versionOf({ run_id: "r9", source: "runs:/r9/model" }))[0]).toEqual([
    { kind: "run", runId: "r9", name: undefined, experimentId: undefined },
  ]);
});

test("a copy comes from the version that was copied", () => {
  const steps = lineageOf(versionOf({ source: "models:/staging churn/4" }));
  expect(steps).toEqual([
    [{ kind: "version", name: "staging churn", version: "4", isThis: false }],
    [{ kind: "version", name: "churn", version: "2", isThis: true }],
  ]);
});

test("a version from elsewhere stands alone", () => {
  expect(lineageOf(versionOf({ source: "s3://bucket/model" }))).toHaveLength(1);
});
