import { useQuery } from "@tanstack/react-query";
import { ChartLine, ChevronDown, ChevronRight, EyeOff, SearchX } from "lucide-react";
import { lazy, Suspense, useId, useMemo } from "react";
import { api, ask } from "../../api/client";
import { LIVE_INTERVAL_MS, runColumnsQuery, runQuery } from "../../api/runs";
import { Button } from "../../components/Button";
import { Empty, Loading, Problem } from "../../components/Problem";
import { useStrings } from "../../i18n";
import { shownTheme } from "../../lib/preferences";
import { foundKeys, movedCard, type Section, sectionsOf, toggledIn } from "../../lib/charts/sections";
import { colorAt } from "../../lib/colors";
import type { CardSettings, ChartsLayout } from "./layout";
import { Legend } from "./Legend";
import { MetricCard } from "./MetricCard";
import { Toolbar } from "./Toolbar";
import "./ChartsPanel.css";

const PlotsSection = lazy(async () => ({ default: (await import("./plots/PlotsSection")).PlotsSection }));

const HEIGHTS = { small: 150, medium: 220, large: 340 };
const EMPTY_LAYOUT: ChartsLayout = { version: 1 };

/** A run as charts show it. */
export interface ChartRun {
  runId: string;
  name: string;
  /** A CSS colour. */
  color: string;
  isRunning: boolean;
  /** The address of its page; left out on that page itself. */
  address?: string;
  /** The values by which it was put into a group, as text; left out where runs are not grouped. */
  group?: string;
}

/** Runs that have a line together. */
export interface ChartGroup {
  /** Not an id of a run. */
  key: string;
  name: string;
  /** A CSS colour. */
  color: string;
  runIds: string[];
}

interface ChartsPanelProps {
  experimentIds: string[];
  /** At most 100. */
  runs: ChartRun[];
  /** Only metrics whose names start so: "system/". */
  prefix?: string;
  /** No metrics whose names start so. */
  exclude?: string;
  /** Whether the charts of params and metrics that the reader adds are shown too. */
  showPlots?: boolean;
  /** Whether the runs are named above the charts. */
  showLegend?: boolean;
  /** How the reader has arranged the charts; undefined is the arrangement that comes by itself. */
  layout: ChartsLayout | undefined;
  onLayoutChange: (layout: ChartsLayout) => void;
}

/** Charts of some runs: a card for each metric, and those that the reader adds. */
export default function ChartsPanel(props: ChartsPanelProps) {
  const { experimentIds, runs, prefix, exclude, showPlots = false, showLegend = false, onLayoutChange } = props;
  const layout = props.layout ?? EMPTY_LAYOUT;
  const t = useStrings();
  const sync = useId();
  const theme = shownTheme.use();
  const allGroups = useMemo(
    () => (layout.groups === "off" ? undefined : groupsOf(runs, theme)),
    [runs, theme, layout.groups],
  );
  const off = useMemo(() => (showLegend ? offIn(layout, runs, allGroups) : []), [showLegend, layout, runs, allGroups]);
  const groups = useMemo(() => allGroups?.filter(({ key }) => !off.includes(key)), [allGroups, off]);
  const drawnRuns = useMemo(() => drawnOf(runs, groups, off), [runs, groups, off]);
  const keys = useMetricKeys(experimentIds, runs);
  const shown = useMemo(
    () =>
      (keys.data ?? []).filter(
        (key) =>
          (prefix === undefined || key.startsWith(prefix)) && (exclude === undefined || !key.startsWith(exclude)),
      ),
    [keys.data, prefix, exclude],
  );
  const found = useMemo(() => foundKeys(shown, layout.search ?? ""), [shown, layout.search]);
  const sections = useMemo(() => sectionsOf(found, layout), [found, layout]);
  const hiddenCount = found.filter((key) => layout.hidden?.includes(key)).length;
  if (runs.length === 0) {
    return (
      <Empty title={t.charts.noRuns} icon={<ChartLine size={32} />}>
        {t.charts.noRunsHint}
      </Empty>
    );
  }
  return (
    <div className="charts-panel">
      <Toolbar layout={layout} hasGroups={runs.some(({ group }) => group !== undefined)} onChange={onLayoutChange} />
      {showLegend && (
        <Legend
          runs={runs}
          groups={allGroups}
          off={off}
          onOff={(next) => onLayoutChange({ ...layout, off: next.length > 0 ? next : undefined })}
        />
      )}
      {showPlots && (
        <Suspense fallback={<Loading lines={2} />}>
          <PlotsSection
            experimentIds={experimentIds}
            runs={drawnRuns}
            plots={layout.plots ?? []}
            onPlotsChange={(plots) => onLayoutChange({ ...layout, plots: plots.length > 0 ? plots : undefined })}
          />
        </Suspense>
      )}
      {keys.error && <Problem error={keys.error} onRetry={() => void keys.refetch()} />}
      {keys.isPending && <Loading />}
      {keys.isSuccess && shown.length === 0 && (
        <Empty title={t.charts.noMetrics} icon={<ChartLine size={32} />}>
          {t.charts.noMetricsHint}
        </Empty>
      )}
      {shown.length > 0 && found.length === 0 && <Empty title={t.charts.nothingFound} icon={<SearchX size={32} />} />}
      {drawnRuns.length === 0 && <Empty title={t.charts.noneDrawn} icon={<EyeOff size={32} />} />}
      {(drawnRuns.length > 0 ? sections : []).map((section) => (
        <ChartsSection
          key={section.isPinned ? "pinned" : `prefix ${section.prefix}`}
          section={section}
          runs={drawnRuns}
          groups={groups}
          layout={layout}
          sync={sync}
          onLayoutChange={onLayoutChange}
        />
      ))}
      {hiddenCount > 0 && (
        <p className="row muted">
          {t.charts.hidden(hiddenCount)}
          <Button onClick={() => onLayoutChange({ ...layout, hidden: undefined })}>{t.charts.showHidden}</Button>
        </p>
      )}
    </div>
  );
}

