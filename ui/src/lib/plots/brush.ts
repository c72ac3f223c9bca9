// What is selected on the axes of parallel coordinates: ranges on each axis, and the runs that lie in them.
import type { Axis } from "./values";

/** From and to, both included; on an axis of words, places among them. */
export type Interval = [number, number];

/** By column. An axis without intervals selects nothing away. */
export type Brush = Record<string, Interval[]>;

/** The rows that lie within an interval of every axis that has any. */
export function brushedRows(axes: readonly Axis[], brush: Brush, rows: readonly number[]): number[] {
  const active = axes.flatMap((axis) => {
    const intervals = brush[axis.column] ?? [];
    return intervals.length > 0 ? [{ axis, intervals }] : [];
  });
  return rows.filter((row) =>
    active.every(({ axis, intervals }) => {
      const value = axis.values[row];
      return value !== undefined && intervals.some(([from, to]) => value >= from && value <= to);
    }),
  );
}

export function isBrushed(brush: Brush): boolean {
  return Object.values(brush).some((intervals) => intervals.length > 0);
}

/** The brush with the intervals of one axis replaced; from and to may come in either order. */
export function setIntervals(brush: Brush, column: string, intervals: readonly Interval[]): Brush {
  const rest = Object.fromEntries(Object.entries(brush).filter(([name]) => name !== column));
  if (intervals.length === 0) return rest;
  return { ...rest, [column]: intervals.map(([from, to]): Interval => (from <= to ? [from, to] : [to, from])) };
}

/** The places among the words that an axis has selected; all where nothing is. */
export function selectedCategories(axis: Axis, brush: Brush): boolean[] {
  const intervals = brush[axis.column] ?? [];
  return axis.categories.map(
    (_, place) => intervals.length === 0 || intervals.some(([from, to]) => place >= from && place <= to),
  );
}

/** The intervals that select these words: neighbours share one. All of them are no selection at all. */
export function categoryIntervals(selected: readonly boolean[]): Interval[] {
  if (selected.every(Boolean)) return [];
  const intervals: Interval[] = [];
  for (const [place, isSelected] of selected.entries()) {
    if (!isSelected) continue;
    const last = intervals.at(-1);
    // A little more than the place itself, so that it is a range that can be seen and taken hold of.
    if (last && last[1] > place - 1) last[1] = place + 0.25;
    else intervals.push([place - 0.25, place + 0.25]);
  }
  // Nothing at all: a range below all places.
  return intervals.length > 0 ? intervals : [[-0.5, -0.5]];
}
