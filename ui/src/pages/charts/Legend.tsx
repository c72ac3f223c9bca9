import { ChevronRight, Eye, EyeOff } from "lucide-react";
import { useState } from "react";
import { Button } from "../../components/Button";
import { useStrings } from "../../i18n";
import { highlightedRun } from "../../lib/highlight";
import type { ChartGroup, ChartRun } from "./ChartsPanel";
import "./Legend.css";

const FIRST_COUNT = 12;

interface LegendProps {
  runs: readonly ChartRun[];
  groups: readonly ChartGroup[] | undefined;
  /** The runs, or the groups by their keys, that are not drawn. */
  off: readonly string[];
  onOff: (off: string[]) => void;
}

/** The runs of all charts with their colours, each a link to its page, to be shown or not; of groups their runs are folded. */
export function Legend({ runs, groups, off, onOff }: LegendProps) {
  const t = useStrings();
  const [isOpen, setOpen] = useState(false);
  const count = groups?.length ?? runs.length;
  const shownCount = isOpen ? count : FIRST_COUNT;
  const byId = new Map(runs.map((run) => [run.runId, run]));
  const entries = groups ?? runs.map(({ runId, ...run }) => ({ key: runId, ...run }));
  const eye = (key: string, name: string, color: string) => {
    const others = entries.filter((entry) => entry.key !== key).map((entry) => entry.key);
    const isOff = off.includes(key);
    return (
      <button
        type="button"
        className="charts-legend-eye"
        aria-pressed={!isOff}
        aria-label={t.charts.draw(name)}
        title={t.charts.drawHelp}
        onClick={(event) =>
          onOff(event.shiftKey ? others : isOff ? off.filter((other) => other !== key) : [...off, key])
        }
      >
        <span className="line-chart-key" style={{ background: isOff ? undefined : color }} />
        {isOff ? <EyeOff size={13} aria-hidden /> : <Eye size={13} aria-hidden />}
      </button>
    );
  };
  return (
    <ul className="charts-legend" aria-label={t.charts.legend}>
      {groups
        ? groups.slice(0, shownCount).map(({ key, name, color, runIds }) => (
            <li key={key} className={off.includes(key) ? "off" : ""} {...highlighting(key)}>
              {eye(key, name, color)}
              <details>
                <summary>
                  <span className="truncate">{name}</span>
                  <span className="muted nowrap">{t.charts.runCount(runIds.length)}</span>
                  <ChevronRight size={13} aria-hidden />
                </summary>
                <ul>
                  {runIds.map((runId) => (
                    <li key={runId}>
                      <RunName run={byId.get(runId)!} />
                    </li>
                  ))}
                </ul>
              </details>
            </li>
          ))
        : runs.slice(0, shownCount).map((run) => (
            <li key={run.runId} className={off.includes(run.runId) ? "off" : ""} {...highlighting(run.runId)}>
              {eye(run.runId, run.name, run.color)}
              <RunName run={run} />
            </li>
          ))}
      {shownCount < count && (
        <li>
          <Button onClick={() => setOpen(true)}>{t.charts.showAllRuns(count)}</Button>
        </li>
      )}
      {off.length > 0 && (
        <li>
          <Button onClick={() => onOff([])}>{t.charts.drawAll}</Button>
        </li>
      )}
    </ul>
  );
}

/** A run's name, which leads to its page where there is one. */
export function RunName({ run }: { run: Pick<ChartRun, "name" | "address"> }) {
  return run.address === undefined ? (
    <span className="truncate" title={run.name}>
      {run.name}
    </span>
  ) : (
    <a className="truncate" href={run.address} title={run.name}>
      {run.name}
    </a>
  );
}

/** What makes the lines of a run or of a group stand out in all charts. */
export function highlighting(key: string) {
  const show = () => highlightedRun.set(key);
  const hide = () => highlightedRun.set(undefined);
  return { onMouseEnter: show, onMouseLeave: hide, onFocus: show, onBlur: hide };
}
