// What a run's tags say of it, under the names that clients use.
import type { Run } from "../api/schema";

export const NOTE_TAG = "mlflow.note.content";

export interface RunFacts {
  name: string;
  user: string | undefined;
  /** The program, and its entry point where it is a project. */
  source: string | undefined;
  sourceType: string | undefined;
  commit: string | undefined;
  repository: string | undefined;
  branch: string | undefined;
  parentRunId: string | undefined;
  note: string;
  /** Folders of the run's artifacts that hold a model. */
  modelPaths: string[];
}

export function factsOf(run: Run): RunFacts {
  const tags = new Map((run.data.tags ?? []).map(({ key, value }) => [key, value]));
  const of = (key: string) => tags.get(`mlflow.${key}`) || undefined;
  const entryPoint = of("project.entryPoint");
  const source = of("source.name");
  return {
    name: run.info.run_name || run.info.run_id,
    user: of("user") ?? (run.info.user_id || undefined),
    source: source && entryPoint && entryPoint !== "main" ? `${source} (${entryPoint})` : source,
    sourceType: of("source.type"),
    commit: of("source.git.commit"),
    repository: of("source.git.repoURL"),
    branch: of("source.git.branch"),
    parentRunId: of("parentRunId"),
    note: of("note.content") ?? "",
    modelPaths: modelPaths(of("log-model.history")),
  };
}

/** The paths in the list that clients keep of a run's models; what is no such list has none. */
function modelPaths(history: string | undefined): string[] {
  try {
    const models = JSON.parse(history ?? "[]") as unknown;
    if (!Array.isArray(models)) return [];
    const paths = models.map((model) => (model as { artifact_path?: unknown } | null)?.artifact_path);
    return [...new Set(paths.filter((path): path is string => typeof path === "string"))];
  } catch {
    return [];
  }
}

/** How long a run has taken, in milliseconds; undefined where it has not begun. */
export function durationOf(run: Run, nowMs: number): number | undefined {
  const { start_time, end_time } = run.info;
  return start_time ? (end_time ?? nowMs) - start_time : undefined;
}
