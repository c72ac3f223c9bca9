// What the address of the list of experiments says.

export const EXPERIMENT_ORDERS = ["created", "updated", "name"] as const;
export type ExperimentOrder = (typeof EXPERIMENT_ORDERS)[number];

export interface ExperimentsSearch {
  /** The words or the filter that was typed. */
  query?: string;
  /** Without it the newest first. */
  sort?: ExperimentOrder;
}

/** Read the search parameters of an address; what does not fit is left out. */
export function readExperimentsSearch(search: Record<string, unknown>): ExperimentsSearch {
  const { query, sort } = search;
  const found: ExperimentsSearch = {};
  // The router reads a word such as 1 as a number.
  if ((typeof query === "string" || typeof query === "number") && query !== "") found.query = String(query);
  if (EXPERIMENT_ORDERS.includes(sort as ExperimentOrder)) found.sort = sort as ExperimentOrder;
  return found;
}
