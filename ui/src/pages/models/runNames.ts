// The names of runs that a table shows.
import { useQuery } from "@tanstack/react-query";
import { type RunName, runNamesQuery } from "../../api/models";

const NO_NAMES: ReadonlyMap<string, RunName> = new Map();

/** Names and experiments of runs by id; those that are gone, and those not known yet, are not in it. */
export function useRunNames(runIds: string[]): ReadonlyMap<string, RunName> {
  return useQuery({ ...runNamesQuery(runIds), placeholderData: (previous) => previous }).data ?? NO_NAMES;
}
