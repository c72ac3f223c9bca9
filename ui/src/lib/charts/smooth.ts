// Smoothing of noisy series.

/**
 * The exponential moving average, corrected for its start at zero.
 *
 * `values` has n entries in the order of x; null is a gap and stays one. `weight` is the share of the past that is kept,
 * from 0, which changes nothing, to below 1.
 *
 * Source: bias correction, Kingma and Ba (2015), section 3, arXiv:1412.6980.
 */
export function smooth(values: readonly (number | null)[], weight: number): (number | null)[] {
  if (weight <= 0) return [...values];
  let average = 0;
  let kept = 1;
  return values.map((value) => {
    if (value === null) return null;
    average = average * weight + value * (1 - weight);
    kept *= weight;
    return average / (1 - kept);
  });
}
