import type { RunSeries } from "../../lib/charts/series";
import { formatNumber } from "../../lib/format";
import { highlightedRun } from "../../lib/highlight";
import type { ChartRun } from "./ChartsPanel";

interface BarListProps {
  series: readonly RunSeries[];
  runs: ReadonlyMap<string, ChartRun>;
  height: number;
}

/** A metric that has one value a run: a bar each, the greatest first. */
export function BarList({ series, runs, height }: BarListProps) {
  const rows = series
    .map(({ runId, points }) => ({ runId, value: points[0]!.value }))
    .sort((a, b) => (Number.isNaN(a.value) ? 1 : Number.isNaN(b.value) ? -1 : b.value - a.value));
  const finite = rows.map(({ value }) => value).filter(Number.isFinite);
  const [low, high] = [Math.min(0, ...finite), Math.max(0, ...finite)];
  const share = (value: number) => (high > low ? ((value - low) / (high - low)) * 100 : 0);
  return (
    <div className="bar-list" style={{ height }}>
      {rows.map(({ runId, value }) => {
        const run = runs.get(runId);
        const [from, to] = Number.isFinite(value) ? [share(Math.min(0, value)), share(Math.max(0, value))] : [0, 0];
        return (
          <div
            key={runId}
            className="bar-list-row"
            onMouseEnter={() => highlightedRun.set(runId)}
            onMouseLeave={() => highlightedRun.set(undefined)}
          >
            <span className="truncate" title={run?.name}>
              {run?.name}
            </span>
            <span className="bar-list-track">
              <span style={{ background: run?.color, marginLeft: `${from}%`, width: `${to - from}%` }} />
            </span>
            <b>{formatNumber(value, 4)}</b>
          </div>
        );
      })}
    </div>
  );
}
