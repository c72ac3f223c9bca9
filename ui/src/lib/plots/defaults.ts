// What a new plot shows before the reader has chosen anything.
import { ATTRIBUTES, type AvailableColumns } from "../runs/columns";
import { newPlotId, type Plot, type PlotKind, readPlots } from "./plot";

const SYSTEM_PREFIX = "system/";
const FIRST_AXES = 5;
const PLOTTED_ATTRIBUTES = new Set([
  "start_time",
  "end_time",
  "duration",
  "status",
  "user_id",
  "run_name",
  "experiment_name",
  "child_count",
]);
const OWN_TAG = /^(mlflow|runyard)\./;

/** What the reader is choosing; columns may be missing still. */
export type PlotDraft = {
  id: string;
  kind: PlotKind;
  x?: string;
  y?: string;
  z?: string;
  color?: string;
  by?: string;
  axes?: string[];
  scales?: Plot["scales"];
  order?: "name" | "runs";
  measure?: "share" | "spearman" | "pearson";
};

/** A draft of a new plot of the kind, of the first columns there are. */
export function newDraft(kind: PlotKind, available: AvailableColumns, plots: readonly Plot[]): PlotDraft {
  const metrics = orderedMetrics(available).map((key) => `metrics.${key}`);
  const params = available.params.map((key) => `params.${key}`);
  const metric = metrics[0];
  const base = { id: newPlotId(plots), kind };
  switch (kind) {
    case "bar":
    case "importance":
      return { ...base, y: metric };
    case "scatter":
      return { ...base, x: params[0] ?? metrics[1], y: metric };
    case "contour":
      return { ...base, x: params[0] ?? metrics[1], y: params[1] ?? metrics[2], z: metric };
    case "box":
      return { ...base, y: metric, by: params[0] };
    case "parallel":
      return { ...base, axes: [...params.slice(0, FIRST_AXES), ...(metric ? [metric] : [])] };
  }
}

/** The plot that a draft has become; undefined while something is missing. */
export function finished(draft: PlotDraft): Plot | undefined {
  const plot = readPlots([draft])[0];
  return plot?.kind === "parallel" && plot.axes.length < 2 ? undefined : plot;
}

/** Every column that may be an axis, metrics first; the tags that clients keep for themselves come last. */
export function axisColumns(available: AvailableColumns): string[] {
  const isOwn = (key: string) => OWN_TAG.test(key);
  const tags = [...available.tags.filter((key) => !isOwn(key)), ...available.tags.filter(isOwn)];
  return [
    ...orderedMetrics(available).map((key) => `metrics.${key}`),
    ...available.params.map((key) => `params.${key}`),
    ...ATTRIBUTES.filter((name) => PLOTTED_ATTRIBUTES.has(name)).map((name) => `attributes.${name}`),
    ...tags.map((key) => `tags.${key}`),
  ];
}

/** The metrics, with those that measure the machine after the others. */
function orderedMetrics({ metrics }: AvailableColumns): string[] {
  const isSystem = (key: string) => key.startsWith(SYSTEM_PREFIX);
  return [...metrics.filter((key) => !isSystem(key)), ...metrics.filter(isSystem)];
}
