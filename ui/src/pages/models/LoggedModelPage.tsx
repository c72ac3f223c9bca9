import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Package, Trash2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { experimentQuery } from "../../api/experiments";
import { deleteLoggedModel, deleteLoggedModelTag, setLoggedModelTag } from "../../api/modelChanges";
import { loggedModelQuery } from "../../api/models";
import { runQuery } from "../../api/runs";
import type { LoggedModel, Metric } from "../../api/schema";
import { Button } from "../../components/Button";
import { ConfirmDialog } from "../../components/Dialog";
import { PageHeader } from "../../components/PageHeader";
import { Loading, Problem } from "../../components/Problem";
import { Tags } from "../../components/Tags";
import { CopyButton, Since } from "../../components/Text";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { loggedModelState } from "../../lib/models/loggedModels";
import { loadLoggedModel } from "../../lib/models/sources";
import { Fact, Facts } from "./Facts";
import { MetricsTable } from "./MetricsTable";
import { useRefreshModels } from "./refresh";
import { RegisterModelDialog } from "./RegisterModelDialog";
import { Registrations } from "./Registrations";
import { RunLink } from "./RunLink";
import { Snippet } from "../../components/Snippet";
import { StateWord } from "./StateWord";
import { useTagChanges } from "./tagChanges";
import { useRunNames } from "./runNames";
import "./ModelVersionPage.css";
import "./LoggedModelPage.css";

const page = getRouteApi("/experiments/$experimentId/models/$modelId");
const ArtifactBrowser = lazy(() =>
  import("../artifacts/ArtifactBrowser").then((module) => ({ default: module.ArtifactBrowser })),
);

/** A model that a run logged: its metrics, params and files, and the versions that were made of it. */
export default function LoggedModelPage() {
  const t = useStrings();
  const { experimentId, modelId } = page.useParams();
  const model = useQuery(loggedModelQuery(modelId));
  const experiment = useQuery(experimentQuery(experimentId)).data;
  return (
    <>
      <PageHeader
        title={model.data?.info.name ?? t.models.loggedModelTitle}
        crumbs={[
          { label: t.common.experiments, to: "/experiments" },
          { label: experiment?.name ?? experimentId, to: `/experiments/${encodeURIComponent(experimentId)}` },
        ]}
        beside={<span className="chip">{t.models.loggedModelTitle}</span>}
        actions={model.data && <Actions model={model.data} />}
      />
      <div className="page">
        {model.isPending && <Loading />}
        {model.error && <Problem error={model.error} onRetry={model.refetch} />}
        {model.data && <ModelBody key={modelId} model={model.data} />}
      </div>
    </>
  );
}

