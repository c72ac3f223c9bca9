// Write all runs that a search finds into a file, CSV or Parquet, page by page.
import { api, ask } from "../api/client";
import type { RunTable } from "../api/schema";

export interface ExportScope {
  experimentIds: string[];
  filter: string | undefined;
  orderBy: string[];
  viewType: "ACTIVE_ONLY" | "DELETED_ONLY";
}

export type ExportFormat = "csv" | "parquet";

/** What stands in a cell of the answer. A metric that JSON cannot hold is "NaN", "Infinity" or "-Infinity". */
export type Cell = string | number | string[] | null;

/** A part of the table: so many rows, each column with one cell a row. */
export interface TablePage {
  runIds: string[];
  columns: Record<string, Cell[]>;
}

/** Where the parts of the file are put together; `finish` gives the file. */
interface FileWriter {
  add(page: TablePage): void;
  finish(): Promise<Blob>;
}

export const RUN_ID = "attributes.run_id";
const PAGE_ROWS = 2000;
// An answer of so many cells is some megabytes: not more at a time, however many columns there are.
const PAGE_CELLS = 400_000;
// The server's limit for one question.
const MAX_COLUMNS = 1000;
const TIMES = new Set(["attributes.start_time", "attributes.end_time"]);
const INTEGERS = new Set(["attributes.duration", "attributes.child_count"]);

/** How many runs there are to export. */
export async function countRuns(scope: ExportScope, signal: AbortSignal): Promise<number> {
  const body = { ...wireScope(scope), max_results: 1 };
  return (await ask(api.POST("/api/1.0/runyard/runs/ids", { body, signal }))).total_count!;
}

/**
 * The file with all runs that match.
 *
 * Args:
 *   columns: as the server names them; the run's id is put before them where it is not among them.
 *   onProgress: is told how many runs are read.
 */
export async function exportRuns(
  scope: ExportScope,
  columns: string[],
  format: ExportFormat,
  options: { signal: AbortSignal; onProgress: (count: number) => void },
): Promise<Blob> {
  const all = [...new Set(columns.includes(RUN_ID) ? columns : [RUN_ID, ...columns])];
  const writer = format === "csv" ? csvWriter(all) : parquetWriter(all);
  let count = 0;
  for await (const page of readTable(scope, all, options.signal)) {
    writer.add(page);
    count += page.runIds.length;
    options.onProgress(count);
  }
  options.signal.throwIfAborted();
  return writer.finish();
}

/** The table of all runs that match, part by part. */
export async function* readTable(
  scope: ExportScope,
  columns: string[],
  signal: AbortSignal,
): AsyncGenerator<TablePage, void> {
  const asked = columns.filter((name) => name !== RUN_ID);
  const [first = [], ...others] = chunks(asked, MAX_COLUMNS);
  const rows = Math.max(100, Math.min(PAGE_ROWS, Math.floor(PAGE_CELLS / Math.max(1, asked.length))));
  let token: string | null | undefined;
  do {
    const body = {
      ...wireScope(scope),
      columns: first,
      order_by: scope.orderBy,
      max_results: rows,
      ...(token && { page_token: token }),
    };
    const answer: RunTable = await ask(api.POST("/api/1.0/runyard/runs/table", { body, signal }));
    const cells: Record<string, Cell[]> = { ...answer.columns, [RUN_ID]: answer.run_ids };
    for (const chunk of answer.run_ids.length > 0 ? others : []) {
      const more = { columns: chunk, run_ids: answer.run_ids };
      const rest: RunTable = await ask(api.POST("/api/1.0/runyard/runs/table", { body: more, signal }));
      // Runs that were deleted for good meanwhile are left out of this answer.
      const places = new Map(rest.run_ids.map((runId, place) => [runId, place]));
      for (const name of chunk) {
        cells[name] = answer.run_ids.map((runId) => rest.columns[name]?.[places.get(runId) ?? -1] ?? null);
      }
    }
    yield { runIds: answer.run_ids, columns: cells };
    token = answer.next_page_token;
  } while (token);
}

/** A column as a file names it: attributes by themselves, as MLflow's data frames do. */
export function headerOf(column: string): string {
  return column.startsWith("attributes.") ? column.slice("attributes.".length) : column;
}

