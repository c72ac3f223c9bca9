import { useQuery } from "@tanstack/react-query";
import { Navigate, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { lazy, Suspense, useMemo } from "react";
import { experimentQuery } from "../../api/experiments";
import { runQuery } from "../../api/runs";
import type { Run } from "../../api/schema";
import { PageHeader } from "../../components/PageHeader";
import { Loading, Problem } from "../../components/Problem";
import { Tabs } from "../../components/Tabs";
import { RunStatus } from "../../components/Text";
import { useStrings } from "../../i18n";
import { colorAt } from "../../lib/colors";
import { shownTheme } from "../../lib/preferences";
import { factsOf } from "../../lib/runFacts";
import { DeletedBanner, RunActions } from "./RunActions";
import { RunOverview } from "./RunOverview";
import type { RunTab } from "./search";
import "./RunPage.css";

const ChartsPanel = lazy(() => import("../charts/ChartsPanel"));
const ArtifactBrowser = lazy(async () => ({
  default: (await import("../artifacts/ArtifactBrowser")).ArtifactBrowser,
}));

const FROM = "/experiments/$experimentId/runs/$runId";
const SYSTEM_PREFIX = "system/";

/** A run: what it is, its curves, its artifacts. */
export default function RunPage() {
  const t = useStrings();
  const { experimentId, runId } = useParams({ from: FROM });
  const run = useQuery(runQuery(runId));
  if (run.data === undefined) {
    return (
      <>
        <PageHeader title={t.run.title} crumbs={[{ label: t.common.experiments, to: "/experiments" }]} />
        <div className="page">
          {run.error ? <Problem error={run.error} onRetry={() => void run.refetch()} /> : <Loading />}
        </div>
      </>
    );
  }
  // An address that was put together by hand may name another experiment.
  const own = run.data.info.experiment_id;
  if (own !== experimentId) return <Navigate to={FROM} params={{ experimentId: own, runId }} replace />;
  return <LoadedRun key={runId} run={run.data} />;
}

function LoadedRun({ run }: { run: Run }) {
  const t = useStrings();
  const search = useSearch({ from: FROM });
  const navigate = useNavigate({ from: FROM });
  const theme = shownTheme.use();
  const { run_id: runId, experiment_id: experimentId } = run.info;
  const experiment = useQuery(experimentQuery(experimentId));
  const { name } = factsOf(run);
  const isRunning = run.info.status === "RUNNING";
  const chartRuns = useMemo(
    () => [{ runId, name, color: colorAt(0, theme), isRunning }],
    [runId, name, theme, isRunning],
  );
  const tab = search.tab ?? "overview";
  const keys = (run.data.metrics ?? []).map(({ key }) => key);
  const isEmpty = !keys.some((key) => key.startsWith(SYSTEM_PREFIX) === (tab === "system"));
  return (
    <>
      <PageHeader
        title={name}
        crumbs={[
          { label: t.common.experiments, to: "/experiments" },
          { label: experiment.data?.name ?? experimentId, to: `/experiments/${experimentId}` },
        ]}
        beside={<RunStatus status={run.info.status} />}
        actions={<RunActions run={run} />}
      />
      {run.info.lifecycle_stage === "deleted" && <DeletedBanner run={run} />}
      <Tabs<RunTab>
        label={name}
        tabs={[
          { name: "overview", label: t.run.overview },
          { name: "metrics", label: t.run.modelMetrics },
          { name: "system", label: t.run.systemMetrics },
          { name: "artifacts", label: t.run.artifacts },
        ]}
        current={tab}
        onChange={(next) =>
          navigate({ search: (previous) => ({ ...previous, tab: next === "overview" ? undefined : next }) })
        }
      >
        {tab === "overview" && <RunOverview run={run} />}
        {(tab === "metrics" || tab === "system") &&
          (isEmpty ? (
            <p className="page muted run-empty">{tab === "system" ? t.run.noSystemMetrics : t.run.noMetrics}</p>
          ) : (
            <Suspense fallback={<Loading />}>
              <ChartsPanel
                key={tab}
                experimentIds={[experimentId]}
                runs={chartRuns}
                {...(tab === "system" ? { prefix: SYSTEM_PREFIX } : { exclude: SYSTEM_PREFIX })}
                layout={tab === "system" ? search.systemCharts : search.charts}
                onLayoutChange={(layout) =>
                  navigate({
                    search: (previous) => ({
                      ...previous,
                      ...(tab === "system" ? { systemCharts: layout } : { charts: layout }),
                    }),
                    replace: true,
                  })
                }
              />
            </Suspense>
          ))}
        {tab === "artifacts" && (
          <Suspense fallback={<Loading />}>
            <ArtifactBrowser
              source={{ kind: "run", runId }}
              path={search.path}
              onPathChange={(path) =>
                navigate({ search: (previous) => ({ ...previous, path: path === "" ? undefined : path }) })
              }
            />
          </Suspense>
        )}
      </Tabs>
    </>
  );
}
