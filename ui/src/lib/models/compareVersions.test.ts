import { expect, test } from "vitest";
import type { LoggedModel, ModelVersion, Run } from "../../api/schema";
import strings from "../../i18n/en";
import { compareVersions } from "./compareVersions";

const versionOf = (version: string, stage: string) =>
  ({
    name: "churn",
    version,
    current_stage: stage,
    creation_timestamp: 1,
    run_id: "r",
    source: "runs:/r/model",
    description: "",
  }) as ModelVersion;
const runOf = (lr: string, loss: number) =>
  ({
    info: { run_name: "train" },
    data: {
      params: [{ key: "lr", value: lr }],
      metrics: [
        { key: "loss", value: loss },
        { key: "system/cpu", value: loss },
      ],
    },
  }) as unknown as Run;

function groupsOf(...compared: Parameters<typeof compareVersions>[0]) {
  return compareVersions(compared, strings, (timeMs) => `at ${timeMs}`);
}

test("versions are compared by what they are, params and metrics", () => {
  const groups = groupsOf(
    { version: versionOf("1", "Production"), run: runOf("0.1", 0.25), modelFile: "" },
    { version: versionOf("2", "None"), run: runOf("0.2", 0.25), modelFile: "" },
  );
  expect(groups.map(({ title }) => title)).toEqual(["About", "Params", "Metrics"]);
  expect(groups[0]!.rows[0]).toEqual({ key: "Stage", values: ["Production", "None"], differs: true });
  expect(groups[0]!.rows.map(({ key }) => key)).toEqual(["Stage", "Created", "Source run", "Source"]);
  expect(groups[1]!.rows).toEqual([{ key: "lr", values: ["0.1", "0.2"], differs: true }]);
  expect(groups[2]!.rows).toEqual([{ key: "loss", values: ["0.25", "0.25"], differs: false }]);
});

test("metrics are shown in all digits where fewer would look alike", () => {
  const groups = groupsOf(
    { version: versionOf("1", "None"), run: runOf("1", 0.123456781) },
    { version: versionOf("2", "None"), run: runOf("1", 0.123456782) },
  );
  expect(groups[2]!.rows[0]).toMatchObject({ values: ["0.123456781", "0.123456782"], differs: true });
});

test("a logged model's params stand beside the run's, and before them", () => {
  const params = [
    { key: "C", value: "1" },
    { key: "lr", value: "0.3" },
  ];
  const metrics = [{ key: "auc", value: 0.9, dataset_name: "usage", dataset_digest: "d1" }];
  const loggedModel = { data: { params, metrics } } as unknown as LoggedModel;
  const groups = groupsOf({ version: versionOf("1", "None"), run: runOf("0.1", 1), loggedModel });
  expect(groups[1]!.rows.map(({ key, values }) => [key, values[0]])).toEqual([
    ["C", "1"],
    ["lr", "0.3"],
  ]);
  expect(groups[2]!.rows.map(({ key }) => key)).toEqual(["auc (usage d1)", "loss"]);
});
