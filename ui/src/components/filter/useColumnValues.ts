// The values of a param, a tag or an attribute that are offered in the filter box, from the server.
import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, ask } from "../../api/client";

const PAUSE_MS = 120;
const MAX_VALUES = 50;

interface Wanted {
  column: string;
  contains: string;
}

/** Values of a column that contain something; asked for once nothing was typed for a moment. */
export function useColumnValues(experimentIds: string[], wanted: Wanted | undefined): string[] | undefined {
  const column = wanted?.column;
  const contains = useLater(wanted?.contains ?? "");
  const { data } = useQuery({
    queryKey: ["run-values", experimentIds, column, contains],
    queryFn: async ({ signal }) => {
      const body = { experiment_ids: experimentIds, column: column!, contains, max_results: MAX_VALUES };
      return (await ask(api.POST("/api/1.0/runyard/runs/values", { body, signal }))).values;
    },
    enabled: column !== undefined && experimentIds.length > 0,
    staleTime: 30_000,
    // While the next are on their way, the last ones of the same column are better than none.
    placeholderData: (previous, query) => (query?.queryKey[2] === column ? previous : undefined),
  });
  return column === undefined ? undefined : data;
}

/** A text as it was a moment ago, unless it has not changed since. */
function useLater(text: string): string {
  const [later, setLater] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => setLater(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return later;
}
