// The stages that a model version can be in, and what moving it there does to others.

export const STAGES = ["None", "Staging", "Production", "Archived"] as const;
export type Stage = (typeof STAGES)[number];

/** Whether a stage is one that a version is in to be used, so that a newer one usually takes its place. */
export function canArchiveOthers(stage: Stage): boolean {
  return stage === "Staging" || stage === "Production";
}

/** A stage as the server spells it; what is unknown is none. */
export function stageOf(text: string): Stage {
  return STAGES.find((stage) => stage === text) ?? "None";
}

export interface StageMove {
  version: string;
  stage: Stage;
}

/** What brings everything back to where it was before `version` moved from `from` to `to`, and `archived` made room. */
export function undoOf(version: string, from: Stage, to: Stage, archived: string[]): StageMove[] {
  return [{ version, stage: from }, ...archived.map((other) => ({ version: other, stage: to }))];
}
