// Questions about runs that several pages ask.
import { queryOptions } from "@tanstack/react-query";
import { api, ask } from "./client";
import type { Run } from "./schema";

/** How often what is still running is asked for again, in milliseconds. */
export const LIVE_INTERVAL_MS = 3000;

/** A run with all that was logged to it; asked for again while it is running. */
export function runQuery(runId: string) {
  return queryOptions({
    queryKey: ["run", runId],
    queryFn: async ({ signal }): Promise<Run> => {
      const query = { run_id: runId };
      return (await ask(api.GET("/api/2.0/mlflow/runs/get", { params: { query }, signal }))).run;
    },
    refetchInterval: (query) => (query.state.data?.info.status === "RUNNING" ? LIVE_INTERVAL_MS : false),
  });
}

/** The names of all metrics, params and tags of the runs of some experiments. */
export function runColumnsQuery(experimentIds: string[]) {
  return queryOptions({
    queryKey: ["run-columns", experimentIds],
    queryFn: ({ signal }) =>
      ask(api.POST("/api/1.0/runyard/runs/columns", { body: { experiment_ids: experimentIds }, signal })),
    staleTime: 30_000,
  });
}
