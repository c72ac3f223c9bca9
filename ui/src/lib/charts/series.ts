// Points of a metric of several runs, as the lines and marks of a chart.
import type { Metric } from "../../api/schema";
import { toNumber } from "../format";

export interface Point {
  step: number;
  timeMs: number;
  /** May be NaN or infinite. */
  value: number;
}

/** The points of one run, in the order of their steps. */
export interface RunSeries {
  runId: string;
  points: Point[];
}

export type XAxis = "step" | "relative" | "wall";

/** A point that no line can go through, and where it is along x. */
export interface Mark {
  runId: string;
  x: number;
  kind: "nan" | "high" | "low";
}

export interface RunLine {
  runId: string;
  /** One entry a place of `x`, null where the run has no point there: the last value, the least and the greatest. */
  last: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
  /** Whether more than one point came to some place, so that there is a band to draw. */
  hasBand: boolean;
  /** Of the line of a group: how many runs it is the mean of, one entry a place. */
  counts?: number[];
}

export interface Lines {
  /** Ascending; in steps, or in seconds. */
  x: number[];
  runs: RunLine[];
  marks: Mark[];
  /** Points that a logarithmic axis cannot show. */
  leftOut: number;
}

export interface LineOptions {
  axis: XAxis;
  logX: boolean;
  logY: boolean;
  /** The most places along x; with more different ones, neighbours share a place. */
  maxPlaces: number;
}

/** The points by run, in the order of `runIds`; runs without points are left out. */
export function toSeries(metrics: readonly Metric[], runIds: readonly string[]): RunSeries[] {
  const byRun = new Map<string, Point[]>(runIds.map((runId) => [runId, []]));
  for (const { run_id, step, timestamp, value } of metrics) {
    byRun.get(run_id ?? "")?.push({ step, timeMs: timestamp, value: toNumber(value) });
  }
  return [...byRun]
    .filter(([, points]) => points.length > 0)
    .map(([runId, points]) => ({
      runId,
      points: points.sort((a, b) => a.step - b.step || a.timeMs - b.timeMs),
    }));
}

/** Where a run's points are along x: their steps, or seconds since its first point, or seconds since the epoch. */
export function placesOf(series: RunSeries, axis: XAxis): number[] {
  if (axis === "step") return series.points.map(({ step }) => step);
  const start = axis === "relative" ? Math.min(...series.points.map(({ timeMs }) => timeMs)) : 0;
  return series.points.map(({ timeMs }) => (timeMs - start) / 1000);
}

/** All runs on one x, so that they can be drawn and pointed at together. */
export function toLines(series: readonly RunSeries[], options: LineOptions): Lines {
  const { axis, logX, logY, maxPlaces } = options;
  const marks: Mark[] = [];
  let leftOut = 0;
  const shown = series.map((one) => {
    const places = placesOf(one, axis);
    const points: [number, number][] = [];
    one.points.forEach(({ value }, at) => {
      const x = places[at]!;
      if ((logX && x <= 0) || (logY && Number.isFinite(value) && value <= 0)) leftOut++;
      else if (Number.isNaN(value)) marks.push({ runId: one.runId, x, kind: "nan" });
      else if (!Number.isFinite(value)) marks.push({ runId: one.runId, x, kind: value > 0 ? "high" : "low" });
      else points.push([x, value]);
    });
    return { runId: one.runId, points };
  });
  const placeOf = placer(
    shown.flatMap(({ points }) => points.map(([x]) => x)),
    logX,
    maxPlaces,
  );
  const x = [...new Set(shown.flatMap(({ points }) => points.map(([at]) => placeOf(at))))].sort((a, b) => a - b);
  const index = new Map(x.map((at, place) => [at, place]));
  const runs = shown.map(({ runId, points }): RunLine => {
    const empty = () => new Array<number | null>(x.length).fill(null);
    const line: RunLine = { runId, last: empty(), min: empty(), max: empty(), hasBand: false };
    for (const [at, value] of points) {
      const place = index.get(placeOf(at))!;
      if (line.last[place] !== null) line.hasBand = true;
      line.last[place] = value;
      line.min[place] = Math.min(value, line.min[place] ?? value);
      line.max[place] = Math.max(value, line.max[place] ?? value);
    }
    return line;
  });
  return { x, runs, marks, leftOut };
}

/** Tells the place of each x: itself where there are few, else the middle of one of `maxPlaces` equal parts. */
function placer(all: readonly number[], logX: boolean, maxPlaces: number): (x: number) => number {
  if (new Set(all).size <= maxPlaces) return (x) => x;
  const scale = logX ? Math.log : (x: number) => x;
  const back = logX ? Math.exp : (x: number) => x;
  let [least, greatest] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const x of all) {
    least = Math.min(least, x);
    greatest = Math.max(greatest, x);
  }
  const start = scale(least);
  const width = (scale(greatest) - start) / maxPlaces;
  return (x) => {
    const part = Math.min(maxPlaces - 1, Math.floor((scale(x) - start) / width));
    return back(start + (part + 0.5) * width);
  };
}

/** The range that holds all values between the 1st and the 99th percentile; undefined for fewer than ten values. */
export function rangeWithoutOutliers(lines: Lines): [number, number] | undefined {
  const values = lines.runs.flatMap(({ min, max }) => [...min, ...max]).filter((value) => value !== null);
  if (values.length < 10) return undefined;
  values.sort((a, b) => a - b);
  const at = (share: number) => values[Math.round(share * (values.length - 1))]!;
  const [low, high] = [at(0.01), at(0.99)];
  return low < high ? [low, high] : undefined;
}
