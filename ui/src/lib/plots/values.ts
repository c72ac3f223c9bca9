// What the values of a column are as an axis: numbers or words, evenly or logarithmically divided.
import type { Scale } from "./plot";

/** What stands in a cell of the server's table. A metric that JSON cannot hold is "NaN", "Infinity" or "-Infinity". */
export type Cell = string | number | string[] | null;

/** From this ratio of the largest to the smallest on, positive values are shown on a logarithmic axis by themselves. */
const LOG_RATIO = 100;

export interface Axis {
  column: string;
  kind: "number" | "category";
  scale: Scale;
  /** Of an axis of words: the words in their order. */
  categories: string[];
  /** One a run: the number, or the place among the categories; undefined where the run has no value for the axis. */
  values: (number | undefined)[];
}

/** The number that a cell holds, as a param holds one: as text. */
export function numberIn(cell: Cell | undefined): number | undefined {
  if (typeof cell === "number") return Number.isFinite(cell) ? cell : undefined;
  if (typeof cell !== "string" || cell.trim() === "") return undefined;
  const number = Number(cell);
  return Number.isFinite(number) && !/^\s*[+-]?0[box]/i.test(cell) ? number : undefined;
}

/** The word that a cell holds. */
export function textIn(cell: Cell | undefined): string | undefined {
  if (cell === null || cell === undefined) return undefined;
  return Array.isArray(cell) ? cell.join(", ") || undefined : String(cell);
}

/** A column as an axis: of numbers where all cells that are not empty are numbers, of words otherwise. */
export function axisOf(column: string, cells: readonly (Cell | undefined)[], scale?: Scale): Axis {
  const isMetric = column.startsWith("metrics.");
  const numbers = cells.map(numberIn);
  const hasText = cells.some(
    (cell, at) => numbers[at] === undefined && textIn(cell) !== undefined && !isNonFinite(cell),
  );
  // A metric is a number even where no run has a finite one.
  if (isMetric || (!hasText && numbers.some((number) => number !== undefined))) {
    const chosen = scale ?? suggestScale(numbers);
    // What is not positive has no place on a logarithmic axis.
    const values =
      chosen === "log" ? numbers.map((number) => (number !== undefined && number > 0 ? number : undefined)) : numbers;
    return { column, kind: "number", scale: chosen, categories: [], values };
  }
  return categoryAxis(column, cells);
}

/** A column as an axis of words, though it may hold numbers. */
export function categoryAxis(column: string, cells: readonly (Cell | undefined)[]): Axis {
  const texts = cells.map(textIn);
  const categories = orderCategories(texts);
  const places = new Map(categories.map((category, place) => [category, place]));
  const values = texts.map((text) => (text === undefined ? undefined : places.get(text)));
  return { column, kind: "category", scale: "linear", categories, values };
}

/** The different words: as numbers where all are, otherwise as people sort names: "layer 2" before "layer 10". */
export function orderCategories(texts: readonly (string | undefined)[]): string[] {
  const different = [...new Set(texts.filter((text) => text !== undefined))];
  const areNumbers = different.every((text) => numberIn(text) !== undefined);
  return different.sort((a, b) =>
    areNumbers ? Number(a) - Number(b) : a.localeCompare(b, "en", { numeric: true, sensitivity: "base" }),
  );
}

/** Logarithmic for positive values over two decades or more; learning rates are, accuracies are not. */
export function suggestScale(numbers: readonly (number | undefined)[]): Scale {
  const present = numbers.filter((number) => number !== undefined);
  if (present.length < 3) return "linear";
  const [low, high] = rangeOf(present);
  return low > 0 && high / low >= LOG_RATIO ? "log" : "linear";
}

/** The smallest and the largest; [0, 1] where there is none. */
export function rangeOf(numbers: readonly number[]): [number, number] {
  let low = Infinity;
  let high = -Infinity;
  for (const number of numbers) {
    if (number < low) low = number;
    if (number > high) high = number;
  }
  return low > high ? [0, 1] : [low, high];
}

/** The places of the runs that have a value on every axis. */
export function completeRows(axes: readonly Axis[], count: number): number[] {
  return Array.from({ length: count }, (_, row) => row).filter((row) =>
    axes.every((axis) => axis.values[row] !== undefined),
  );
}

/** How many runs each axis has no value of, for the axes that miss any. */
export function missingCounts(axes: readonly Axis[], count: number): { column: string; missing: number }[] {
  return axes
    .map(({ column, values }) => {
      let missing = 0;
      for (let row = 0; row < count; row++) if (values[row] === undefined) missing++;
      return { column, missing };
    })
    .filter(({ missing }) => missing > 0);
}

function isNonFinite(cell: Cell | undefined): boolean {
  return cell === "NaN" || cell === "Infinity" || cell === "-Infinity";
}
