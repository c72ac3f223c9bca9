// The columns of the runs table: what they are called on the wire, what they hold, how wide they are.

export type ColumnKind = "attributes" | "metrics" | "params" | "tags";

export interface Column {
  /** As the server names it: `metrics.val/loss`. */
  name: string;
  kind: ColumnKind;
  /** Without the kind: `val/loss`. */
  key: string;
}

export interface AvailableColumns {
  metrics: string[];
  params: string[];
  tags: string[];
}

/** The column by which a row is known; always shown, and first. */
export const NAME_COLUMN = "attributes.run_name";

export const ATTRIBUTES = [
  "run_name",
  "start_time",
  "duration",
  "status",
  "user_id",
  "datasets",
  "models",
  "end_time",
  "run_id",
  "experiment_name",
  "experiment_id",
  "artifact_uri",
  "child_count",
];
const NOT_SORTABLE = new Set(["datasets", "models", "experiment_name", "child_count"]);
const NUMERIC_ATTRIBUTES = new Set(["duration", "child_count"]);
const MAX_DEFAULT_METRICS = 6;
const MAX_DEFAULT_PARAMS = 6;

export const MIN_WIDTH = 56;
export const MAX_WIDTH = 900;
const WIDTHS: Record<string, number> = {
  "attributes.run_name": 260,
  "attributes.start_time": 130,
  "attributes.duration": 110,
  "attributes.status": 110,
  "attributes.user_id": 110,
  "attributes.datasets": 170,
  "attributes.models": 170,
  "attributes.end_time": 130,
  "attributes.run_id": 270,
  "attributes.experiment_name": 170,
  "attributes.artifact_uri": 300,
};

/** Read a column's name; undefined where it is none. */
export function parseColumn(name: string): Column | undefined {
  const dot = name.indexOf(".");
  const kind = name.slice(0, dot);
  const key = name.slice(dot + 1);
  if (dot < 0 || key === "") return undefined;
  if (kind === "attributes" ? !ATTRIBUTES.includes(key) : !["metrics", "params", "tags"].includes(kind))
    return undefined;
  return { name, kind: kind as ColumnKind, key };
}

/** What is shown to those who have not chosen: who and when, then the first params and metrics. */
export function defaultColumns(available: AvailableColumns, experimentCount: number): string[] {
  const metrics = available.metrics.filter((key) => !key.startsWith("system/"));
  return [
    NAME_COLUMN,
    ...(experimentCount > 1 ? ["attributes.experiment_name"] : []),
    "attributes.start_time",
    "attributes.duration",
    ...metrics.slice(0, MAX_DEFAULT_METRICS).map((key) => `metrics.${key}`),
    ...available.params.slice(0, MAX_DEFAULT_PARAMS).map((key) => `params.${key}`),
    "attributes.datasets",
    "attributes.models",
    "attributes.user_id",
  ];
}

/** The columns in the order they are drawn: the name, the pinned, the others; what is no column is left out. */
export function arrangeColumns(
  shown: readonly string[],
  pinned: readonly string[],
): { pinned: Column[]; free: Column[] } {
  const isPinned = new Set([NAME_COLUMN, ...pinned]);
  const names = [...new Set([NAME_COLUMN, ...shown])];
  const columns = names.map(parseColumn).filter((column) => column !== undefined);
  return {
    pinned: columns.filter(({ name }) => isPinned.has(name)),
    free: columns.filter(({ name }) => !isPinned.has(name)),
  };
}

/** Move a column to the place of another; `shown` is not changed. */
export function moveColumn(shown: readonly string[], moved: string, target: string): string[] {
  const from = shown.indexOf(moved);
  const to = shown.indexOf(target);
  if (from < 0 || to < 0 || from === to) return [...shown];
  const rest = shown.filter((name) => name !== moved);
  rest.splice(to, 0, moved);
  return rest;
}

/** How wide it is, in CSS pixels; where runs are grouped, a metric is two numbers and two more. */
export function widthOf(column: Column, widths: Readonly<Record<string, number>>, isGrouped = false): number {
  const usual = column.kind === "metrics" ? (isGrouped ? 160 : 120) : 140;
  const width = widths[column.name] ?? WIDTHS[column.name] ?? usual;
  return Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, width));
}

export function isSortable(column: Column): boolean {
  return column.kind !== "attributes" || !NOT_SORTABLE.has(column.key);
}

/** Whether its cells are numbers, which stand at the right. */
export function isNumeric(column: Column): boolean {
  return column.kind === "metrics" || (column.kind === "attributes" && NUMERIC_ATTRIBUTES.has(column.key));
}

/** Whether runs can be put together by it. */
export function isGroupable(column: Column): boolean {
  if (column.kind !== "attributes") return column.kind !== "metrics";
  return ["status", "user_id", "run_name", "experiment_id"].includes(column.key);
}

/** The group's metric columns are aggregates; others have nothing to show. */
export function metricKeys(columns: readonly Column[]): string[] {
  return columns.filter(({ kind }) => kind === "metrics").map(({ key }) => key);
}
