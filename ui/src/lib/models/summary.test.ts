import { expect, test } from "vitest";
import type { RegisteredModel } from "../../api/schema";
import { firstLine, latestVersion, mainTags, stagedVersions } from "./summary";

const model = {
  name: "churn",
  latest_versions: [
    { version: "10", current_stage: "None" },
    { version: "9", current_stage: "Staging" },
    { version: "2", current_stage: "Production" },
    { version: "1", current_stage: "Archived" },
  ],
} as RegisteredModel;

test("the latest version is the highest number, not the last text", () => {
  expect(latestVersion(model)).toBe("10");
  expect(latestVersion({ name: "empty" } as RegisteredModel)).toBeUndefined();
});

test("stages in use are named, production first", () => {
  expect(stagedVersions(model)).toEqual([
    { stage: "Production", version: "2" },
    { stage: "Staging", version: "9" },
  ]);
});

test("the owner's tag comes first, clients' own are left out", () => {
  const tags = ["task", "mlflow.x", "owner", "z"].map((key) => ({ key, value: "1" }));
  expect(mainTags(tags, 2)).toEqual({
    shown: [
      { key: "owner", value: "1" },
      { key: "task", value: "1" },
    ],
    more: 1,
  });
});

test("a description's first line is shown without its marks", () => {
  expect(firstLine("Who *leaves* in **June**, by `usage`; see [docs](https://a.b)")).toBe(
    "Who leaves in June, by usage; see docs",
  );
  expect(firstLine("a_b_c and 2 * 3 * 4")).toBe("a_b_c and 2 * 3 * 4");
  expect(firstLine("\n## Churn\nmore")).toBe("Churn");
  expect(firstLine("")).toBe("");
});
