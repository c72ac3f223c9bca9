// What the table shows: the ids of all runs that match, in their order, and what is open below them.
import { keepPreviousData, useQueries, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useMemo, useState } from "react";
import { api, ask } from "../../api/client";
import type { RunGroups } from "../../api/schema";
import { CellStore } from "../../lib/runs/cells";
import { groupKey, groupRows, runRows, type TableRow } from "../../lib/runs/rows";
import { sortGroups } from "../../lib/runs/groups";
import { both, childrenFilter, groupFilter, type Order, orderBy, ROOTS_FILTER } from "../../lib/runs/scope";

/** Which runs, in which order, put together how. */
export interface RunsScope {
  experimentIds: string[];
  filter: string | undefined;
  order: Order | undefined;
  viewType: "ACTIVE_ONLY" | "DELETED_ONLY";
  isTree: boolean;
  groupBy: string[];
  /** The metrics whose aggregates are shown of groups. */
  groupMetrics: string[];
  /** Everything above is known. */
  isReady: boolean;
}

export interface RunRows {
  rows: TableRow[];
  store: CellStore;
  groups: RunGroups | undefined;
  /** The ids of the runs that match, without children and groups; not complete while `isLoading`. */
  runIds: string[];
  totalCount: number | undefined;
  /** There are more than the server lists. */
  isCut: boolean;
  /** Nothing has come yet. */
  isLoading: boolean;
  /** What is shown is of the search before. */
  isOld: boolean;
  error: Error | null;
  toggleOpen: (row: TableRow) => void;
  refresh: () => void;
  /** Read ahead how the rows begin in another order. */
  prefetch: (order: Order | undefined) => void;
}

/** So many are asked for first: they are there at once, however many there are in all. */
const HEAD_COUNT = 200;
const MAX_OPEN_ROWS = 10_000;
const REFRESH_MS = 5000;
/** How soon it is seen that others removed runs further down. */
const FULL_REFRESH_MS = 60_000;
const MANY_GROUP_METRICS = 100;
const NOTHING_OPEN: Record<string, string> = {};

