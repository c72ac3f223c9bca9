// Questions about the model registry and about logged models.
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { quoted } from "../lib/models/filter";
import { versionState } from "../lib/models/loggedModels";
import { api, ask, ApiError, serverUrl } from "./client";
import { LIVE_INTERVAL_MS } from "./runs";
import type { LoggedModel, ModelVersion, RegisteredModel, SearchLoggedModels } from "./schema";

/** How many models, or versions, are asked for at a time. */
const PAGE_SIZE = 50;
const VERSIONS_PAGE_SIZE = 200;

/** Registered models by filter, a page at a time; `order` such as "name ASC". */
export function registeredModelsQuery(filter: string | undefined, order: string, pageSize = PAGE_SIZE) {
  return infiniteQueryOptions({
    queryKey: ["models", "search", filter ?? "", order, pageSize],
    queryFn: ({ pageParam, signal }) => {
      const query = { filter, order_by: [order], max_results: pageSize, page_token: pageParam };
      return ask(api.GET("/api/2.0/mlflow/registered-models/search", { params: { query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_page_token ?? undefined,
  });
}

export function registeredModelQuery(name: string) {
  return queryOptions({
    queryKey: ["models", "one", name],
    queryFn: async ({ signal }): Promise<RegisteredModel> => {
      const query = { name };
      const answer = await ask(api.GET("/api/2.0/mlflow/registered-models/get", { params: { query }, signal }));
      return answer.registered_model;
    },
  });
}

/** The versions of a model, a page at a time; asked for again while one of them is being registered. */
export function modelVersionsQuery(name: string, order: string) {
  return infiniteQueryOptions({
    queryKey: ["models", "versions", name, order],
    queryFn: ({ pageParam, signal }) => {
      const query = {
        filter: `name = ${quoted(name)}`,
        order_by: [order],
        max_results: VERSIONS_PAGE_SIZE,
        page_token: pageParam,
      };
      return ask(api.GET("/api/2.0/mlflow/model-versions/search", { params: { query }, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_page_token ?? undefined,
    refetchInterval: (query) => {
      const versions = query.state.data?.pages.flatMap((page) => page.model_versions ?? []) ?? [];
      return versions.some(isPending) ? LIVE_INTERVAL_MS : false;
    },
  });
}

export function modelVersionQuery(name: string, version: string) {
  return queryOptions({
    queryKey: ["models", "version", name, version],
    queryFn: async ({ signal }): Promise<ModelVersion> => {
      const query = { name, version };
      return (await ask(api.GET("/api/2.0/mlflow/model-versions/get", { params: { query }, signal }))).model_version;
    },
    refetchInterval: (query) => (query.state.data && isPending(query.state.data) ? LIVE_INTERVAL_MS : false),
  });
}

/** The versions of a model that are in a stage. */
export function versionsInStageQuery(name: string, stage: string) {
  return queryOptions({
    queryKey: ["models", "in-stage", name, stage],
    queryFn: async ({ signal }): Promise<ModelVersion[]> => {
      const filter = `name = ${quoted(name)} AND current_stage = ${quoted(stage)}`;
      const query = { filter, order_by: ["version ASC"], max_results: 1000 };
      const answer = await ask(api.GET("/api/2.0/mlflow/model-versions/search", { params: { query }, signal }));
      return answer.model_versions ?? [];
    },
    // What others did meanwhile matters when versions are about to be moved.
    staleTime: 0,
  });
}

/** The numbers of the versions before and after one; a number may have been deleted. */
export function neighboursQuery(name: string, version: string) {
  const nearest = async (comparator: "<" | ">", signal: AbortSignal): Promise<string | undefined> => {
    const filter = `name = ${quoted(name)} AND version ${comparator} ${Number(version)}`;
    const query = { filter, order_by: [`version ${comparator === "<" ? "DESC" : "ASC"}`], max_results: 1 };
    const answer = await ask(api.GET("/api/2.0/mlflow/model-versions/search", { params: { query }, signal }));
    return answer.model_versions?.[0]?.version;
  };
  return queryOptions({
    queryKey: ["models", "neighbours", name, version],
    queryFn: async ({ signal }) => {
      const [previous, next] = await Promise.all([nearest("<", signal), nearest(">", signal)]);
      return { previous, next };
    },
  });
}

/** The MLmodel file of a version; empty where it has none. */
export function versionModelFileQuery(name: string, version: string) {
  return queryOptions({
    queryKey: ["model-file", name, version],
    queryFn: ({ signal }): Promise<string> =>
      readText(serverUrl("/model-versions/get-artifact", { name, version, path: "MLmodel" }), signal),
    staleTime: 60_000,
  });
}

export function loggedModelQuery(modelId: string) {
  return queryOptions({
    queryKey: ["logged-models", "one", modelId],
    queryFn: async ({ signal }): Promise<LoggedModel> => {
      const path = { model_id: modelId };
      return (await ask(api.GET("/api/2.0/mlflow/logged-models/{model_id}", { params: { path }, signal }))).model;
    },
    refetchInterval: (query) => (query.state.data?.info.status === "LOGGED_MODEL_PENDING" ? LIVE_INTERVAL_MS : false),
  });
}

/** Logged models by search, a page at a time. */
export function loggedModelsQuery(search: SearchLoggedModels) {
  return infiniteQueryOptions({
    queryKey: ["logged-models", "search", search],
    queryFn: ({ pageParam, signal }) => {
      const body = { max_results: PAGE_SIZE, ...search, page_token: pageParam };
      return ask(api.POST("/api/2.0/mlflow/logged-models/search", { body, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_page_token ?? undefined,
  });
}

export interface RunName {
  name: string;
  experimentId: string;
}

/** Names and experiments of runs, by id; runs that are gone are not in it. */
export function runNamesQuery(runIds: string[]) {
  const wanted = [...new Set(runIds)].filter((id) => id !== "").sort();
  return queryOptions({
    queryKey: ["run-names", wanted],
    queryFn: async ({ signal }): Promise<Map<string, RunName>> => {
      const columns = ["attributes.run_name", "attributes.experiment_id"];
      const body = { run_ids: wanted, columns };
      const table = await ask(api.POST("/api/1.0/runyard/runs/table", { body, signal }));
      const found = new Map<string, RunName>();
      for (const [row, runId] of table.run_ids.entries()) {
        const [name, experimentId] = columns.map((column) => table.columns[column]?.[row]);
        if (experimentId !== null && experimentId !== undefined) {
          found.set(runId, { name: String(name ?? ""), experimentId: String(experimentId) });
        }
      }
      return found;
    },
    enabled: wanted.length > 0,
    staleTime: 60_000,
  });
}

function isPending(version: ModelVersion): boolean {
  return versionState(version.status) === "pending";
}

async function readText(url: string, signal: AbortSignal): Promise<string> {
  const answer = await fetch(url, { signal });
  if (answer.status === 404) return "";
  if (!answer.ok) throw new ApiError(answer.status, "UNKNOWN", `the server answered with status ${answer.status}`);
  return answer.text();
}
