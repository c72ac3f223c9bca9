import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, ask } from "../../api/client";
import { LIVE_INTERVAL_MS } from "../../api/runs";
import type { Run } from "../../api/schema";
import { RunStatus, Since } from "../../components/Text";
import { useStrings } from "../../i18n";
import { runAddress } from "../../lib/addresses";
import { formatNumber } from "../../lib/format";
import { childrenFilter } from "../../lib/runs/scope";

const MAX_SHOWN = 200;
const MAX_METRICS = 4;

/** The runs below this one, with its own first metrics beside them. */
export function ChildRuns({ run }: { run: Run }) {
  const t = useStrings();
  const { run_id: runId, experiment_id: experimentId } = run.info;
  const children = useQuery({
    queryKey: ["child-runs", runId],
    queryFn: async ({ signal }) => {
      const scope = { experiment_ids: [experimentId], filter: childrenFilter(runId), max_results: MAX_SHOWN };
      const base = ["attributes.run_name", "attributes.status", "attributes.start_time"];
      const rows = await ask(api.POST("/api/1.0/runyard/runs/table", { body: { ...scope, columns: base }, signal }));
      if (rows.run_ids.length === 0) return null;
      const first = await ask(
        api.GET("/api/2.0/mlflow/runs/get", { params: { query: { run_id: rows.run_ids[0]! } }, signal }),
      );
      const metrics = (first.run.data.metrics ?? []).map(({ key }) => key).slice(0, MAX_METRICS);
      const columns = metrics.map((key) => `metrics.${key}`);
      const body = { run_ids: rows.run_ids, columns };
      const values = await ask(api.POST("/api/1.0/runyard/runs/table", { body, signal }));
      return { ...rows, columns: { ...rows.columns, ...values.columns }, metrics };
    },
    refetchInterval: run.info.status === "RUNNING" ? LIVE_INTERVAL_MS : false,
  });
  const table = children.data;
  if (!table) return null;
  return (
    <section className="card run-section">
      <header>
        <h2>{t.run.children}</h2>
        <span className="muted">
          {table.run_ids.length}
          {table.next_page_token ? "+" : ""}
        </span>
        <span className="spacer" />
        <Link
          to="/experiments/$experimentIds"
          params={{ experimentIds: experimentId }}
          search={{ filter: childrenFilter(runId) }}
        >
          {t.run.childrenInTable}
        </Link>
      </header>
      <div className="run-values" tabIndex={0} role="region" aria-label={t.run.children}>
        <table className="plain-table">
          <thead>
            <tr>
              <th scope="col">{t.common.name}</th>
              <th scope="col">{t.run.started}</th>
              {table.metrics.map((key) => (
                <th key={key} scope="col" className="numeric">
                  {key}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.run_ids.map((childId, at) => (
              <tr key={childId}>
                <td>
                  <span className="row">
                    <RunStatus status={String(table.columns["attributes.status"]?.[at])} iconOnly />
                    <a href={runAddress(experimentId, childId)}>{String(table.columns["attributes.run_name"]?.[at])}</a>
                  </span>
                </td>
                <td>
                  <Since timeMs={Number(table.columns["attributes.start_time"]?.[at])} />
                </td>
                {table.metrics.map((key) => (
                  <td key={key} className="numeric">
                    {formatNumber(table.columns[`metrics.${key}`]?.[at] as number | null)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
