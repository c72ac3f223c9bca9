// The experiments that runs belong to: the address of a run's page names its experiment.
import { api, ask } from "../../../api/client";

const COLUMN = "attributes.experiment_id";

/** The experiment of each run, by the run's id; runs that are gone are not in it. */
export async function runExperiments(runIds: string[]): Promise<Map<string, string>> {
  const body = { run_ids: runIds, columns: [COLUMN] };
  const table = await ask(api.POST("/api/1.0/runyard/runs/table", { body }));
  return new Map(table.run_ids.map((runId, row) => [runId, String(table.columns[COLUMN]?.[row] ?? "")]));
}