/** `churn-prediction-runs.csv`, without what file names cannot hold. */
export function fileName(experimentName: string, format: ExportFormat): string {
  // eslint-disable-next-line no-control-regex
  const safe = experimentName.replace(/[\\/:*?"<>|\u0000-\u001f]+/g, "_").replace(/^\.+|[. ]+$/g, "");
  return `${safe.slice(0, 120) || "experiment"}-runs.${format}`;
}

/** Have the browser keep a file. */
export function download(file: Blob, name: string): void {
  const url = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // The browser has to have opened it before it may be forgotten.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * A CSV file by RFC 4180, its lines ended by CR LF, its text UTF-8.
 *
 * Cells stand as they were logged: what starts with = + - or @ is not changed for the sake of spreadsheets, which may
 * take it for a formula. Times are ISO 8601 in UTC, durations milliseconds, lists JSON. What is absent is empty.
 */
export function csvWriter(columns: string[]): FileWriter {
  const parts = [`${columns.map((name) => quoted(headerOf(name))).join(",")}\r\n`];
  return {
    add({ runIds, columns: cells }) {
      const lists = columns.map((name) => cells[name] ?? []);
      const texts = columns.map((name) => textOf(name));
      let part = "";
      for (let row = 0; row < runIds.length; row++) {
        for (let at = 0; at < columns.length; at++) {
          if (at > 0) part += ",";
          part += texts[at]!(lists[at]![row] ?? null);
        }
        part += "\r\n";
      }
      parts.push(part);
    },
    finish: () => Promise.resolve(new Blob(parts, { type: "text/csv;charset=utf-8" })),
  };
}

/** How the cells of a column are written in CSV. pandas reads NaN, inf and -inf as numbers. */
function textOf(column: string): (cell: Cell) => string {
  if (TIMES.has(column)) return (cell) => (typeof cell === "number" ? new Date(cell).toISOString() : "");
  const isMetric = column.startsWith("metrics.");
  return (cell) => {
    if (cell === null) return "";
    if (typeof cell === "number") return String(cell);
    if (isMetric) return cell === "Infinity" ? "inf" : cell === "-Infinity" ? "-inf" : String(cell);
    return quoted(typeof cell === "string" ? cell : JSON.stringify(cell));
  };
}

function quoted(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A Parquet file: metrics are doubles, in which NaN is not the same as absent; times are timestamps, the rest text. */
export function parquetWriter(columns: string[]): FileWriter {
  const data = new Map<string, unknown[]>(columns.map((name) => [name, []]));
  return {
    add({ runIds, columns: cells }) {
      for (const name of columns) {
        const all = data.get(name)!;
        const list = cells[name] ?? [];
        const valueOf = valueIn(name);
        for (let row = 0; row < runIds.length; row++) all.push(valueOf(list[row] ?? null));
      }
    },
    async finish() {
      const { parquetWriteBuffer } = await import("hyparquet-writer");
      const columnData = columns.map((name) => ({
        name: headerOf(name),
        data: data.get(name)!,
        type: typeOf(name),
        nullable: true,
      }));
      return new Blob([parquetWriteBuffer({ columnData })], { type: "application/vnd.apache.parquet" });
    },
  };
}

function typeOf(column: string): "DOUBLE" | "INT64" | "TIMESTAMP" | "STRING" {
  if (column.startsWith("metrics.")) return "DOUBLE";
  if (TIMES.has(column)) return "TIMESTAMP";
  return INTEGERS.has(column) ? "INT64" : "STRING";
}

function valueIn(column: string): (cell: Cell) => unknown {
  switch (typeOf(column)) {
    case "DOUBLE":
      return (cell) => (cell === null ? null : Number(cell));
    case "TIMESTAMP":
      return (cell) => (typeof cell === "number" ? new Date(cell) : null);
    case "INT64":
      return (cell) => (typeof cell === "number" ? BigInt(Math.round(cell)) : null);
    default:
      return (cell) =>
        cell === null || typeof cell === "string" ? cell : Array.isArray(cell) ? JSON.stringify(cell) : String(cell);
  }
}

function wireScope({ experimentIds, filter, viewType }: ExportScope) {
  return { experiment_ids: experimentIds, filter: filter ?? "", run_view_type: viewType };
}

function chunks<T>(all: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) => all.slice(at * size, (at + 1) * size));
}
