// The values of the runs that a plot is drawn from.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, ask } from "../../../api/client";
import { runColumnsQuery } from "../../../api/runs";
import { columnsOf, type Plot } from "../../../lib/plots/plot";
import type { Cell } from "../../../lib/plots/values";
import type { ChartRun } from "../ChartsPanel";
import type { PlotData } from "./options/base";

const REFRESH_MS = 5000;
/** The server's limit for one question. */
const MAX_COLUMNS = 1000;

export interface PlotDataAnswer {
  /** Undefined until the first answer. */
  data: PlotData | undefined;
  error: Error | null;
  retry: () => void;
}

/** What a plot needs of these runs; asked for again while one of them is running. */
export function usePlotData(plot: Plot, experimentIds: string[], runs: ChartRun[]): PlotDataAnswer {
  const isImportance = plot.kind === "importance";
  const names = useQuery({ ...runColumnsQuery(experimentIds), enabled: isImportance });
  const columns = useMemo(() => {
    const own = columnsOf(plot);
    if (!isImportance) return own;
    const params = (names.data?.params ?? []).map((key) => `params.${key}`);
    return [...new Set([...own, ...params])].slice(0, MAX_COLUMNS);
  }, [plot, isImportance, names.data]);
  const runIds = useMemo(() => runs.map(({ runId }) => runId), [runs]);
  const table = useQuery({
    queryKey: ["plot-data", runIds, columns],
    queryFn: async ({ signal }) => {
      const body = { run_ids: runIds, columns };
      return { columns, table: await ask(api.POST("/api/1.0/runyard/runs/table", { body, signal })) };
    },
    enabled: runIds.length > 0 && columns.length > 0 && (!isImportance || names.data !== undefined),
    placeholderData: keepPreviousData,
    refetchInterval: runs.some(({ isRunning }) => isRunning) ? REFRESH_MS : false,
  });
  const data = useMemo(() => {
    if (!table.data) return undefined;
    const { columns: asked, table: answer } = table.data;
    // Runs that are gone are left out of the answer.
    const places = new Map(answer.run_ids.map((runId, place) => [runId, place]));
    const cells = asked.map((column): [string, Cell[]] => [
      column,
      runs.map(({ runId }) => answer.columns[column]?.[places.get(runId) ?? -1] ?? null),
    ]);
    return { runs, columns: Object.fromEntries(cells) };
  }, [table.data, runs]);
  return {
    data,
    error: names.error ?? table.error,
    retry: () => {
      names.refetch();
      table.refetch();
    },
  };
}
