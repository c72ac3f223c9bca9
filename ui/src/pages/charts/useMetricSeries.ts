// The points of one metric of several runs, cut by the server to what a chart can show.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, ask } from "../../api/client";
import { LIVE_INTERVAL_MS } from "../../api/runs";
import { type RunSeries, toSeries } from "../../lib/charts/series";
import type { ChartRun } from "./ChartsPanel";

/** So many runs are asked for in one request. */
const RUNS_PER_REQUEST = 50;

/** Both ends included, in steps. */
export interface StepRange {
  start: number;
  end: number;
}

/** Asked for again while a run goes on, and anew for a part of the steps: then with all that part's detail. */
export function useMetricSeries(key: string, runs: readonly ChartRun[], pixels: number, range: StepRange | undefined) {
  const runIds = runs.map(({ runId }) => runId);
  const isLive = runs.some(({ isRunning }) => isRunning);
  // Charts of about one size share what was read.
  const maxResults = Math.max(200, Math.ceil(pixels / 200) * 200);
  const query = useQuery({
    queryKey: ["metric-series", key, runIds, maxResults, range?.start, range?.end],
    queryFn: async ({ signal }) => {
      const parts = [];
      for (let at = 0; at < runIds.length; at += RUNS_PER_REQUEST) parts.push(runIds.slice(at, at + RUNS_PER_REQUEST));
      const answers = await Promise.all(
        parts.map((part) =>
          ask(
            api.GET("/api/2.0/mlflow/metrics/get-history-bulk-interval", {
              params: {
                query: {
                  run_ids: part,
                  metric_key: key,
                  max_results: maxResults,
                  start_step: range?.start,
                  end_step: range?.end,
                },
              },
              signal,
            }),
          ),
        ),
      );
      return answers.flatMap((answer) => answer.metrics ?? []);
    },
    placeholderData: keepPreviousData,
    refetchInterval: isLive ? LIVE_INTERVAL_MS : false,
  });
  const runKey = runIds.join(",");
  const series: RunSeries[] = useMemo(() => toSeries(query.data ?? [], runKey.split(",")), [query.data, runKey]);
  return { series, isPending: query.isPending, error: query.error };
}
