// Lines and bars of groups of runs: the mean over a group's runs, and how far they are from each other.
import { formatNumber } from "../format";
import type { Lines, RunLine, RunSeries } from "./series";

/** What a band says: from the least to the greatest, or the standard deviation of the sample on both sides. */
export type Spread = "range" | "deviation";

export interface Group {
  /** Not an id of a run. */
  key: string;
  runIds: readonly string[];
}

/** The values of a group's runs at one place. */
export interface GroupValue {
  mean: number;
  low: number;
  high: number;
  /** How many runs have a value there. */
  count: number;
}

/** The mean of numbers and its spread; undefined for none. Of one number the deviation is zero. */
export function groupValue(values: readonly number[], spread: Spread): GroupValue | undefined {
  const count = values.length;
  if (count === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value / count, 0);
  if (spread === "range") return { mean, low: Math.min(...values), high: Math.max(...values), count };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = count > 1 ? Math.sqrt(squares / (count - 1)) : 0;
  return { mean, low: mean - deviation, high: mean + deviation, count };
}

/**
 * A line for each group in place of its runs' lines; groups without a point are left out.
 *
 * A run counts from its first point to its last, between two points with what lies on the line between them: so runs that
 * were logged, or cut by the server, at different steps still make one mean. NaN and the infinities do not count.
 */
export function groupLines(lines: Lines, groups: readonly Group[], spread: Spread): Lines {
  const byRun = new Map(lines.runs.map((line) => [line.runId, line]));
  const groupOf = new Map(groups.flatMap(({ key, runIds }) => runIds.map((runId) => [runId, key])));
  const runs = groups.flatMap(({ key, runIds }): RunLine[] => {
    const members = runIds.flatMap((runId) => byRun.get(runId) ?? []).map((line) => withoutGaps(line.last, lines.x));
    const places = lines.x.map((_, at) =>
      groupValue(
        members.map((member) => member[at]!).filter((value) => value !== null),
        spread,
      ),
    );
    if (places.every((place) => place === undefined)) return [];
    return [
      {
        runId: key,
        last: places.map((place) => place?.mean ?? null),
        min: places.map((place) => place?.low ?? null),
        max: places.map((place) => place?.high ?? null),
        hasBand: places.some((place) => place !== undefined && place.count > 1),
        counts: places.map((place) => place?.count ?? 0),
      },
    ];
  });
  const marks = lines.marks.map((mark) => ({ ...mark, runId: groupOf.get(mark.runId) ?? mark.runId }));
  return { ...lines, runs, marks };
}

/** The values of groups whose runs have one point each. Groups without a finite value are left out. */
export function groupBars(
  series: readonly RunSeries[],
  groups: readonly Group[],
  spread: Spread,
): (GroupValue & { key: string })[] {
  const byRun = new Map(series.map(({ runId, points }) => [runId, points[0]!.value]));
  return groups.flatMap(({ key, runIds }) => {
    const values = runIds.map((runId) => byRun.get(runId) ?? Number.NaN).filter(Number.isFinite);
    const found = groupValue(values, spread);
    return found ? [{ key, ...found }] : [];
  });
}

/** "0.25 – 0.75". */
export function spreadText(low: number, high: number): string {
  return `${formatNumber(low, 3)} – ${formatNumber(high, 3)}`;
}

/** The same with what lies on the straight line in each gap; null only before the first value and after the last. */
export function withoutGaps(values: readonly (number | null)[], x: readonly number[]): (number | null)[] {
  const filled = [...values];
  let before = -1;
  values.forEach((value, at) => {
    if (value === null) return;
    for (let gap = before + 1; before >= 0 && gap < at; gap++) {
      const share = (x[gap]! - x[before]!) / (x[at]! - x[before]!);
      filled[gap] = values[before]! + share * (value - values[before]!);
    }
    before = at;
  });
  return filled;
}
