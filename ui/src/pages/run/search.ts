// What the address of a run's page says besides the path.
import type { ChartsLayout } from "../charts/layout";

export type RunTab = "overview" | "metrics" | "system" | "artifacts";

export interface RunSearch {
  /** Without it the overview. */
  tab?: RunTab;
  /** The artifact that is shown. */
  path?: string;
  /** How the charts of the model's metrics are arranged, and those of the machine's. */
  charts?: ChartsLayout;
  systemCharts?: ChartsLayout;
}

const TABS = new Set(["metrics", "system", "artifacts"]);

/** Read the search parameters of an address; what does not fit is left out. */
export function readRunSearch(search: Record<string, unknown>): RunSearch {
  const { tab, path, charts, systemCharts } = search;
  const found: RunSearch = {};
  if (typeof tab === "string" && TABS.has(tab)) found.tab = tab as RunTab;
  // The router reads a name such as 1 as a number.
  if ((typeof path === "string" || typeof path === "number") && path !== "") found.path = String(path);
  if (typeof charts === "object" && charts !== null) found.charts = charts as ChartsLayout;
  if (typeof systemCharts === "object" && systemCharts !== null) found.systemCharts = systemCharts as ChartsLayout;
  return found;
}
