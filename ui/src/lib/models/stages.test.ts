import { expect, test } from "vitest";
import { canArchiveOthers, stageOf, undoOf } from "./stages";

test("only the stages in use make others leave", () => {
  expect((["None", "Staging", "Production", "Archived"] as const).filter(canArchiveOthers)).toEqual([
    "Staging",
    "Production",
  ]);
});

test("a stage of the server is known by its spelling", () => {
  expect(stageOf("Production")).toBe("Production");
  expect(stageOf("?")).toBe("None");
});

test("undoing a move brings back the version and those that made room", () => {
  expect(undoOf("3", "None", "Production", ["1"])).toEqual([
    { version: "3", stage: "None" },
    { version: "1", stage: "Production" },
  ]);
});
