import type { Metric } from "../../api/schema";
import { useStrings } from "../../i18n";
import { formatNumber } from "../../lib/format";
import type { RunName } from "../../api/models";
import { RunLink } from "./RunLink";
import "./MetricsTable.css";

interface MetricsTableProps {
  metrics: Metric[];
  /** Names of the runs that the metrics were measured in, where the runs are to be shown. */
  runs?: ReadonlyMap<string, RunName>;
}

/** Metrics with their last values; by dataset where any was measured on one. */
export function MetricsTable({ metrics, runs }: MetricsTableProps) {
  const t = useStrings();
  const sorted = metrics.toSorted(
    (a, b) =>
      a.key.localeCompare(b.key) ||
      (a.dataset_name ?? "").localeCompare(b.dataset_name ?? "") ||
      (a.dataset_digest ?? "").localeCompare(b.dataset_digest ?? ""),
  );
  const hasDatasets = metrics.some((metric) => metric.dataset_name);
  return (
    <div className="table-scroll">
      <table className="plain-table metrics-table">
        <thead>
          <tr>
            <th>{t.models.metric}</th>
            <th className="numeric">{t.common.value}</th>
            <th className="numeric">{t.models.step}</th>
            {hasDatasets && <th>{t.models.dataset}</th>}
            {runs && <th>{t.models.run}</th>}
          </tr>
        </thead>
        <tbody>
          {sorted.map((metric) => (
            <tr key={JSON.stringify([metric.key, metric.run_id, metric.dataset_name, metric.dataset_digest])}>
              <td className="metrics-key">{metric.key}</td>
              <td className="numeric mono" title={String(metric.value)}>
                {formatNumber(metric.value)}
              </td>
              <td className="numeric mono muted">{metric.step}</td>
              {hasDatasets && (
                <td>
                  {metric.dataset_name}{" "}
                  {metric.dataset_digest && <span className="muted">{metric.dataset_digest}</span>}
                </td>
              )}
              {runs && (
                <td>
                  {metric.run_id && (
                    <RunLink
                      runId={metric.run_id}
                      name={runs.get(metric.run_id)?.name}
                      experimentId={runs.get(metric.run_id)?.experimentId}
                    />
                  )}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
