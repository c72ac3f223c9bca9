import { describe, expect, it } from "vitest";
import type { Run } from "../api/schema";
import { durationOf, factsOf } from "./runFacts";

function run(tags: Record<string, string>, info: Partial<Run["info"]> = {}): Run {
  const pairs = Object.entries(tags).map(([key, value]) => ({ key, value }));
  return {
    info: {
      run_id: "r",
      run_uuid: "r",
      run_name: "name",
      experiment_id: "1",
      user_id: "",
      status: "FINISHED",
      start_time: 1000,
      artifact_uri: "",
      lifecycle_stage: "active",
      ...info,
    },
    data: { tags: pairs },
    inputs: {},
  };
}

describe("the facts of a run", () => {
  it("come from its tags, and from the run where there is no tag", () => {
    const facts = factsOf(run({ "mlflow.source.name": "train.py", "mlflow.parentRunId": "p" }, { user_id: "ana" }));
    expect(facts).toMatchObject({ name: "name", user: "ana", source: "train.py", parentRunId: "p", note: "" });
  });

  it("name the models in its artifacts, once each", () => {
    const history = JSON.stringify([{ artifact_path: "model" }, { artifact_path: "model" }, {}, null]);
    expect(factsOf(run({ "mlflow.log-model.history": history })).modelPaths).toEqual(["model"]);
    expect(factsOf(run({ "mlflow.log-model.history": "no json" })).modelPaths).toEqual([]);
  });

  it("measure a run that goes on up to now", () => {
    expect(durationOf(run({}, { end_time: 4000 }), 9000)).toBe(3000);
    expect(durationOf(run({}), 9000)).toBe(8000);
  });
});
