import { useQueries, useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { Columns3, Download, GitCompare, Info, ListTree, RotateCw, X } from "lucide-react";
import { lazy, Suspense, useCallback, useMemo, useState } from "react";
import { experimentQuery } from "../../api/experiments";
import { runColumnsQuery } from "../../api/runs";
import { Button, IconButton } from "../../components/Button";
import { FilterBox } from "../../components/filter/FilterBox";
import { PageHeader } from "../../components/PageHeader";
import { Loading, Problem } from "../../components/Problem";
import { Tabs } from "../../components/Tabs";
import { useStrings } from "../../i18n";
import { arrangeColumns, ATTRIBUTES, defaultColumns, metricKeys } from "../../lib/runs/columns";
import { orderBy, PARENT_TAG, parseOrder } from "../../lib/runs/scope";
import type { Selection } from "../../lib/runs/selection";
import { BulkActions } from "./BulkActions";
import { ColumnChooser } from "./ColumnChooser";
import { ExperimentInformation } from "./ExperimentInformation";
import { ExportDialog } from "./ExportDialog";
import { GroupMenu } from "./GroupMenu";
import { RunsTable } from "./RunsTable";
import { SavedViews } from "./SavedViews";
import { compact, readRunsSearch, type RunsSearch, type RunsTab } from "./search";
import { useChartRuns } from "./useChartRuns";
import { useRunRows } from "./useRunRows";
import "./RunsPage.css";

const ChartsPanel = lazy(() => import("../charts/ChartsPanel"));
const LoggedModelsList = lazy(async () => ({ default: (await import("../models/LoggedModelsList")).LoggedModelsList }));

/** So many selected runs are named in the address; more would make it too long to be sent. */
const MAX_SELECTED_IN_ADDRESS = 100;

/** The runs of one experiment or of several: as a table, as charts, and the models that they made. */
export default function RunsPage() {
  const params = useParams({ from: "/experiments/$experimentIds" });
  // Another experiment is another page: its selection and what is open are its own.
  return <Runs key={params.experimentIds} experimentIds={params.experimentIds.split(",")} />;
}

function Runs({ experimentIds }: { experimentIds: string[] }) {
  const t = useStrings();
  const view = useSearch({ from: "/experiments/$experimentIds" });
  const navigate = useNavigate({ from: "/experiments/$experimentIds" });
  const experiments = useQueries({ queries: experimentIds.map(experimentQuery) });
  const available = useQuery(runColumnsQuery(experimentIds));
  const [selection, setSelection] = useState<Selection>(new Set(view.selected));
  const [dialog, setDialog] = useState<"columns" | "export" | "information">();

  const update = useCallback(
    (patch: Partial<RunsSearch>, replace = false) =>
      navigate({ search: (previous) => compact({ ...previous, ...patch }), replace }),
    [navigate],
  );
  const select = useCallback(
    (next: Selection) => {
      setSelection(next);
      update({ selected: next.size <= MAX_SELECTED_IN_ADDRESS ? [...next] : undefined }, true);
    },
    [update],
  );

  const shown = useMemo(
    () => view.columns ?? (available.data ? defaultColumns(available.data, experimentIds.length) : []),
    [view.columns, available.data, experimentIds.length],
  );
  const { pinned, free } = useMemo(() => arrangeColumns(shown, view.pinned ?? []), [shown, view.pinned]);
  const groupBy = useMemo(() => view.group ?? [], [view.group]);
  const order = useMemo(() => parseOrder(view.order), [view.order]);
  const isTree = groupBy.length === 0 && (view.tree ?? available.data?.tags.includes(PARENT_TAG) ?? false);
  const viewType = view.trash ? "DELETED_ONLY" : "ACTIVE_ONLY";
  const list = useRunRows({
    experimentIds,
    filter: view.filter,
    order,
    viewType,
    isTree,
    groupBy,
    groupMetrics: metricKeys([...pinned, ...free]),
    // Whether there are nested runs, the names tell; the answer takes a millisecond.
    isReady: view.tree !== undefined || !available.isPending,
  });
  const isCharts = view.tab === "charts";
  const charted = useChartRuns(experimentIds, selection, isCharts ? list.runIds : NOTHING, {
    groupBy: isCharts ? groupBy : NOTHING,
    filter: view.filter,
    viewType,
  });
  const colors = useMemo(() => new Map(charted.runs.map(({ runId, color }) => [runId, color])), [charted.runs]);

  const failed = experiments.find(({ error }) => error !== null);
  const title =
    experiments.length === 1
      ? (experiments[0]?.data?.name ?? t.runs.title)
      : t.runs.severalExperiments(experimentIds.length);
  const scope = { experimentIds, filter: view.filter, orderBy: orderBy(order), viewType } as const;
  const selectedIds = useMemo(() => [...selection], [selection]);

  if (failed?.error) {
    return (
      <>
        <PageHeader title={t.runs.title} crumbs={[{ label: t.common.experiments, to: "/experiments" }]} />
        <div className="page">
          <Problem error={failed.error} onRetry={() => void failed.refetch()} />
        </div>
      </>
    );
  }
  return (
    <div className="runs-page">
      <PageHeader
        title={title}
        crumbs={[{ label: t.common.experiments, to: "/experiments" }]}
        beside={
          <IconButton label={t.runs.information} onClick={() => setDialog("information")}>
            <Info size={16} />
          </IconButton>
        }
        actions={
          <>
            <SavedViews
              experimentId={experimentIds[0]!}
              current={savedPart(view)}
              onOpen={(saved) => navigate({ search: readRunsSearch(saved) })}
            />
            <Button onClick={() => setDialog("export")}>
              <Download size={14} aria-hidden /> {t.runs.export}
            </Button>
          </>
        }
      />
      <Tabs<RunsTab>
        label={t.runs.title}
        tabs={[
          { name: "table", label: t.runs.table },
          { name: "charts", label: t.runs.charts },
          { name: "models", label: t.runs.models },
        ]}
        current={view.tab ?? "table"}
        onChange={(tab) => update({ tab: tab === "table" ? undefined : tab })}
      >
        {view.tab !== "models" && (
          <div className="runs-toolbar">
            <div className="filter">
              <FilterBox
                value={view.filter ?? ""}
                onApply={(filter) => update({ filter: filter || undefined })}
                entity="runs"
                experimentIds={experimentIds}
                error={list.error ?? undefined}
              />
            </div>
            <Button onClick={() => setDialog("columns")}>
              <Columns3 size={14} aria-hidden /> {t.runs.columns}
            </Button>
            <GroupMenu
              available={available.data}
              groupBy={groupBy}
              onChange={(group) => update({ group: group.length > 0 ? group : undefined })}
            />
            <IconButton
              label={t.runs.tree}
              aria-pressed={isTree}
              disabled={groupBy.length > 0}
              onClick={() => update({ tree: !isTree })}
            >
              <ListTree size={16} />
            </IconButton>
            <select
              className="input runs-stage"
              style={{ width: "auto" }}
              aria-label={t.runs.showWhich}
              value={viewType}
              onChange={(event) => {
                select(new Set());
                update({ trash: event.target.value === "DELETED_ONLY" ? true : undefined });
              }}
            >
              <option value="ACTIVE_ONLY">{t.runs.active}</option>
              <option value="DELETED_ONLY">{t.runs.deletedRuns}</option>
            </select>
            <IconButton label={t.runs.refresh} onClick={list.refresh}>
              <RotateCw size={15} />
            </IconButton>
          </div>
        )}
        {view.tab !== "models" && selection.size > 0 && (
          <div className="runs-selection">
            <b>{t.runs.selected(selection.size)}</b>
            <Button
              disabled={selection.size < 2 || selection.size > MAX_SELECTED_IN_ADDRESS}
              title={selection.size < 2 ? t.runs.compareHint : undefined}
              onClick={() => navigate({ to: "/compare-runs", search: { runs: selectedIds } })}
            >
              <GitCompare size={14} aria-hidden /> {t.runs.compare}
            </Button>
            <BulkActions
              runIds={selectedIds}
              isTrash={view.trash ?? false}
              onDone={() => {
                select(new Set());
                list.refresh();
              }}
            />
            <span className="spacer" />
            <IconButton label={t.runs.clearSelection} onClick={() => select(new Set())}>
              <X size={15} />
            </IconButton>
          </div>
        )}
        {(view.tab ?? "table") === "table" && (
          <RunsTable
            list={list}
            view={view}
            onChange={update}
            experimentName={experiments[0]?.data?.name}
            shown={shown}
            pinned={pinned}
            free={free}
            order={order}
            isTree={isTree}
            selection={selection}
            onSelect={select}
            colors={charted.isChosen ? colors : NO_COLORS}
          />
        )}
        {view.tab === "charts" && (
          <div className="runs-charts">
            <p className="muted">{charted.note}</p>
            <Suspense fallback={<Loading />}>
              <ChartsPanel
                experimentIds={experimentIds}
                runs={charted.runs}
                showPlots
                showLegend
                layout={view.charts}
                onLayoutChange={(charts) => update({ charts }, true)}
              />
            </Suspense>
          </div>
        )}
        {view.tab === "models" && (
          <div className="runs-charts runs-models">
            <Suspense fallback={<Loading />}>
              <LoggedModelsList experimentIds={experimentIds} />
            </Suspense>
          </div>
        )}
      </Tabs>
      {dialog === "columns" && (
        <ColumnChooser
          available={{ ...(available.data ?? { metrics: [], params: [], tags: [] }), attributes: ATTRIBUTES }}
          shown={shown}
          pinned={view.pinned ?? []}
          onChange={(columns, nextPinned) => update({ columns, pinned: nextPinned }, true)}
          onClose={() => setDialog(undefined)}
        />
      )}
      {dialog === "export" && <ExportDialog scope={scope} columns={shown} onClose={() => setDialog(undefined)} />}
      {dialog === "information" && (
        <ExperimentInformation experimentId={experimentIds[0]!} onClose={() => setDialog(undefined)} />
      )}
    </div>
  );
}

const NOTHING: string[] = [];
const NO_COLORS: ReadonlyMap<string, string> = new Map();

/** What a saved view holds: not what is selected just now. */
function savedPart(view: RunsSearch): Record<string, unknown> {
  return { ...compact({ ...view, selected: undefined }) };
}
