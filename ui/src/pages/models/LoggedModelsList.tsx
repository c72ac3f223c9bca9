import { useInfiniteQuery } from "@tanstack/react-query";
import { Package, Search } from "lucide-react";
import { useState } from "react";
import { loggedModelsQuery } from "../../api/models";
import { Button } from "../../components/Button";
import { Empty, Loading, Problem } from "../../components/Problem";
import { useStrings } from "../../i18n";
import { modelFilter, quoted } from "../../lib/models/filter";
import { datasetKey, datasetOf, metricDatasets, metricNames } from "../../lib/models/loggedModels";
import { LoadMore } from "../../components/LoadMore";
import { type LoggedModelOrder, LoggedModelsTable } from "./LoggedModelsTable";
import { MetricsDialog } from "./MetricsDialog";
import { SearchBox } from "../../components/SearchBox";
import { Snippet } from "../../components/Snippet";
import "./LoggedModelsList.css";

interface LoggedModelsListProps {
  experimentIds: string[];
  /** Only what this run logged. */
  runId?: string;
}

/** How many metrics are shown before the reader has chosen any. */
const FIRST_METRICS = 4;

/** The logged models of experiments, or of one run, with their metrics on a dataset. */
export function LoggedModelsList({ experimentIds, runId }: LoggedModelsListProps) {
  const t = useStrings();
  const [query, setQuery] = useState("");
  const [datasetText, setDatasetText] = useState("");
  const [order, setOrder] = useState<LoggedModelOrder>({ field: "creation_timestamp", isAscending: false });
  const [chosenMetrics, setChosenMetrics] = useState<string[]>();
  const [isChoosing, setChoosing] = useState(false);
  const dataset = datasetOf(datasetText);
  const wire = dataset && { dataset_name: dataset.name, dataset_digest: dataset.digest };
  const clauses = [runId && `source_run_id = ${quoted(runId)}`, modelFilter(query)].filter(Boolean);
  const models = useInfiniteQuery({
    ...loggedModelsQuery({
      experiment_ids: experimentIds,
      filter: clauses.join(" AND ") || undefined,
      datasets: wire ? [wire] : undefined,
      order_by: [
        {
          field_name: order.field,
          ascending: order.isAscending,
          ...(order.field.startsWith("metrics.") ? wire : undefined),
        },
      ],
    }),
    placeholderData: (previous) => previous,
  });
  const list = models.data?.pages.flatMap((answer) => answer.models ?? []) ?? [];
  const names = metricNames(list);
  const datasets = metricDatasets(list);
  // The dataset that is chosen stays to be seen even where no model on the page has it.
  if (dataset && !datasets.some((other) => datasetKey(other) === datasetText)) datasets.push(dataset);
  const shownMetrics = chosenMetrics ?? names.slice(0, FIRST_METRICS);

  if (models.isSuccess && list.length === 0 && query === "" && !models.isPlaceholderData) return <NoLoggedModels />;
  return (
    <div className="stack logged-models">
      <div className="logged-models-bar">
        <SearchBox
          query={query}
          label={t.models.filterLoggedModels}
          placeholder={t.models.filterPlaceholder}
          hasFailed={models.isError}
          onChange={setQuery}
        />
        {datasets.length > 0 && (
          <label className="row">
            <span className="muted nowrap">{t.models.onDataset}</span>
            <select
              className="input logged-models-dataset"
              value={datasetText}
              onChange={(event) => setDatasetText(event.target.value)}
            >
              <option value="">{t.models.anyDataset}</option>
              {datasets.map((other) => (
                <option key={datasetKey(other)} value={datasetKey(other)}>
                  {other.name} {other.digest}
                </option>
              ))}
            </select>
          </label>
        )}
        {names.length > 0 && <Button onClick={() => setChoosing(true)}>{t.models.chooseMetrics}</Button>}
      </div>
      {models.isPending && <Loading />}
      {models.error && !models.isFetchNextPageError && <Problem error={models.error} onRetry={models.refetch} />}
      {models.isSuccess && list.length === 0 && (
        <Empty title={t.models.noLoggedMatch} icon={<Search size={28} />}>
          <Button onClick={() => setQuery("")}>{t.models.clearSearch}</Button>
        </Empty>
      )}
      {list.length > 0 && (!models.error || models.isFetchNextPageError) && (
        <>
          <LoggedModelsTable
            models={list}
            metrics={shownMetrics}
            dataset={dataset}
            order={order}
            onOrder={setOrder}
            showsRuns={runId === undefined}
          />
          <LoadMore query={models} />
        </>
      )}
      {isChoosing && (
        <MetricsDialog
          names={[...new Set([...names, ...shownMetrics])]}
          chosen={shownMetrics}
          onChange={setChosenMetrics}
          onClose={() => setChoosing(false)}
        />
      )}
    </div>
  );
}

function NoLoggedModels() {
  const t = useStrings();
  return (
    <Empty title={t.models.noLoggedModels} icon={<Package size={28} />}>
      <div className="stack">
        <p>{t.models.noLoggedModelsHelp}</p>
        <Snippet code={LOG_CODE} />
      </div>
    </Empty>
  );
}

const LOG_CODE = `import mlflow

with mlflow.start_run():
    mlflow.sklearn.log_model(model, name="churn")`;
