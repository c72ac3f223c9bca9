// The statistics that plots show: correlations, the share of a variance that groups explain, quartiles.

/** Pearson's product-moment correlation; undefined for fewer than three pairs or where one side is constant. */
export function pearson(xs: readonly number[], ys: readonly number[]): number | undefined {
  const count = Math.min(xs.length, ys.length);
  if (count < 3) return undefined;
  const meanX = mean(xs);
  const meanY = mean(ys);
  let both = 0;
  let squaresX = 0;
  let squaresY = 0;
  for (let at = 0; at < count; at++) {
    const dx = xs[at]! - meanX;
    const dy = ys[at]! - meanY;
    both += dx * dy;
    squaresX += dx * dx;
    squaresY += dy * dy;
  }
  if (squaresX === 0 || squaresY === 0) return undefined;
  return Math.max(-1, Math.min(1, both / Math.sqrt(squaresX * squaresY)));
}

/** Spearman's rank correlation: that of Pearson between the ranks, in which ties share the mean of their ranks. */
export function spearman(xs: readonly number[], ys: readonly number[]): number | undefined {
  return pearson(ranks(xs), ranks(ys));
}

/** The ranks from 1 on; equal values have the mean of the ranks that they take up. */
export function ranks(values: readonly number[]): number[] {
  const order = values.map((_, at) => at).sort((a, b) => values[a]! - values[b]!);
  const found = new Array<number>(values.length);
  for (let first = 0; first < order.length;) {
    let last = first;
    while (last + 1 < order.length && values[order[last + 1]!] === values[order[first]!]) last++;
    for (let at = first; at <= last; at++) found[order[at]!] = (first + last) / 2 + 1;
    first = last + 1;
  }
  return found;
}

/**
 * The share of the variance of `ys` that knowing the group explains, from 0 to 1.
 *
 * The correlation ratio (Pearson 1905), the variance between groups divided by the whole one, comes out too large for
 * few runs in many groups: with a group for each run it is 1 whatever was measured. This is Kelley's estimate without
 * that bias (T. L. Kelley, "An unbiased correlation ratio measure", PNAS 21, 1935, pages 554 to 559):
 * 1 - (within / (n - k)) / (whole / (n - 1)). Chance may bring it below 0, which counts as 0.
 *
 * Undefined where nothing can be said: fewer than two groups, no group with two runs, or no variance at all.
 */
export function varianceShare(groups: readonly number[], ys: readonly number[]): number | undefined {
  const members = new Map<number, number[]>();
  for (const [at, group] of groups.entries()) {
    const list = members.get(group) ?? [];
    list.push(ys[at]!);
    members.set(group, list);
  }
  const count = ys.length;
  if (members.size < 2 || count <= members.size) return undefined;
  const whole = squaresAround(ys, mean(ys));
  if (whole === 0) return undefined;
  let within = 0;
  for (const list of members.values()) within += squaresAround(list, mean(list));
  const share = 1 - within / (count - members.size) / (whole / (count - 1));
  return Math.max(0, Math.min(1, share));
}

/**
 * The group of each value: numbers fall into groups of about equal size, as many as the square root of their count, at
 * most ten; where there are no more different numbers than that, each is a group of its own.
 */
export function binOf(values: readonly number[]): number[] {
  const different = [...new Set(values)].sort((a, b) => a - b);
  const binCount = Math.max(2, Math.min(10, Math.round(Math.sqrt(values.length))));
  if (different.length <= binCount) return values.map((value) => different.indexOf(value));
  // Equal values have equal ranks, and so stay together.
  return ranks(values).map((rank) => Math.min(binCount - 1, Math.floor(((rank - 0.5) / values.length) * binCount)));
}

export interface FiveNumbers {
  low: number;
  lowerQuartile: number;
  median: number;
  upperQuartile: number;
  high: number;
  /** What lies beyond the whiskers. */
  outliers: number[];
}

/**
 * What a box is drawn from: Tukey's, with whiskers to the last value within 1.5 times the distance of the quartiles.
 * Quantiles lie on the line between the two values beside them (type 7 of Hyndman and Fan, as NumPy does it).
 */
export function fiveNumbers(values: readonly number[]): FiveNumbers | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const lowerQuartile = quantile(sorted, 0.25);
  const upperQuartile = quantile(sorted, 0.75);
  const reach = 1.5 * (upperQuartile - lowerQuartile);
  const isInside = (value: number) => value >= lowerQuartile - reach && value <= upperQuartile + reach;
  const inside = sorted.filter(isInside);
  return {
    // A quartile may lie outside all values that are inside; the whisker then ends at the box.
    low: Math.min(inside[0] ?? lowerQuartile, lowerQuartile),
    lowerQuartile,
    median: quantile(sorted, 0.5),
    upperQuartile,
    high: Math.max(inside.at(-1) ?? upperQuartile, upperQuartile),
    outliers: sorted.filter((value) => !isInside(value)),
  };
}

function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share;
  const below = sorted[Math.floor(place)]!;
  const above = sorted[Math.ceil(place)]!;
  return below + (above - below) * (place - Math.floor(place));
}

function mean(values: readonly number[]): number {
  let sum = 0;
  for (const value of values) sum += value;
  return sum / values.length;
}

function squaresAround(values: readonly number[], center: number): number {
  let sum = 0;
  for (const value of values) sum += (value - center) ** 2;
  return sum;
}
