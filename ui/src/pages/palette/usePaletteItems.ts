// What the command palette finds on the server.
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, ask } from "../../api/client";
import { useStrings } from "../../i18n";
import { runAddress } from "../../lib/addresses";
import { modelFilter } from "../../lib/models/filter";
import type { Item } from "../../lib/palette";

const TYPING_PAUSE_MS = 150;
const MAX_OF_A_KIND = 6;

/** Experiments, runs and models whose names hold the words, runs by id too. */
export function usePaletteItems(text: string): { items: Item[]; isSearching: boolean; error: Error | null } {
  const t = useStrings();
  const query = useDebounced(text.trim());
  const found = useQuery({
    queryKey: ["palette", query],
    queryFn: ({ signal }) => search(query, signal),
    enabled: query !== "",
    placeholderData: keepPreviousData,
  });
  const { experiments = [], runs = [], models = [] } = query === "" ? {} : (found.data ?? {});
  const items: Item[] = [
    ...experiments.map(({ experiment_id: id, name }): Item => ({
      kind: "experiment",
      id: `experiment ${id}`,
      label: name,
      note: t.settings.palette.experiment,
      href: `#/experiments/${id}`,
    })),
    ...runs.map((run): Item => ({
      kind: "run",
      id: `run ${run.run_id}`,
      label: run.run_name,
      note: run.experiment_name,
      href: runAddress(run.experiment_id, run.run_id),
    })),
    ...models.map(({ name }): Item => ({
      kind: "model",
      id: `model ${name}`,
      label: name,
      note: t.settings.palette.model,
      href: `#/models/${encodeURIComponent(name)}`,
    })),
  ];
  return { items, isSearching: query !== text.trim() || found.isFetching, error: found.error };
}

async function search(query: string, signal: AbortSignal) {
  // Words, and not a filter: what is typed here is never an error.
  const filter = modelFilter(query.replace(/[=<>]/g, " ")) ?? "";
  const [experiments, runs, models] = await Promise.all([
    ask(
      api.POST("/api/2.0/mlflow/experiments/search", {
        body: { filter, max_results: MAX_OF_A_KIND, view_type: "ACTIVE_ONLY" },
        signal,
      }),
    ),
    ask(
      api.GET("/api/1.0/runyard/runs/find", { params: { query: { text: query, max_results: MAX_OF_A_KIND } }, signal }),
    ),
    ask(
      api.GET("/api/2.0/mlflow/registered-models/search", {
        params: { query: { filter, max_results: MAX_OF_A_KIND } },
        signal,
      }),
    ),
  ]);
  return { experiments: experiments.experiments ?? [], runs: runs.runs, models: models.registered_models ?? [] };
}

function useDebounced(value: string): string {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
