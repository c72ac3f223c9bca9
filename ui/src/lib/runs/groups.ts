// Groups of runs in the order that the reader chose.
import type { RunGroups } from "../../api/schema";
import { toNumber } from "../format";
import { parseColumn } from "./columns";
import type { Order } from "./scope";

/**
 * The groups sorted by an order: by the mean of a metric, or by the values of one of `groupBy`. Another order leaves them
 * as the server gave them, the largest first. What is absent comes last both ways.
 */
export function sortGroups(groups: RunGroups, groupBy: readonly string[], order: Order | undefined): RunGroups {
  const keys = order && sortKeys(groups, groupBy, order.column);
  if (keys === undefined) return groups;
  const sign = order?.descending ? -1 : 1;
  const at = keys
    .map((_, index) => index)
    .sort((first, second) => {
      const [left, right] = [keys[first]!, keys[second]!];
      if (left === null || right === null) return Number(left === null) - Number(right === null);
      return sign * compare(left, right);
    });
  const sorted = <T>(values: T[]): T[] => at.map((index) => values[index]!);
  return {
    ...groups,
    values: sorted(groups.values),
    run_counts: sorted(groups.run_counts),
    metrics: Object.fromEntries(
      Object.entries(groups.metrics).map(([key, { counts, means, deviations, minima, maxima }]) => [
        key,
        {
          counts: sorted(counts),
          means: sorted(means),
          deviations: sorted(deviations),
          minima: sorted(minima),
          maxima: sorted(maxima),
        },
      ]),
    ),
  };
}

function sortKeys(
  groups: RunGroups,
  groupBy: readonly string[],
  column: string,
): (string | number | null)[] | undefined {
  const metric = parseColumn(column)?.kind === "metrics" ? groups.metrics[parseColumn(column)!.key] : undefined;
  if (metric)
    return metric.means.map((mean) => (mean === null || Number.isNaN(toNumber(mean)) ? null : toNumber(mean)));
  const place = groupBy.indexOf(column);
  return place < 0 ? undefined : groups.values.map((values) => values[place] ?? null);
}

/** Texts that are numbers compare as numbers: a learning rate of 0.01 stands before one of 0.1. */
function compare(first: string | number, second: string | number): number {
  const [left, right] = [Number(first), Number(second)];
  if (first !== "" && second !== "" && !Number.isNaN(left) && !Number.isNaN(right)) return left - right;
  return String(first) < String(second) ? -1 : Number(first !== second);
}
