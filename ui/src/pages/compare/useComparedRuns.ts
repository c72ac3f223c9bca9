// The runs that are compared, and what has become of those that cannot be.
import { useQueries, type UseQueryResult } from "@tanstack/react-query";
import { useCallback } from "react";
import { api, ApiError, ask } from "../../api/client";
import { experimentQuery } from "../../api/experiments";
import { LIVE_INTERVAL_MS, runQuery } from "../../api/runs";
import type { Experiment, Run } from "../../api/schema";
import type { Extremes } from "../../lib/compare/table";
import { toNumber } from "../../lib/format";

/** The server's limit for one question. */
const MAX_KEYS = 500;

export interface ComparedRuns {
  /** Those that are there, in their order. */
  runs: Run[];
  isLoading: boolean;
  /** The ids that no run has. */
  unknown: string[];
  /** What went wrong with another run. */
  error: Error | undefined;
  retry: () => void;
}

export function useComparedRuns(ids: string[]): ComparedRuns {
  const combine = useCallback(
    (answers: UseQueryResult<Run>[]) => {
      const failed = answers.flatMap(({ error, data }, at) => (error && !data ? [{ error, id: ids[at]! }] : []));
      return {
        runs: answers.map(({ data }) => data).filter((run) => run !== undefined),
        isLoading: answers.some(({ isPending }) => isPending),
        unknown: failed.filter(({ error }) => isUnknown(error)).map(({ id }) => id),
        error: failed.find(({ error }) => !isUnknown(error))?.error,
        retry: () => {
          for (const answer of answers) if (answer.error) answer.refetch();
        },
      };
    },
    [ids],
  );
  return useQueries({ queries: ids.map((id) => runQuery(id)), combine });
}

/** The names of experiments by their id, as far as they are known. */
export function useExperimentNames(ids: string[]): ReadonlyMap<string, string> {
  const combine = useCallback(
    (answers: UseQueryResult<Experiment>[]) =>
      new Map(answers.flatMap(({ data }) => (data ? [[data.experiment_id, data.name] as const] : []))),
    [],
  );
  return useQueries({ queries: ids.map((id) => experimentQuery(id)), combine });
}

/** The least and the largest values of the runs' metrics, one entry a run; not asked for unless `isWanted`. */
export function useExtremes(runs: Run[], isWanted: boolean) {
  const combine = useCallback(
    (answers: UseQueryResult<Extremes>[]) => ({
      byRun: answers.map(({ data }) => data),
      isLoading: answers.some(({ isLoading }) => isLoading),
      error: answers.find(({ error }) => error)?.error ?? undefined,
      retry: () => {
        for (const answer of answers) if (answer.error) answer.refetch();
      },
    }),
    [],
  );
  return useQueries({ queries: runs.map((run) => ({ ...extremesQuery(run), enabled: isWanted })), combine });
}

function extremesQuery(run: Run) {
  const { run_id: runId, status } = run.info;
  const keys = (run.data.metrics ?? []).map(({ key }) => key);
  return {
    queryKey: ["metric-extremes", runId, keys],
    queryFn: async ({ signal }: { signal: AbortSignal }): Promise<Extremes> => {
      const extremes = new Map<string, { min: number | undefined; max: number | undefined }>();
      for (let at = 0; at < keys.length; at += MAX_KEYS) {
        const body = { run_id: runId, metric_keys: keys.slice(at, at + MAX_KEYS) };
        const { metrics } = await ask(api.POST("/api/1.0/runyard/metrics/summaries", { body, signal }));
        for (const { key, minimum, maximum } of metrics) {
          extremes.set(key, {
            min: minimum === null ? undefined : toNumber(minimum),
            max: maximum === null ? undefined : toNumber(maximum),
          });
        }
      }
      return extremes;
    },
    refetchInterval: status === "RUNNING" ? LIVE_INTERVAL_MS : (false as const),
  };
}

function isUnknown(error: Error): boolean {
  // An id that cannot be one is told as a parameter that is wrong.
  return error instanceof ApiError && (error.status === 404 || error.status === 400);
}
