// Values of several things side by side, and where they differ.

export interface ComparedRow {
  key: string;
  /** One a column; undefined where there is none. */
  values: (string | undefined)[];
  differs: boolean;
}

/** Rows for all keys of the columns, sorted; a value that only some have is a difference. */
export function compareColumns(columns: ReadonlyMap<string, string>[]): ComparedRow[] {
  const keys = [...new Set(columns.flatMap((column) => [...column.keys()]))].sort((a, b) => a.localeCompare(b));
  return keys.map((key) =>
    rowOf(
      key,
      columns.map((column) => column.get(key)),
    ),
  );
}

/** One row. */
export function rowOf(key: string, values: (string | undefined)[]): ComparedRow {
  return { key, values, differs: values.some((value) => value !== values[0]) };
}

/** Whether the cell is not what most cells of its row are; where there is no most, the first column is the measure. */
export function isOdd(row: ComparedRow, column: number): boolean {
  if (!row.differs) return false;
  const counts = new Map<string | undefined, number>();
  for (const value of row.values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const most = Math.max(...counts.values());
  const usual = row.values.find((value) => counts.get(value) === most);
  return row.values[column] !== usual;
}

/** Pairs as a map; of a key that comes twice the last counts. */
export function mapOf(pairs: readonly { key: string; value: string | number }[] | undefined): Map<string, string> {
  return new Map((pairs ?? []).map(({ key, value }) => [key, String(value)]));
}
