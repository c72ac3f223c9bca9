// What the page does to a run; each reads the run again afterwards.
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { api, ask } from "../../api/client";

export interface RunChanges {
  setTag: (key: string, value: string) => Promise<void>;
  removeTag: (key: string) => Promise<void>;
  rename: (name: string) => Promise<void>;
  stop: () => Promise<void>;
  delete: () => Promise<void>;
  restore: () => Promise<void>;
}

export function useRunChanges(runId: string): RunChanges {
  const queries = useQueryClient();
  const then = (call: Promise<unknown>) => call.then(() => reread(queries, runId));
  const update = (fields: { run_name?: string; status?: string; end_time?: number }) =>
    then(ask(api.POST("/api/2.0/mlflow/runs/update", { body: { run_id: runId, ...fields } })));
  return {
    setTag: (key, value) =>
      then(ask(api.POST("/api/2.0/mlflow/runs/set-tag", { body: { run_id: runId, key, value } }))),
    removeTag: (key) => then(ask(api.POST("/api/2.0/mlflow/runs/delete-tag", { body: { run_id: runId, key } }))),
    rename: (run_name) => update({ run_name }),
    stop: () => update({ status: "KILLED", end_time: Date.now() }),
    delete: () => then(ask(api.POST("/api/2.0/mlflow/runs/delete", { body: { run_id: runId } }))),
    restore: () => then(ask(api.POST("/api/2.0/mlflow/runs/restore", { body: { run_id: runId } }))),
  };
}

async function reread(queries: QueryClient, runId: string): Promise<void> {
  await queries.invalidateQueries({ queryKey: ["run", runId] });
}
