import { X } from "lucide-react";
import type { Run } from "../../api/schema";
import { IconButton } from "../../components/Button";
import { RunStatus, Since } from "../../components/Text";
import { useStrings } from "../../i18n";
import { runAddress } from "../../lib/addresses";
import { formatDuration } from "../../lib/format";
import type { ChartRun } from "../charts/ChartsPanel";
import "./RunsStrip.css";

interface RunsStripProps {
  runs: Run[];
  /** The same runs with their colours. */
  colors: ChartRun[];
  experimentNames: ReadonlyMap<string, string>;
  onRemove: (run: Run) => void;
}

/** The runs that are compared, one beside the other. */
export function RunsStrip({ runs, colors, experimentNames, onRemove }: RunsStripProps) {
  const t = useStrings();
  return (
    <ul className="runs-strip" aria-label={t.compare.runs} tabIndex={0}>
      {runs.map((run, at) => {
        const { run_id, experiment_id, status, start_time, end_time, lifecycle_stage } = run.info;
        const { name, color } = colors[at]!;
        return (
          <li key={run_id} className="card" style={{ borderLeftColor: color }}>
            <div className="row">
              <a className="truncate spacer" href={runAddress(experiment_id, run_id)} title={name}>
                {name}
              </a>
              {lifecycle_stage === "deleted" && <span className="chip">{t.compare.deleted}</span>}
              <IconButton label={t.compare.removeRun(name)} onClick={() => onRemove(run)}>
                <X size={14} />
              </IconButton>
            </div>
            <div className="row muted runs-strip-facts">
              <RunStatus status={status} />
              <span className="truncate">{experimentNames.get(experiment_id) ?? experiment_id}</span>
            </div>
            <div className="row muted runs-strip-facts">
              <Since timeMs={start_time} />
              {start_time && end_time ? <span className="nowrap">{formatDuration(end_time - start_time)}</span> : null}
            </div>
          </li>
        );
      })}
    </ul>
  );
}
