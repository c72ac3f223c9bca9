// The points of a chart as comma-separated values.
import type { RunSeries } from "./series";

/** A line a point: run id, run name, step, time in milliseconds since the epoch, value. */
export function seriesCsv(series: readonly RunSeries[], names: ReadonlyMap<string, string>): string {
  const rows = series.flatMap(({ runId, points }) =>
    points.map(({ step, timeMs, value }) =>
      [runId, quoted(names.get(runId) ?? ""), step, timeMs, written(value)].join(","),
    ),
  );
  return ["run_id,run_name,step,timestamp,value", ...rows, ""].join("\n");
}

/** As numpy and pandas read it. */
function written(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  return Number.isFinite(value) ? String(value) : value > 0 ? "inf" : "-inf";
}

function quoted(text: string): string {
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
