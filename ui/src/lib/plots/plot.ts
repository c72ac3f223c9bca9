// Charts that are not lines over steps, as the address keeps them: which kind, and which columns are its axes.
import { parseColumn } from "../runs/columns";

/** How an axis is divided; without a word it is what fits the values. */
export type Scale = "linear" | "log";

export type PlotKind = "bar" | "scatter" | "contour" | "box" | "parallel" | "importance";

export type ImportanceMeasure = "share" | "spearman" | "pearson";

interface PlotBase {
  /** Its own among the plots of a section. */
  id: string;
  /** By column, where the reader has chosen. */
  scales?: Record<string, Scale>;
}

/** Columns are named as the server names them: `metrics.val/loss`, `params.lr`. */
export type Plot = PlotBase &
  (
    | { kind: "bar"; y: string; order?: "name" | "runs" }
    | { kind: "scatter"; x: string; y: string; color?: string }
    | { kind: "contour"; x: string; y: string; z: string }
    | { kind: "box"; y: string; by: string }
    | { kind: "parallel"; axes: string[] }
    | { kind: "importance"; y: string; measure?: ImportanceMeasure }
  );

export const PLOT_KINDS: PlotKind[] = ["bar", "scatter", "contour", "box", "parallel", "importance"];
const MAX_PLOTS = 50;
const MAX_AXES = 40;

/** Read plots from an address or a saved view; what is none is left out. */
export function readPlots(value: unknown): Plot[] {
  if (!Array.isArray(value)) return [];
  const plots = value.map(readPlot).filter((plot) => plot !== undefined);
  const isFirst = (plot: Plot, at: number) => plots.findIndex(({ id }) => id === plot.id) === at;
  return plots.filter(isFirst).slice(0, MAX_PLOTS);
}

function readPlot(value: unknown): Plot | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { id, kind, scales, x, y, z, color, by, axes, order, measure } = value as Record<string, unknown>;
  if (typeof id !== "string" || id === "") return undefined;
  const base: PlotBase = { id, ...readScales(scales) };
  switch (kind) {
    case "bar":
      if (!isColumn(y)) return undefined;
      return { ...base, kind, y, ...((order === "name" || order === "runs") && { order }) };
    case "scatter":
      return isColumn(x) && isColumn(y) ? { ...base, kind, x, y, ...(isColumn(color) && { color }) } : undefined;
    case "contour":
      return isColumn(x) && isColumn(y) && isColumn(z) ? { ...base, kind, x, y, z } : undefined;
    case "box":
      return isColumn(y) && isColumn(by) ? { ...base, kind, y, by } : undefined;
    case "parallel":
      return Array.isArray(axes)
        ? { ...base, kind, axes: [...new Set(axes.filter(isColumn))].slice(0, MAX_AXES) }
        : undefined;
    case "importance":
      if (!isColumn(y)) return undefined;
      return { ...base, kind, y, ...((measure === "spearman" || measure === "pearson") && { measure }) };
    default:
      return undefined;
  }
}

function readScales(value: unknown): { scales?: Record<string, Scale> } {
  if (typeof value !== "object" || value === null) return {};
  const scales = Object.entries(value).filter(
    (entry): entry is [string, Scale] => isColumn(entry[0]) && (entry[1] === "linear" || entry[1] === "log"),
  );
  return scales.length > 0 ? { scales: Object.fromEntries(scales) } : {};
}

function isColumn(value: unknown): value is string {
  return typeof value === "string" && parseColumn(value) !== undefined;
}

/** An id that none of the plots has: short, since addresses hold it. */
export function newPlotId(plots: readonly Plot[]): string {
  const taken = new Set(plots.map(({ id }) => id));
  let number = plots.length + 1;
  while (taken.has(`p${number}`)) number++;
  return `p${number}`;
}

/** The columns that a plot is drawn from; an importance plot is drawn from all params besides. */
export function columnsOf(plot: Plot): string[] {
  const columns = (() => {
    switch (plot.kind) {
      case "bar":
      case "importance":
        return [plot.y];
      case "scatter":
        return [plot.x, plot.y, ...(plot.color ? [plot.color] : [])];
      case "contour":
        return [plot.x, plot.y, plot.z];
      case "box":
        return [plot.by, plot.y];
      case "parallel":
        return plot.axes;
    }
  })();
  return [...new Set(columns)];
}

/** The plots with one of them `offset` places further on. */
export function movePlot(plots: readonly Plot[], id: string, offset: number): Plot[] {
  const from = plots.findIndex((plot) => plot.id === id);
  const to = Math.max(0, Math.min(plots.length - 1, from + offset));
  if (from < 0 || from === to) return [...plots];
  const others = plots.filter((plot) => plot.id !== id);
  others.splice(to, 0, plots[from]!);
  return others;
}

/** A column as a title names it: without "metrics." and the like. */
export function shortName(column: string): string {
  return parseColumn(column)?.key ?? column;
}
