// What is in the trash, and what is done to it.
import { infiniteQueryOptions, type QueryClient, queryOptions } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import type { Experiment } from "../../api/schema";
import { partsOf, sizeOf, type Trashed } from "../../lib/trash";

const MAX_EXPERIMENTS = 50_000;
const PAGE_SIZE = 100;
const RUN_COLUMNS = ["run_name", "status", "deleted_time", "experiment_id", "experiment_name"].map(
  (key) => `attributes.${key}`,
);

export interface TrashedRun {
  id: string;
  name: string;
  status: string;
  deletedTime: number | undefined;
  experimentId: string;
  experimentName: string;
}

export const trashSummaryQuery = queryOptions({
  queryKey: ["trash", "summary"],
  queryFn: ({ signal }) => ask(api.GET("/api/1.0/runyard/trash/summary", { signal })),
});

/** The deleted experiments, the one that was deleted last at first. */
export const trashedExperimentsQuery = infiniteQueryOptions({
  queryKey: ["trash", "experiments"],
  queryFn: ({ pageParam, signal }) => {
    const order_by = ["last_update_time DESC"];
    const body = { view_type: "DELETED_ONLY", order_by, max_results: PAGE_SIZE, page_token: pageParam };
    return ask(api.POST("/api/2.0/mlflow/experiments/search", { body, signal }));
  },
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next_page_token ?? undefined,
});

/** The deleted runs of experiments that are not deleted themselves. */
export const trashedRunsQuery = infiniteQueryOptions({
  queryKey: ["trash", "runs"],
  queryFn: async ({ pageParam, signal }) => {
    const body = {
      ...(await deletedRuns(signal)),
      columns: RUN_COLUMNS,
      max_results: PAGE_SIZE,
      page_token: pageParam,
    };
    const table = await ask(api.POST("/api/1.0/runyard/runs/table", { body, signal }));
    const [names, statuses, deletions, experimentIds, experimentNames] = RUN_COLUMNS.map((name) => table.columns[name]);
    const runs = table.run_ids.map((id, at): TrashedRun => ({
      id,
      name: String(names?.[at] ?? id),
      status: String(statuses?.[at] ?? ""),
      deletedTime: Number(deletions?.[at]) || undefined,
      experimentId: String(experimentIds?.[at] ?? ""),
      experimentName: String(experimentNames?.[at] ?? ""),
    }));
    return { runs, next_page_token: table.next_page_token };
  },
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (page) => page.next_page_token ?? undefined,
});

/** Ids of everything in the trash. */
export async function allTrashed(): Promise<Trashed> {
  const deleted = await allExperiments("DELETED_ONLY");
  const { run_ids } = await ask(api.POST("/api/1.0/runyard/runs/ids", { body: await deletedRuns() }));
  return { experimentIds: deleted.map(({ experiment_id }) => experiment_id), runIds: run_ids };
}

/** Take things out of the trash. */
export async function restore({ experimentIds, runIds }: Trashed): Promise<void> {
  for (const experiment_id of experimentIds) {
    await ask(api.POST("/api/2.0/mlflow/experiments/restore", { body: { experiment_id } }));
  }
  for (const run_id of runIds) await ask(api.POST("/api/2.0/mlflow/runs/restore", { body: { run_id } }));
}

// A request that takes longer may be cut off by a proxy.
const MAX_SECONDS = 20;

/** Delete things in the trash for good, a part at a time; tells what is gone: the runs of experiments too. */
export async function purge(
  trashed: Trashed,
  onProgress: (done: number) => void,
): Promise<{ experimentCount: number; runCount: number; keptCount: number }> {
  const gone = { experimentCount: 0, runCount: 0, keptCount: 0 };
  let done = 0;
  for (const part of partsOf(trashed)) {
    let { experimentIds, runIds } = part;
    do {
      const body = { experiment_ids: experimentIds, run_ids: runIds, max_seconds: MAX_SECONDS };
      const answer = await ask(api.POST("/api/1.0/runyard/trash/empty", { body }));
      gone.experimentCount += answer.experiment_count;
      gone.runCount += answer.run_count;
      gone.keptCount += answer.kept_count;
      [experimentIds, runIds] = [answer.remaining_experiment_ids, []];
      onProgress(done + sizeOf(part) - experimentIds.length);
    } while (experimentIds.length > 0);
    done += sizeOf(part);
  }
  return gone;
}

/** Everything that may have changed with the trash is read again. */
export function rereadAll(queries: QueryClient): Promise<unknown> {
  return queries.invalidateQueries();
}

async function deletedRuns(signal?: AbortSignal) {
  const active = await allExperiments("ACTIVE_ONLY", signal);
  const experiment_ids = active.map(({ experiment_id }) => experiment_id);
  return { experiment_ids, run_view_type: "DELETED_ONLY", order_by: ["attributes.start_time DESC"] };
}

async function allExperiments(view_type: string, signal?: AbortSignal): Promise<Experiment[]> {
  const found: Experiment[] = [];
  let page_token: string | undefined;
  do {
    const body = { view_type, max_results: MAX_EXPERIMENTS, page_token };
    const answer = await ask(api.POST("/api/2.0/mlflow/experiments/search", { body, signal }));
    found.push(...(answer.experiments ?? []));
    page_token = answer.next_page_token ?? undefined;
  } while (page_token !== undefined);
  return found;
}
