// What happens in experiments, counted by the server.
import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import type { ExperimentSummary } from "../../api/schema";

const REFRESH_MS = 5_000;
const NO_SUMMARIES: ReadonlyMap<string, ExperimentSummary> = new Map();

/** How many runs experiments have, and when something last happened, by id; empty until it is known. */
export function useExperimentSummaries(experimentIds: string[]): ReadonlyMap<string, ExperimentSummary> {
  const summaries = useQuery({
    queryKey: ["experiment-summaries", experimentIds],
    queryFn: async ({ signal }) => {
      const found = new Map<string, ExperimentSummary>();
      // So many are answered at once.
      for (let at = 0; at < experimentIds.length; at += 1000) {
        const body = { experiment_ids: experimentIds.slice(at, at + 1000) };
        const answer = await ask(api.POST("/api/1.0/runyard/experiments/summaries", { body, signal }));
        for (const summary of answer.experiments) found.set(summary.experiment_id, summary);
      }
      return found;
    },
    enabled: experimentIds.length > 0,
    placeholderData: (previous) => previous,
    refetchInterval: REFRESH_MS,
  });
  return summaries.data ?? NO_SUMMARIES;
}