interface ChartsSectionProps {
  section: Section;
  runs: readonly ChartRun[];
  groups: readonly ChartGroup[] | undefined;
  layout: ChartsLayout;
  /** The charts of one name point at the same place. */
  sync: string;
  onLayoutChange: (layout: ChartsLayout) => void;
}

function ChartsSection({ section, runs, groups, layout, sync, onLayoutChange }: ChartsSectionProps) {
  const t = useStrings();
  const name = section.isPinned ? t.charts.pinned : section.prefix || t.charts.others;
  const place = section.isPinned ? "pinned" : section.prefix;
  const isOpen = !layout.closed?.includes(place);
  const size = layout.size ?? "medium";
  const step = (key: string, places: number) => {
    const target = section.keys[section.keys.indexOf(key) + places];
    if (target !== undefined) onLayoutChange(movedCard(layout, section, key, target));
  };
  const settings = (key: string, card: CardSettings) => {
    const kept = { ...layout.cards, [key]: card };
    if (Object.values(card).every((value) => value === undefined || value === false)) delete kept[key];
    onLayoutChange({ ...layout, cards: Object.keys(kept).length > 0 ? kept : undefined });
  };
  return (
    <section aria-label={t.charts.section(name, section.keys.length)}>
      <h2>
        <button
          type="button"
          className="charts-section-head"
          aria-expanded={isOpen}
          onClick={() => onLayoutChange({ ...layout, closed: toggledIn(layout.closed, place) })}
        >
          {isOpen ? <ChevronDown size={15} aria-hidden /> : <ChevronRight size={15} aria-hidden />}
          {name} <span className="muted">{section.keys.length}</span>
        </button>
      </h2>
      {isOpen && (
        <div className={`charts-grid ${size}`}>
          {section.keys.map((key) => (
            <MetricCard
              key={key}
              name={key}
              runs={runs}
              layout={layout}
              isPinned={section.isPinned}
              height={HEIGHTS[size]}
              groups={groups}
              sync={sync}
              onSettings={(card) => settings(key, card)}
              onPin={() => onLayoutChange({ ...layout, pinned: toggledIn(layout.pinned, key) })}
              onHide={() => onLayoutChange({ ...layout, hidden: toggledIn(layout.hidden, key) })}
              onMove={(moved, target) => onLayoutChange(movedCard(layout, section, moved, target))}
              onStep={(places) => step(key, places)}
            />
          ))}
        </div>
      )}
    </section>
  );
}

/** The groups of the runs, in the order of their names; undefined where runs are not grouped. */
function groupsOf(runs: readonly ChartRun[], theme: "light" | "dark"): ChartGroup[] | undefined {
  const members = new Map<string, string[]>();
  for (const { runId, group } of runs) {
    if (group !== undefined) members.set(group, [...(members.get(group) ?? []), runId]);
  }
  if (members.size === 0) return undefined;
  const names = [...members.keys()].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  return names.map((name, at) => ({
    key: `group ${name}`,
    name,
    color: colorAt(at, theme),
    runIds: members.get(name)!,
  }));
}

/** What of the runs, or of the groups, the reader has put out of the charts. */
function offIn(
  layout: ChartsLayout,
  runs: readonly ChartRun[],
  groups: readonly ChartGroup[] | undefined,
): readonly string[] {
  const shown = new Set(groups?.map(({ key }) => key) ?? runs.map(({ runId }) => runId));
  return (layout.off ?? []).filter((key) => shown.has(key));
}

/** The runs that are drawn: themselves, or in a group. */
function drawnOf(runs: ChartRun[], groups: readonly ChartGroup[] | undefined, off: readonly string[]): ChartRun[] {
  if (off.length === 0) return runs;
  const inGroups = groups && new Set(groups.flatMap(({ runIds }) => runIds));
  return runs.filter(({ runId }) => (inGroups ? inGroups.has(runId) : !off.includes(runId)));
}

/** The metrics that any of the runs has, sorted; asked for again while one of them goes on. */
function useMetricKeys(experimentIds: string[], runs: readonly ChartRun[]) {
  const isLive = runs.some(({ isRunning }) => isRunning);
  const runIds = runs.map(({ runId }) => runId);
  const single = useQuery({
    ...runQuery(runIds[0] ?? ""),
    enabled: runIds.length === 1,
    select: (run) => (run.data.metrics ?? []).map(({ key }) => key),
  });
  const columns = useQuery({ ...runColumnsQuery(experimentIds), enabled: runIds.length > 1 });
  const names = columns.data?.metrics;
  const several = useQuery({
    queryKey: ["metric-keys", runIds, names],
    queryFn: async ({ signal }) => {
      const found: string[] = [];
      // Only what one of these runs has: an experiment may have thousands of names more.
      for (let at = 0; at < names!.length; at += 1000) {
        const wanted = names!.slice(at, at + 1000).map((key) => `metrics.${key}`);
        const body = { run_ids: runIds, columns: wanted };
        const table = await ask(api.POST("/api/1.0/runyard/runs/table", { body, signal }));
        found.push(...wanted.filter((name) => table.columns[name]?.some((cell) => cell !== null)));
      }
      return found.map((name) => name.slice("metrics.".length));
    },
    enabled: runIds.length > 1 && names !== undefined,
    placeholderData: (previous) => previous,
    refetchInterval: isLive ? LIVE_INTERVAL_MS * 3 : false,
  });
  return runIds.length === 1 ? single : several;
}
