import { spreadText } from "../../lib/charts/groups";
import { formatNumber } from "../../lib/format";
import { useStrings } from "../../i18n";
import { highlighting, RunName } from "./Legend";

export interface Bar {
  /** The id of a run, or the key of a group. */
  key: string;
  name: string;
  /** A CSS colour. */
  color: string;
  address?: string;
  value: number;
  /** Of a group: its spread, and how many runs it is of. */
  group?: { low: number; high: number; count: number };
}

interface BarListProps {
  bars: readonly Bar[];
  height: number;
}

/** A metric that has one value a run: a bar for each run or group, the greatest first. */
export function BarList({ bars, height }: BarListProps) {
  const t = useStrings();
  const rows = [...bars].sort((a, b) => (Number.isNaN(a.value) ? 1 : Number.isNaN(b.value) ? -1 : b.value - a.value));
  const ends = rows.flatMap(({ value, group }) => (group ? [value, group.low, group.high] : [value]));
  const finite = ends.filter(Number.isFinite);
  const [low, high] = [Math.min(0, ...finite), Math.max(0, ...finite)];
  const share = (value: number) => (high > low ? ((value - low) / (high - low)) * 100 : 0);
  return (
    <div className="bar-list" style={{ height }}>
      {rows.map(({ key, name, color, address, value, group }) => {
        const [from, to] = Number.isFinite(value) ? [share(Math.min(0, value)), share(Math.max(0, value))] : [0, 0];
        return (
          <div key={key} className="bar-list-row" {...highlighting(key)}>
            <RunName run={{ name, address }} />
            <span className="bar-list-track">
              <span style={{ background: color, marginLeft: `${from}%`, width: `${to - from}%` }} />
              {group && group.count > 1 && (
                <i style={{ left: `${share(group.low)}%`, width: `${share(group.high) - share(group.low)}%` }} />
              )}
            </span>
            <span className="bar-list-value">
              <b>{formatNumber(value, 4)}</b>
              {group && (
                <span className="muted">
                  {spreadText(group.low, group.high)}, {t.charts.runCount(group.count)}
                </span>
              )}
            </span>
          </div>
        );
      })}
    </div>
  );
}
