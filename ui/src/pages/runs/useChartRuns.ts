// Which runs the charts show: those that are selected, or else the first of the table.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { api, ask } from "../../api/client";
import { useStrings } from "../../i18n";
import { runAddress } from "../../lib/addresses";
import { colorAt } from "../../lib/colors";
import { shownTheme } from "../../lib/preferences";
import { parseColumn } from "../../lib/runs/columns";
import type { Selection } from "../../lib/runs/selection";
import type { ChartRun } from "../charts/ChartsPanel";

const MAX_CHARTED = 100;
const FIRST_COUNT = 10;
const REFRESH_MS = 5000;
const COLUMNS = ["attributes.run_name", "attributes.status", "attributes.experiment_id"];
const NO_RUNS: ChartRun[] = [];

/** By which columns the runs are grouped, if by any, and which runs there are to be grouped. */
interface Grouping {
  groupBy: string[];
  filter: string | undefined;
  viewType: "ACTIVE_ONLY" | "DELETED_ONLY";
}

/** The runs with their names and colours, and a note on how they were chosen. */
export function useChartRuns(
  experimentIds: string[],
  selection: Selection,
  listed: readonly string[],
  grouping: Grouping,
): { runs: ChartRun[]; isChosen: boolean; note: string } {
  const t = useStrings();
  const theme = shownTheme.use();
  const isChosen = selection.size > 0;
  const { groupBy, filter, viewType } = grouping;
  const isGrouped = groupBy.length > 0;
  const grouped = useQuery({
    queryKey: ["chart-group-runs", experimentIds, viewType, filter],
    queryFn: ({ signal }) =>
      ask(
        api.POST("/api/1.0/runyard/runs/ids", {
          body: { experiment_ids: experimentIds, run_view_type: viewType, filter, max_results: MAX_CHARTED },
          signal,
        }),
      ),
    enabled: isGrouped && !isChosen,
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
  const runIds = isChosen
    ? [...selection].slice(0, MAX_CHARTED)
    : isGrouped
      ? (grouped.data?.run_ids ?? [])
      : listed.slice(0, FIRST_COUNT);
  const names = useQuery({
    queryKey: ["chart-runs", runIds, groupBy],
    queryFn: ({ signal }) =>
      ask(
        api.POST("/api/1.0/runyard/runs/table", {
          body: {
            experiment_ids: experimentIds,
            run_view_type: "ALL",
            run_ids: runIds,
            columns: [...new Set([...COLUMNS, ...groupBy])],
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
        address: runAddress(String(table?.columns["attributes.experiment_id"]?.[at]), runId),
        group: isGrouped
          ? groupBy.map((name) => groupText(name, table?.columns[name]?.[at], t.runs.noValue)).join(" · ")
          : undefined,
      })),
    [table, theme, groupBy, isGrouped, t],
  );
  const note = !isChosen
    ? isGrouped
      ? t.runs.chartsOfGroups(runIds.length, grouped.data?.total_count ?? 0)
      : t.runs.chartsOfFirst(runIds.length)
    : selection.size > MAX_CHARTED
      ? t.runs.chartsLimited(MAX_CHARTED, selection.size)
      : t.runs.chartsOfSelected(selection.size);
  return { runs: runIds.length > 0 ? runs : NO_RUNS, isChosen, note };
}

/** "optimizer: adam". */
function groupText(name: string, value: unknown, none: string): string {
  return `${parseColumn(name)?.key ?? name}: ${typeof value === "string" || typeof value === "number" ? value : none}`;
}