function ModelBody({ model: { info, data } }: { model: LoggedModel }) {
  const t = useStrings();
  const { path } = page.useSearch();
  const navigate = page.useNavigate();
  const { model_id: modelId } = info;
  const run = useQuery({ ...runQuery(info.source_run_id), enabled: info.source_run_id !== "" }).data;
  const tagChanges = useTagChanges(
    info.tags ?? [],
    (key, value) => setLoggedModelTag(modelId, key, value),
    (key) => deleteLoggedModelTag(modelId, key),
  );
  const params = data.params ?? [];

  return (
    <div className="version-page">
      <div className="version-top">
        <div className="stack">
          <section className="card version-card" aria-labelledby="logged-metrics">
            <h2 id="logged-metrics">{t.models.metrics}</h2>
            <Metrics metrics={data.metrics ?? []} />
          </section>
          <section className="card version-card" aria-labelledby="logged-params">
            <h2 id="logged-params">{t.models.params}</h2>
            {params.length === 0 ? (
              <p className="muted">{t.models.noParams}</p>
            ) : (
              <div className="table-scroll">
                <table className="plain-table metrics-table">
                  <thead>
                    <tr>
                      <th>{t.models.param}</th>
                      <th>{t.common.value}</th>
                    </tr>
                  </thead>
                  <tbody>
                    {params.map(({ key, value }) => (
                      <tr key={key}>
                        <td className="metrics-key">{key}</td>
                        <td className="mono logged-model-value">{value}</td>
                      </tr>
                    ))}
                  </tbody>
                </table>
              </div>
            )}
          </section>
        </div>
        <div className="stack">
          <section className="card version-card" aria-label={t.models.details}>
            <Facts>
              <Fact label={t.common.status}>
                <StateWord state={loggedModelState(info.status)} message={info.status_message} />
              </Fact>
              {info.model_type && <Fact label={t.models.type}>{info.model_type}</Fact>}
              <Fact label={t.models.modelId}>
                <span className="mono">{modelId}</span> <CopyButton text={modelId} what={t.models.modelId} />
              </Fact>
              {info.source_run_id && (
                <Fact label={t.models.sourceRun}>
                  <RunLink
                    runId={info.source_run_id}
                    name={run?.info.run_name}
                    experimentId={run?.info.experiment_id}
                  />
                </Fact>
              )}
              <Fact label={t.common.created}>
                <Since timeMs={info.creation_timestamp_ms} />
              </Fact>
              <Fact label={t.common.updated}>
                <Since timeMs={info.last_updated_timestamp_ms} />
              </Fact>
              <Fact label={t.models.storedAt}>
                <span className="mono">{info.artifact_uri}</span>{" "}
                <CopyButton text={info.artifact_uri} what={t.models.storedAt} />
              </Fact>
              <Fact label={t.models.registeredAs}>
                <Registrations registrations={info.registrations ?? []} />
              </Fact>
              <Fact label={t.common.tags}>
                <Tags tags={info.tags ?? []} {...tagChanges} />
              </Fact>
            </Facts>
          </section>
          <section className="card version-card" aria-labelledby="logged-load">
            <h2 id="logged-load">{t.models.loadIt}</h2>
            <Snippet code={loadLoggedModel(modelId)} what={t.models.loadCode} />
          </section>
        </div>
      </div>
      <section className="version-files" aria-labelledby="logged-files">
        <h2 id="logged-files">{t.models.files}</h2>
        <Suspense fallback={<Loading />}>
          <ArtifactBrowser
            source={{ kind: "logged-model", modelId }}
            path={path}
            onPathChange={(chosen) => navigate({ search: { path: chosen }, replace: true, resetScroll: false })}
          />
        </Suspense>
      </section>
    </div>
  );
}

function Metrics({ metrics }: { metrics: Metric[] }) {
  const t = useStrings();
  const runs = useRunNames(metrics.map((metric) => metric.run_id ?? ""));
  if (metrics.length === 0) return <p className="muted">{t.models.noMetrics}</p>;
  return <MetricsTable metrics={metrics} runs={runs} />;
}

function Actions({ model: { info } }: { model: LoggedModel }) {
  const t = useStrings();
  const [opened, setOpened] = useState<"register" | "delete">();
  const refresh = useRefreshModels();
  const navigate = useNavigate();
  const close = () => setOpened(undefined);
  return (
    <>
      <Button kind="primary" onClick={() => setOpened("register")}>
        <Package size={15} aria-hidden /> {t.models.register}
      </Button>
      <Button kind="danger" onClick={() => setOpened("delete")}>
        <Trash2 size={14} aria-hidden /> {t.common.delete}
      </Button>
      {opened === "register" && (
        <RegisterModelDialog
          source={{ kind: "logged-model", modelId: info.model_id, name: info.name, runId: info.source_run_id }}
          onClose={close}
        />
      )}
      {opened === "delete" && (
        <ConfirmDialog
          title={t.models.deleteLoggedModel}
          submitLabel={t.common.delete}
          typed={info.name}
          onClose={close}
          onConfirm={async () => {
            await deleteLoggedModel(info.model_id);
            await navigate({
              to: "/experiments/$experimentIds",
              params: { experimentIds: info.experiment_id },
              replace: true,
            });
            refresh();
            showToast(t.models.loggedModelDeleted(info.name));
          }}
        >
          <p>{t.models.deleteLoggedModelText(info.name)}</p>
        </ConfirmDialog>
      )}
    </>
  );
}
