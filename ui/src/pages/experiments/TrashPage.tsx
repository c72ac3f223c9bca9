import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { Button } from "../../components/Button";
import { PageHeader } from "../../components/PageHeader";
import { Empty, Loading, Problem } from "../../components/Problem";
import { RunStatus, Since } from "../../components/Text";
import { showError, showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { sizeOf, type Trashed } from "../../lib/trash";
import { LoadMore } from "../../components/LoadMore";
import { PurgeDialog } from "./PurgeDialog";
import { TrashTable } from "./TrashTable";
import {
  allTrashed,
  rereadAll,
  restore,
  type TrashedRun,
  trashedExperimentsQuery,
  trashedRunsQuery,
  trashSummaryQuery,
} from "./trashed";
import { useExperimentSummaries } from "./useExperimentSummaries";
import "./ExperimentsPage.css";

const NOTHING: ReadonlySet<string> = new Set();

interface Purge {
  text: string;
  collect: () => Promise<Trashed>;
}

/** What was deleted: to be restored, or deleted for good. */
export default function TrashPage() {
  const t = useStrings();
  const queries = useQueryClient();
  const [selectedExperiments, selectExperiments] = useState(NOTHING);
  const [selectedRuns, selectRuns] = useState(NOTHING);
  const [purge, setPurge] = useState<Purge>();
  const summary = useQuery(trashSummaryQuery);
  const experiments = useInfiniteQuery(trashedExperimentsQuery);
  const runs = useInfiniteQuery(trashedRunsQuery);
  const experimentList = experiments.data?.pages.flatMap((page) => page.experiments ?? []) ?? [];
  const runList = runs.data?.pages.flatMap((page) => page.runs) ?? [];
  const summaries = useExperimentSummaries(experimentList.map(({ experiment_id }) => experiment_id));
  const error = summary.error ?? experiments.error ?? runs.error;
  const isEmpty = summary.data && summary.data.experiment_count + summary.data.run_count === 0;
  // What was restored or deleted meanwhile is not selected any more.
  const chosen: Trashed = {
    experimentIds: experimentList.map((one) => one.experiment_id).filter((id) => selectedExperiments.has(id)),
    runIds: runList.map(({ id }) => id).filter((id) => selectedRuns.has(id)),
  };

  async function takeOut(trashed: Trashed) {
    try {
      await restore(trashed);
      showToast(t.experiments.restored(sizeOf(trashed)));
    } catch (failure) {
      showError(failure);
    }
    selectExperiments(NOTHING);
    selectRuns(NOTHING);
    await rereadAll(queries);
  }
  const purgeOne = (name: string, trashed: Partial<Trashed>) =>
    setPurge({
      text: t.experiments.purgeOne(name),
      collect: () => Promise.resolve({ experimentIds: [], runIds: [], ...trashed }),
    });
  return (
    <>
      <PageHeader
        title={t.experiments.trashTitle}
        actions={
          summary.data &&
          !isEmpty && (
            <Button
              kind="danger"
              onClick={() =>
                setPurge({
                  text: t.experiments.emptyTrashConfirm(summary.data.experiment_count, summary.data.run_count),
                  collect: allTrashed,
                })
              }
            >
              <Trash2 size={14} aria-hidden /> {t.experiments.emptyTrash}
            </Button>
          )
        }
      />
      <div className="page stack">
        {error && <Problem error={error} onRetry={() => void rereadAll(queries)} />}
        {!error && (summary.isPending || experiments.isPending || runs.isPending) && <Loading />}
        {isEmpty && !error && (
          <Empty title={t.experiments.trashEmpty} icon={<Trash2 size={32} />}>
            {t.experiments.trashEmptyHint}
          </Empty>
        )}
        {(experimentList.length > 0 || runList.length > 0) && <p className="muted">{t.experiments.trashHint}</p>}
        {sizeOf(chosen) > 0 && (
          <div className="experiments-selection">
            <b>{t.experiments.selected(sizeOf(chosen))}</b>
            <Button onClick={() => takeOut(chosen)}>{t.common.restore}</Button>
            <Button
              kind="danger"
              onClick={() =>
                setPurge({
                  text: t.experiments.purgeMany(chosen.experimentIds.length, chosen.runIds.length),
                  collect: () => Promise.resolve(chosen),
                })
              }
            >
              {t.common.deleteForGood}
            </Button>
          </div>
        )}
        {experimentList.length > 0 && (
          <section className="stack">
            <h2>{t.experiments.deletedExperiments}</h2>
            <TrashTable
              title={t.experiments.deletedExperiments}
              headings={[t.common.name, t.experiments.runs, t.experiments.deletedAt]}
              rows={experimentList.map(({ experiment_id: id, name, last_update_time }) => {
                const counts = summaries.get(id);
                return {
                  id,
                  name,
                  cells: [
                    <Link key="name" to="/experiments/$experimentIds" params={{ experimentIds: id }} search={{}}>
                      {name}
                    </Link>,
                    counts && t.experiments.runCount(counts.run_count + counts.deleted_run_count),
                    <Since key="time" timeMs={last_update_time} />,
                  ],
                };
              })}
              selected={selectedExperiments}
              onSelect={selectExperiments}
              onRestore={({ id }) => void takeOut({ experimentIds: [id], runIds: [] })}
              onPurge={({ id, name }) => purgeOne(name, { experimentIds: [id] })}
            />
            <LoadMore query={experiments} />
          </section>
        )}
        {runList.length > 0 && (
          <section className="stack">
            <h2>{t.experiments.deletedRuns}</h2>
            <TrashTable
              title={t.experiments.deletedRuns}
              headings={[t.common.name, t.experiments.experiment, t.experiments.deletedAt]}
              rows={runList.map((run) => ({ id: run.id, name: run.name, cells: runCells(run) }))}
              selected={selectedRuns}
              onSelect={selectRuns}
              onRestore={({ id }) => void takeOut({ experimentIds: [], runIds: [id] })}
              onPurge={({ id, name }) => purgeOne(name, { runIds: [id] })}
            />
            <LoadMore query={runs} />
          </section>
        )}
      </div>
      {purge && (
        <PurgeDialog
          title={t.common.deleteForGood}
          text={purge.text}
          collect={purge.collect}
          onClose={() => setPurge(undefined)}
        />
      )}
    </>
  );
}

function runCells({ id, name, status, deletedTime, experimentId, experimentName }: TrashedRun) {
  return [
    <span key="name" className="row">
      <RunStatus status={status} iconOnly />
      <Link to="/experiments/$experimentId/runs/$runId" params={{ experimentId, runId: id }} search={{}}>
        {name}
      </Link>
    </span>,
    <Link key="experiment" to="/experiments/$experimentIds" params={{ experimentIds: experimentId }} search={{}}>
      {experimentName}
    </Link>,
    <Since key="time" timeMs={deletedTime} />,
  ];
}
