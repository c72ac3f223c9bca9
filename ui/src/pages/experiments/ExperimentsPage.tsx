import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { FlaskConical, Plus, SearchX, Trash2 } from "lucide-react";
import { useState } from "react";
import { api, ask, SERVER_URL } from "../../api/client";
import type { Experiment, ExperimentSummary } from "../../api/schema";
import { Button } from "../../components/Button";
import { PageHeader } from "../../components/PageHeader";
import { Empty, Loading, Problem } from "../../components/Problem";
import { showError, showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { modelFilter } from "../../lib/models/filter";
import { LoadMore } from "../../components/LoadMore";
import { SearchBox } from "../../components/SearchBox";
import { Snippet } from "../../components/Snippet";
import { ExperimentInformation } from "../runs/ExperimentInformation";
import { useExperimentChanges } from "./changes";
import { CreateExperimentDialog } from "./CreateExperimentDialog";
import { ExperimentsTable } from "./ExperimentsTable";
import { RenameExperimentDialog } from "./RenameExperimentDialog";
import type { ExperimentOrder } from "./search";
import { useExperimentSummaries } from "./useExperimentSummaries";
import "./ExperimentsPage.css";

const page = getRouteApi("/experiments");
const PAGE_SIZE = 100;
const REFRESH_MS = 15_000;
const ORDERS: Record<ExperimentOrder, string> = {
  created: "creation_time DESC",
  updated: "last_update_time DESC",
  name: "name ASC",
};

/** The experiments of the server: where everything begins. */
export default function ExperimentsPage() {
  const t = useStrings();
  const { query = "", sort = "created" } = page.useSearch();
  const navigate = page.useNavigate();
  const changes = useExperimentChanges();
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const [dialog, setDialog] = useState<"create" | { rename: Experiment } | { information: string }>();
  const experiments = useInfiniteQuery({
    queryKey: ["experiments", query, sort],
    queryFn: ({ pageParam, signal }) => {
      const body = {
        filter: modelFilter(query),
        order_by: [ORDERS[sort]],
        max_results: PAGE_SIZE,
        page_token: pageParam,
        view_type: "ACTIVE_ONLY",
      };
      return ask(api.POST("/api/2.0/mlflow/experiments/search", { body, signal }));
    },
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (answer) => answer.next_page_token ?? undefined,
    placeholderData: (previous) => previous,
    refetchInterval: REFRESH_MS,
  });
  const list = experiments.data?.pages.flatMap((answer) => answer.experiments ?? []) ?? [];
  const ids = list.map(({ experiment_id }) => experiment_id);
  const summaries = useExperimentSummaries(ids);
  const chosen = ids.filter((id) => selected.has(id));
  const isNew = experiments.isSuccess && query === "" && list.length <= 1 && isWithoutRuns(list, summaries);

  async function remove(experimentIds: string[]) {
    const names = list.filter((one) => experimentIds.includes(one.experiment_id)).map(({ name }) => name);
    await changes.delete(experimentIds);
    setSelected(new Set());
    const text = names.length === 1 ? t.experiments.deleted(names[0]!) : t.experiments.deletedMany(names.length);
    showToast(text, { undo: () => changes.restore(experimentIds) });
  }
  const setQuery = (text: string) =>
    navigate({ search: (old) => ({ ...old, query: text || undefined }), replace: true });
  return (
    <>
      <PageHeader
        title={t.experiments.title}
        actions={
          <Button kind="primary" onClick={() => setDialog("create")}>
            <Plus size={15} aria-hidden /> {t.experiments.newExperiment}
          </Button>
        }
      />
      <div className="page stack">
        <div className="experiments-bar">
          <SearchBox
            query={query}
            label={t.experiments.search}
            placeholder={t.experiments.searchPlaceholder}
            hasFailed={experiments.isError}
            onChange={setQuery}
          />
          <label className="row">
            <span className="muted nowrap">{t.experiments.sortBy}</span>
            <select
              className="input"
              value={sort}
              onChange={(event) => {
                const order = event.target.value as ExperimentOrder;
                navigate({
                  search: (old) => ({ ...old, sort: order === "created" ? undefined : order }),
                  replace: true,
                });
              }}
            >
              <option value="created">{t.experiments.sortCreated}</option>
              <option value="updated">{t.experiments.sortUpdated}</option>
              <option value="name">{t.experiments.sortName}</option>
            </select>
          </label>
        </div>
        {chosen.length > 0 && (
          <div className="experiments-selection">
            <b>{t.experiments.selected(chosen.length)}</b>
            <Button
              onClick={() =>
                navigate({ to: "/experiments/$experimentIds", params: { experimentIds: chosen.join(",") }, search: {} })
              }
            >
              {t.experiments.openTogether}
            </Button>
            <Button kind="danger" onClick={() => remove(chosen).catch(showError)}>
              <Trash2 size={14} aria-hidden /> {t.common.delete}
            </Button>
          </div>
        )}
        {experiments.error && <Problem error={experiments.error} onRetry={() => void experiments.refetch()} />}
        {experiments.isPending && <Loading />}
        {isNew && <GettingStarted />}
        {experiments.isSuccess && list.length === 0 && query !== "" && (
          <Empty title={t.experiments.noMatch} icon={<SearchX size={32} />}>
            <p>{t.experiments.noMatchHint}</p>
            <Button onClick={() => setQuery("")}>{t.experiments.clearSearch}</Button>
          </Empty>
        )}
        {list.length > 0 && !experiments.error && (
          <>
            <ExperimentsTable
              experiments={list}
              summaries={summaries}
              selected={selected}
              onSelect={setSelected}
              onRename={(experiment) => setDialog({ rename: experiment })}
              onInformation={(information) => setDialog({ information })}
              onDelete={(experimentId) => void remove([experimentId]).catch(showError)}
            />
            <LoadMore query={experiments} />
          </>
        )}
      </div>
      {dialog === "create" && <CreateExperimentDialog onClose={() => setDialog(undefined)} />}
      {typeof dialog === "object" && "rename" in dialog && (
        <RenameExperimentDialog experiment={dialog.rename} onClose={() => setDialog(undefined)} />
      )}
      {typeof dialog === "object" && "information" in dialog && (
        <ExperimentInformation experimentId={dialog.information} onClose={() => setDialog(undefined)} />
      )}
    </>
  );
}

function isWithoutRuns(list: Experiment[], summaries: ReadonlyMap<string, ExperimentSummary>): boolean {
  return list.every(({ experiment_id }) => summaries.get(experiment_id)?.run_count === 0);
}

/** What a new server says: how to log to it. */
function GettingStarted() {
  const t = useStrings();
  const code = [
    "import mlflow",
    "",
    `mlflow.set_tracking_uri("${SERVER_URL.replace(/\/$/, "")}")`,
    'mlflow.set_experiment("first steps")',
    "with mlflow.start_run():",
    '    mlflow.log_param("lr", 0.01)',
    "    for step in range(100):",
    '        mlflow.log_metric("loss", 1 / (step + 1), step=step)',
  ].join("\n");
  return (
    <Empty title={t.experiments.start} icon={<FlaskConical size={36} />}>
      <div className="stack">
        <p>{t.experiments.startHint}</p>
        <Snippet code={code} what={t.experiments.snippet} />
      </div>
    </Empty>
  );
}
