// How much each param has to do with a metric.
import type { ImportanceMeasure } from "./plot";
import { binOf, pearson, spearman, varianceShare } from "./statistics";
import { axisOf, type Cell } from "./values";

export interface Importance {
  column: string;
  /** How many runs have the param and the metric. */
  count: number;
  /** Of the metric's variance, from 0 to 1. */
  share: number | undefined;
  /** From -1 to 1; undefined for params that are words. */
  pearson: number | undefined;
  spearman: number | undefined;
}

/** Fewer runs than this tell next to nothing, and readers are told so. */
export const FEW_RUNS = 20;

/** For each param what it tells of the metric, by the runs that have both; params that never vary are left out. */
export function importances(
  metric: readonly (number | undefined)[],
  params: readonly { column: string; cells: readonly (Cell | undefined)[] }[],
): Importance[] {
  return params.flatMap(({ column, cells }) => {
    // The linear scale keeps what is not positive.
    const axis = axisOf(column, cells, "linear");
    const rows = metric.flatMap((value, row) =>
      value !== undefined && axis.values[row] !== undefined ? [[axis.values[row], value] as const] : [],
    );
    const xs = rows.map(([x]) => x);
    const ys = rows.map(([, y]) => y);
    if (new Set(xs).size < 2) return [];
    const isNumber = axis.kind === "number";
    return {
      column,
      count: rows.length,
      share: varianceShare(isNumber ? binOf(xs) : xs, ys),
      pearson: isNumber ? pearson(xs, ys) : undefined,
      spearman: isNumber ? spearman(xs, ys) : undefined,
    };
  });
}

/** The strongest first; what has no value of this measure is left out. */
export function ranked(all: readonly Importance[], measure: ImportanceMeasure): (Importance & { value: number })[] {
  return all
    .flatMap((one) => (one[measure] === undefined ? [] : { ...one, value: one[measure] }))
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value) || a.column.localeCompare(b.column));
}
