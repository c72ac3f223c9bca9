// Which runs the charts show: those that are selected, or else the first of the table.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, ask } from "../../api/client";
import { useStrings } from "../../i18n";
import { colorAt } from "../../lib/colors";
import { shownTheme } from "../../lib/preferences";
import type { Selection } from "../../lib/runs/selection";
import type { ChartRun } from "../charts/ChartsPanel";

const MAX_CHARTED = 100;
const FIRST_COUNT = 10;
const REFRESH_MS = 5000;
const NO_RUNS: ChartRun[] = [];

/** The runs with their names and colours, and a note on how they were chosen. */
export function useChartRuns(
  experimentIds: string[],
  selection: Selection,
  listed: readonly string[],
): { runs: ChartRun[]; isChosen: boolean; note: string } {
  const t = useStrings();
  const theme = shownTheme.use();
  const isChosen = selection.size > 0;
  const runIds = isChosen ? [...selection].slice(0, MAX_CHARTED) : listed.slice(0, FIRST_COUNT);
  const names = useQuery({
    queryKey: ["chart-runs", runIds],
    queryFn: ({ signal }) =>
      ask(
        api.POST("/api/1.0/runyard/runs/table", {
          body: {
            experiment_ids: experimentIds,
            run_view_type: "ALL",
            run_ids: runIds,
            columns: ["attributes.run_name", "attributes.status"],
          },
          signal,
        }),
      ),
    enabled: runIds.length > 0,
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
  const table = names.data;
  const runs = useMemo(
    () =>
      (table?.run_ids ?? []).map((runId, at): ChartRun => ({
        runId,
        name: String(table?.columns["attributes.run_name"]?.[at] ?? runId),
        color: colorAt(at, theme),
        isRunning: table?.columns["attributes.status"]?.[at] === "RUNNING",
      })),
    [table, theme],
  );
  const note = !isChosen
    ? t.runs.chartsOfFirst(runIds.length)
    : selection.size > MAX_CHARTED
      ? t.runs.chartsLimited(MAX_CHARTED, selection.size)
      : t.runs.chartsOfSelected(selection.size);
  return { runs: runIds.length > 0 ? runs : NO_RUNS, isChosen, note };
}
