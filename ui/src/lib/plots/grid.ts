// A surface through scattered points, on a grid that contours are drawn from.

export interface Point {
  x: number;
  y: number;
  z: number;
}

export interface Grid {
  width: number;
  height: number;
  /** Row by row, the lowest y first. */
  values: number[];
  xRange: [number, number];
  yRange: [number, number];
}

/**
 * Interpolate by inverse distances (D. Shepard, "A two-dimensional interpolation function for irregularly-spaced data",
 * 1968): a node of the grid is the mean of all points, weighed by 1 / distance squared, so that the surface goes through
 * the points and never above or below all of them. Both directions are first brought to the same length.
 *
 * The caller brings logarithmic axes to logarithms before.
 */
export function interpolate(
  points: readonly Point[],
  xRange: [number, number],
  yRange: [number, number],
  size = 60,
): Grid {
  const width = xRange[1] - xRange[0] || 1;
  const height = yRange[1] - yRange[0] || 1;
  const scaled = points.map(({ x, y, z }) => ({ x: (x - xRange[0]) / width, y: (y - yRange[0]) / height, z }));
  const heights = points.map(({ z }) => z);
  // Rounding may lead a little beyond them, which on a level surface would make contours of nothing.
  const low = Math.min(...heights);
  const high = Math.max(...heights);
  const values = new Array<number>(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const value = valueAt(scaled, column / (size - 1), row / (size - 1));
      values[row * size + column] = Math.max(low, Math.min(high, value));
    }
  }
  return { width: size, height: size, values, xRange, yRange };
}

function valueAt(points: readonly Point[], x: number, y: number): number {
  let sum = 0;
  let weights = 0;
  // Points in the same place count together, as their mean.
  let hits = 0;
  let hitSum = 0;
  for (const point of points) {
    const distance = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (distance < 1e-12) {
      hits++;
      hitSum += point.z;
    } else {
      sum += point.z / distance;
      weights += 1 / distance;
    }
  }
  return hits > 0 ? hitSum / hits : sum / weights;
}

/** Where a place on the grid, as d3-contour names it (the middle of the first node is 0.5), lies on the axes. */
export function placeOf(grid: Grid, [column, row]: readonly [number, number]): [number, number] {
  const { xRange, yRange } = grid;
  // d3-contour closes what reaches the edge half a node beyond it.
  const across = Math.max(0, Math.min(1, (column - 0.5) / (grid.width - 1)));
  const up = Math.max(0, Math.min(1, (row - 0.5) / (grid.height - 1)));
  return [xRange[0] + across * (xRange[1] - xRange[0]), yRange[0] + up * (yRange[1] - yRange[0])];
}

/** So many evenly spaced levels from the lowest on; one where all is level. */
export function levelsOf(values: readonly number[], count = 10): number[] {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!Number.isFinite(low)) return [];
  if (low === high) return [low];
  return Array.from({ length: count }, (_, at) => low + ((high - low) * at) / count);
}
