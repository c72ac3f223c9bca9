// What the address of the page says besides the path: the runs, and how they are shown.
import { type Plot, readPlots } from "../../lib/plots/plot";
import type { Goal } from "../../lib/compare/best";
import type { ChartsLayout } from "../charts/layout";

export type CompareTab = "curves" | "plots" | "images";
export type ShownValue = "min" | "max";

export interface CompareSearch {
  /** The runs' ids, in the order of their columns. */
  runs?: string[];
  /** The table of values, where it is left out. */
  tab?: CompareTab;
  /** Whether rows in which all are equal are left out. */
  differences?: boolean;
  /** Only rows whose name holds this. */
  find?: string;
  /** The run that the others are measured against. */
  baseline?: string;
  /** The least or the largest value of each metric, in place of the last. */
  shows?: ShownValue;
  /** Which value of a metric is the best: by the metric's name, where it is left out. */
  best?: Goal;
  charts?: ChartsLayout;
  plots?: Plot[];
  /** The images that are shown: their key and step. */
  image?: string;
  step?: number;
}

/** Read the search parameters of an address; what does not fit is left out. */
export function readCompareSearch(search: Record<string, unknown>): CompareSearch {
  const { runs, tab, differences, find, baseline, shows, best, charts, plots, image, step } = search;
  const read: CompareSearch = {
    runs: idsOf(runs),
    tab: tab === "curves" || tab === "plots" || tab === "images" ? tab : undefined,
    differences: differences === true ? true : undefined,
    find: textOf(find),
    baseline: textOf(baseline),
    shows: shows === "min" || shows === "max" ? shows : undefined,
    best: best === "min" || best === "max" || best === "none" ? best : undefined,
    charts: typeof charts === "object" && charts !== null ? (charts as ChartsLayout) : undefined,
    plots: Array.isArray(plots) ? readPlots(plots) : undefined,
    image: textOf(image),
    step: typeof step === "number" && Number.isFinite(step) ? step : undefined,
  };
  return Object.fromEntries(Object.entries(read).filter(([, value]) => value !== undefined));
}

// An id without letters is read as a number where nothing says that it is text.
function idsOf(value: unknown): string[] {
  const list = Array.isArray(value) ? value : typeof value === "string" ? value.split(",") : [];
  const ids = list.filter((id): id is string | number => typeof id === "string" || typeof id === "number").map(String);
  return [...new Set(ids.map((id) => id.trim()).filter((id) => id !== ""))];
}

function textOf(value: unknown): string | undefined {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return undefined;
  return String(value) === "" ? undefined : String(value);
}
