// Questions about experiments that several pages ask.
import { queryOptions } from "@tanstack/react-query";
import { api, ask } from "./client";
import type { Experiment } from "./schema";

export function experimentQuery(experimentId: string) {
  return queryOptions({
    queryKey: ["experiment", experimentId],
    queryFn: async ({ signal }): Promise<Experiment> => {
      const query = { experiment_id: experimentId };
      return (await ask(api.GET("/api/2.0/mlflow/experiments/get", { params: { query }, signal }))).experiment;
    },
  });
}