export function useRunRows(scope: RunsScope): RunRows {
  const { experimentIds, filter, order, viewType, isTree, groupBy } = scope;
  const isGrouped = groupBy.length > 0;
  const baseScope = { experiment_ids: experimentIds, run_view_type: viewType };
  const listFilter = isTree && !filter ? ROOTS_FILTER : filter;
  const listKeyIn = (by: Order | undefined) => ["run-ids", experimentIds, viewType, listFilter, orderBy(by)];
  const listKey = listKeyIn(order);
  const groupMetrics = scope.groupMetrics.slice(0, MANY_GROUP_METRICS);

  const listIds = (
    filterText: string | undefined,
    maxResults: number | undefined,
    signal: AbortSignal,
    by: Order | undefined = order,
  ) =>
    ask(
      api.POST("/api/1.0/runyard/runs/ids", {
        body: {
          ...baseScope,
          filter: filterText,
          order_by: orderBy(by),
          max_results: maxResults,
          count: maxResults === undefined,
        },
        signal,
      }),
    );
  const queryClient = useQueryClient();
  // What is in view comes before the list of what is not.
  const [isFilled, setFilled] = useState(false);
  const head = useQuery({
    queryKey: [...listKey, HEAD_COUNT],
    queryFn: ({ signal }) => listIds(listFilter, HEAD_COUNT, signal),
    enabled: !isGrouped && scope.isReady,
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS,
  });
  const hasMore = !head.isPlaceholderData && head.data?.total_count === null;
  const all = useQuery({
    queryKey: [...listKey, "all"],
    queryFn: ({ signal }) => listIds(listFilter, undefined, signal),
    enabled: !isGrouped && hasMore && isFilled,
    staleTime: Number.POSITIVE_INFINITY,
    refetchInterval: FULL_REFRESH_MS,
  });
  // The head tells when runs were added: it is small, and asked for again and again.
  const refetchAll = all.refetch;
  const isBehind =
    hasMore && all.data !== undefined && !all.isFetching && !startsWith(all.data.run_ids, head.data?.run_ids ?? []);
  useEffect(() => {
    if (isBehind) void refetchAll();
  }, [isBehind, refetchAll]);
  const list = hasMore && all.data !== undefined ? all.data : head.data;

  const grouped = useQuery({
    queryKey: ["run-groups", experimentIds, viewType, filter, groupBy, groupMetrics],
    queryFn: ({ signal }) =>
      ask(
        api.POST("/api/1.0/runyard/runs/groups", {
          body: { ...baseScope, filter, group_by: groupBy, metrics: groupMetrics },
          signal,
        }),
      ),
    enabled: isGrouped,
    placeholderData: keepPreviousData,
    refetchInterval: REFRESH_MS * 2,
  });
  const groups = useMemo(
    () => (isGrouped && grouped.data ? sortGroups(grouped.data, groupBy, order) : undefined),
    [isGrouped, grouped.data, groupBy, order],
  );
  const groupKeys = useMemo(() => groups?.values.map(groupKey), [groups]);

  // What is open belongs to one way of putting runs together.
  const openScope = JSON.stringify([experimentIds, viewType, isTree, groupBy]);
  const [open, setOpen] = useState<{ scope: string; filters: Record<string, string> }>({
    scope: openScope,
    filters: {},
  });
  const openFilters = open.scope === openScope ? open.filters : NOTHING_OPEN;
  const openKeys = Object.keys(openFilters);
  const openQueries = useQueries({
    queries: openKeys.map((key) => ({
      queryKey: ["run-ids", experimentIds, viewType, openFilters[key], orderBy(order), "open"],
      queryFn: ({ signal }: { signal: AbortSignal }) => listIds(openFilters[key], MAX_OPEN_ROWS, signal),
      refetchInterval: REFRESH_MS * 2,
    })),
  });
  const openIds = openKeys.map((key, at) => [key, openQueries[at]?.data?.run_ids] as const);
  const openVersion = openQueries.map(({ dataUpdatedAt }) => dataUpdatedAt).join(" ") + openKeys.join("\n");

  const runIds = list?.run_ids;
  const rows = useMemo(
    () => {
      const openRows = new Map(openIds);
      return isGrouped ? groupRows(groupKeys ?? [], openRows) : runRows(runIds ?? [], openRows);
    },
    // The open lists are new arrays each time; when they were read tells whether they changed.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [isGrouped, groupKeys, runIds, openVersion],
  );

  const [cellError, setCellError] = useState<Error | null>(null);
  const experiments = experimentIds.join(",");
  const store = useMemo(
    () =>
      new CellStore(async (ids, columns, signal) => {
        const body = { experiment_ids: experiments.split(","), run_view_type: "ALL", run_ids: ids, columns };
        const answer = await ask(api.POST("/api/1.0/runyard/runs/table", { body, signal }));
        setCellError(null);
        setFilled(true);
        return answer;
      }, setCellError),
    [experiments],
  );
  useEffect(() => {
    // What is in view is read again, for runs that go on and for what others change.
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") store.refresh().catch(setCellError);
    }, REFRESH_MS);
    return () => {
      clearInterval(timer);
      store.stop();
    };
  }, [store]);

  const toggleOpen = useCallback(
    (row: TableRow) => {
      if (row.kind === "loading") return;
      const key = row.kind === "run" ? row.runId : row.key;
      const filters = { ...openFilters };
      if (key in filters) delete filters[key];
      else if (row.kind === "run") filters[key] = childrenFilter(row.runId);
      else filters[key] = both(filter, groupFilter(groupBy, groups?.values[row.group] ?? []))!;
      setOpen({ scope: openScope, filters });
    },
    [openFilters, openScope, filter, groupBy, groups],
  );

  const main = isGrouped ? grouped : head;
  return {
    rows,
    store,
    groups,
    runIds: runIds ?? [],
    totalCount: isGrouped ? undefined : (list?.total_count ?? undefined),
    isCut: all.data !== undefined && list === all.data && all.data.run_ids.length < (all.data.total_count ?? 0),
    isLoading: main.isPending,
    isOld: main.isPlaceholderData,
    error: main.error ?? all.error ?? cellError,
    toggleOpen,
    refresh: () => {
      void main.refetch();
      if (hasMore) void refetchAll();
      store.refresh().catch(setCellError);
    },
    prefetch: (by) => {
      if (isGrouped) return;
      void queryClient.prefetchQuery({
        queryKey: [...listKeyIn(by), HEAD_COUNT],
        queryFn: ({ signal }) => listIds(listFilter, HEAD_COUNT, signal, by),
        staleTime: REFRESH_MS,
      });
    },
  };
}

function startsWith(list: readonly string[], head: readonly string[]): boolean {
  return head.every((runId, at) => list[at] === runId);
}
