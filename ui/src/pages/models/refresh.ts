// What is read again after a change.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback } from "react";

/** A function that makes what the pages show of models be asked for again. */
export function useRefreshModels(): () => Promise<void> {
  const queries = useQueryClient();
  return useCallback(async () => {
    await Promise.all([
      queries.invalidateQueries({ queryKey: ["models"] }),
      queries.invalidateQueries({ queryKey: ["logged-models"] }),
    ]);
  }, [queries]);
}
