// The values that a plot is drawn from, as a table that can be read and downloaded.
import { type Cell, textIn } from "./values";

export interface DataTable {
  header: string[];
  rows: string[][];
}

/** A row for each run, with its name, its id and the values of the columns as they were logged. */
export function dataTable(
  runs: readonly { runId: string; name: string }[],
  columns: readonly string[],
  cells: Readonly<Record<string, Cell[]>>,
): DataTable {
  return {
    header: ["run_name", "run_id", ...columns],
    rows: runs.map(({ name, runId }, row) => [
      name,
      runId,
      ...columns.map((column) => textIn(cells[column]?.[row]) ?? ""),
    ]),
  };
}

/** A CSV file by RFC 4180: lines end with CR LF, and quotes stand around what needs them. */
export function csvOf({ header, rows }: DataTable): string {
  return [header, ...rows].map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
}

function quoted(text: string): string {
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A title as the name of a file, without what file names cannot hold. */
export function fileNameOf(title: string, extension: string): string {
  const safe = title
    // eslint-disable-next-line no-control-regex
    .replace(/[\\/:*?"<>|\u0000-\u001f]+/g, "_")
    .replace(/^[. ]+|[. ]+$/g, "")
    .slice(0, 120);
  return `${safe || "plot"}.${extension}`;
}
