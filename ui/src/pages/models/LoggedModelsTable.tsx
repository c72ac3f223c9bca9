import { Link } from "@tanstack/react-router";
import type { LoggedModel } from "../../api/schema";
import { Since } from "../../components/Text";
import { useStrings } from "../../i18n";
import { formatNumber } from "../../lib/format";
import { type DatasetRef, loggedModelState, metricOf } from "../../lib/models/loggedModels";
import { Registrations } from "./Registrations";
import { RunLink } from "./RunLink";
import { useRunNames } from "./runNames";
import { SortHeading } from "../../components/SortHeading";
import { StateWord } from "./StateWord";
import "./LoggedModelsTable.css";

/** What logged models are sorted by, in the server's words: "name", "metrics.loss". */
export interface LoggedModelOrder {
  field: string;
  isAscending: boolean;
}

interface LoggedModelsTableProps {
  models: LoggedModel[];
  /** The metrics that are columns, and the dataset that their values are of. */
  metrics: string[];
  dataset?: DatasetRef;
  order: LoggedModelOrder;
  onOrder: (order: LoggedModelOrder) => void;
  showsRuns: boolean;
}

/** Logged models, one a row. */
export function LoggedModelsTable({ models, metrics, dataset, order, onOrder, showsRuns }: LoggedModelsTableProps) {
  const t = useStrings();
  const runs = useRunNames(showsRuns ? models.map((model) => model.info.source_run_id) : []);
  const hasTypes = models.some((model) => model.info.model_type !== "");
  const heading = (field: string, label: string, isNumeric = false) => (
    <SortHeading
      key={field}
      label={label}
      isNumeric={isNumeric}
      direction={order.field === field ? (order.isAscending ? "ascending" : "descending") : undefined}
      onSort={(isAscending) => onOrder({ field, isAscending })}
    />
  );
  return (
    <div className="table-scroll card">
      <table className="plain-table logged-models-table" aria-label={t.models.loggedModels}>
        <thead>
          <tr>
            {heading("name", t.common.name)}
            {heading("status", t.common.status)}
            {hasTypes && heading("model_type", t.models.type)}
            {showsRuns && <th>{t.models.run}</th>}
            {heading("creation_timestamp", t.common.created)}
            {metrics.map((name) => heading(`metrics.${quotedKey(name)}`, name, true))}
            <th>{t.models.registeredAs}</th>
          </tr>
        </thead>
        <tbody>
          {models.map((model) => {
            const { info } = model;
            const run = runs.get(info.source_run_id);
            return (
              <tr key={info.model_id}>
                <td className="logged-models-name">
                  <Link
                    to="/experiments/$experimentId/models/$modelId"
                    params={{ experimentId: info.experiment_id, modelId: info.model_id }}
                  >
                    {info.name}
                  </Link>
                </td>
                <td>
                  <StateWord state={loggedModelState(info.status)} message={info.status_message} />
                </td>
                {hasTypes && <td>{info.model_type}</td>}
                {showsRuns && (
                  <td className="logged-models-run">
                    {info.source_run_id && (
                      <RunLink runId={info.source_run_id} name={run?.name} experimentId={run?.experimentId} />
                    )}
                  </td>
                )}
                <td className="muted">
                  <Since timeMs={info.creation_timestamp_ms} />
                </td>
                {metrics.map((name) => (
                  <td key={name} className="numeric mono">
                    {formatNumber(metricOf(model, name, dataset)?.value)}
                  </td>
                ))}
                <td>
                  <Registrations registrations={info.registrations ?? []} />
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** A metric's name as a key in the server's grammar: as it is, or in backticks. */
function quotedKey(name: string): string {
  return /^\w+(\.\w+)*$/.test(name) ? name : `\`${name.replaceAll("`", "``")}\``;
}
