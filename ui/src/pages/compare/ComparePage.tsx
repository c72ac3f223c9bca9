import { useQueryClient } from "@tanstack/react-query";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { GitCompareArrows, Plus } from "lucide-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { runQuery } from "../../api/runs";
import type { Run } from "../../api/schema";
import { Button } from "../../components/Button";
import { PageHeader } from "../../components/PageHeader";
import { Empty, Loading, Problem } from "../../components/Problem";
import { Tabs } from "../../components/Tabs";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { runAddress } from "../../lib/addresses";
import { colorAt } from "../../lib/colors";
import { shownTheme } from "../../lib/preferences";
import type { ChartRun } from "../charts/ChartsPanel";
import { AddRunDialog } from "./AddRunDialog";
import { ComparedImages } from "./ComparedImages";
import { ComparedValues } from "./ComparedValues";
import { presetPlots } from "./presetPlots";
import { RunsStrip } from "./RunsStrip";
import type { CompareSearch, CompareTab } from "./search";
import { useComparedRuns, useExperimentNames } from "./useComparedRuns";
import "./ComparePage.css";

const ChartsPanel = lazy(() => import("../charts/ChartsPanel"));
const PlotsSection = lazy(async () => ({
  default: (await import("../charts/plots/PlotsSection")).PlotsSection,
}));

const FROM = "/compare-runs";
const MAX_CHARTED = 100;
const NO_IDS: string[] = [];

/** Runs side by side: values, curves, plots, images. */
export default function ComparePage() {
  const t = useStrings();
  const search = useSearch({ from: FROM });
  const navigate = useNavigate({ from: FROM });
  const queries = useQueryClient();
  const [isAdding, setAdding] = useState(false);
  const ids = search.runs ?? NO_IDS;
  const { runs, isLoading, unknown, error, retry } = useComparedRuns(ids);

  function change(changes: Partial<CompareSearch>) {
    return navigate({ search: (previous) => ({ ...previous, ...changes }), replace: true });
  }

  function remove(run: Run) {
    change({ runs: ids.filter((id) => id !== run.info.run_id) });
    // Where it stood before.
    const undo = () => change({ runs: ids });
    showToast(t.compare.removed(run.info.run_name || run.info.run_id), { undo });
  }

  return (
    <>
      <PageHeader
        title={ids.length === 0 ? t.compare.title : t.compare.titleOf(runs.length)}
        crumbs={[{ label: t.common.experiments, to: "/experiments" }]}
        actions={
          <Button onClick={() => setAdding(true)}>
            <Plus size={14} aria-hidden /> {t.compare.addRun}
          </Button>
        }
      />
      <div className="compare-notices">
        {error && <Problem error={error} onRetry={retry} />}
        {unknown.length > 0 && (
          <div className="compare-unknown row wrap" role="alert">
            <span>
              {t.compare.notFound(unknown.length)} <span className="mono">{unknown.join(", ")}</span>
            </span>
            <Button onClick={() => change({ runs: ids.filter((id) => !unknown.includes(id)) })}>
              {t.compare.removeNotFound(unknown.length)}
            </Button>
          </div>
        )}
      </div>
      {isLoading && <Loading />}
      {!isLoading && runs.length === 0 && !error && (
        <Empty title={t.compare.empty} icon={<GitCompareArrows size={28} />}>
          <p>{t.compare.emptyHelp}</p>
        </Empty>
      )}
      {!isLoading && runs.length > 0 && (
        <Compared
          runs={runs}
          search={search}
          onChange={change}
          onRemove={remove}
          onKeep={(kept) => {
            change({ runs: kept });
            showToast(t.compare.kept(kept.length), { undo: () => change({ runs: ids }) });
          }}
        />
      )}
      {isAdding && (
        <AddRunDialog
          compared={ids}
          onAdd={(runId) => {
            queries.prefetchQuery(runQuery(runId));
            change({ runs: [...ids, runId] });
          }}
          onClose={() => setAdding(false)}
        />
      )}
    </>
  );
}

interface ComparedProps {
  runs: Run[];
  search: CompareSearch;
  onChange: (changes: Partial<CompareSearch>) => void;
  onRemove: (run: Run) => void;
  onKeep: (runIds: string[]) => void;
}

function Compared({ runs, search, onChange, onRemove, onKeep }: ComparedProps) {
  const t = useStrings();
  const theme = shownTheme.use();
  const experimentIds = useMemo(() => [...new Set(runs.map(({ info }) => info.experiment_id))], [runs]);
  const experimentNames = useExperimentNames(experimentIds);
  const compared = useMemo(
    () =>
      runs.map(({ info }, at): ChartRun => ({
        runId: info.run_id,
        name: info.run_name || info.run_id,
        color: colorAt(at, theme),
        isRunning: info.status === "RUNNING",
        address: runAddress(info.experiment_id, info.run_id),
      })),
    [runs, theme],
  );
  const charted = useMemo(() => compared.slice(0, MAX_CHARTED), [compared]);
  const preset = useMemo(() => presetPlots(runs), [runs]);
  const tab = search.tab ?? "values";
  const tabs: (CompareTab | "values")[] = ["values", "curves", "plots", "images"];
  return (
    <>
      <RunsStrip runs={runs} colors={compared} experimentNames={experimentNames} onRemove={onRemove} />
      <Tabs
        label={t.compare.sections}
        tabs={tabs.map((name) => ({ name, label: t.compare.tabs[name] }))}
        current={tab}
        onChange={(name) => onChange({ tab: name === "values" ? undefined : name })}
      >
        <div className={tab === "curves" ? "" : "page compare-section"}>
          {/* The charts have room around them already. */}
          {tab === "values" && (
            <ComparedValues
              runs={runs}
              shown={compared}
              experimentNames={experimentNames}
              search={search}
              onChange={onChange}
            />
          )}
          {(tab === "curves" || tab === "plots") && compared.length > MAX_CHARTED && (
            <p className="muted compare-limited">{t.compare.chartsLimited(MAX_CHARTED, compared.length)}</p>
          )}
          {tab === "curves" && (
            <Suspense fallback={<Loading />}>
              <ChartsPanel
                experimentIds={experimentIds}
                runs={charted}
                layout={search.charts}
                onLayoutChange={(charts) => onChange({ charts })}
              />
            </Suspense>
          )}
          {tab === "plots" && (
            <Suspense fallback={<Loading />}>
              <PlotsSection
                experimentIds={experimentIds}
                runs={charted}
                plots={search.plots ?? preset}
                onPlotsChange={(plots) => onChange({ plots })}
                onBrush={onKeep}
              />
            </Suspense>
          )}
          {tab === "images" && (
            <ComparedImages
              runs={compared}
              imageKey={search.image}
              step={search.step}
              onChange={({ imageKey, step }) => onChange({ image: imageKey, step })}
            />
          )}
        </div>
      </Tabs>
    </>
  );
}
