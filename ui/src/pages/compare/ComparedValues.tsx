import { Copy, Download } from "lucide-react";
import { type ReactNode, useId, useMemo, useState } from "react";
import type { Run } from "../../api/schema";
import { Menu, MenuItem } from "../../components/Menu";
import { Problem } from "../../components/Problem";
import { copyText } from "../../components/Text";
import { showError, showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import type { Goal } from "../../lib/compare/best";
import { comparisonCsv, comparisonMarkdown } from "../../lib/compare/export";
import { compareRuns, filterGroups, type GroupName } from "../../lib/compare/table";
import { download } from "../../lib/exportRuns";
import { formatTime } from "../../lib/format";
import { preferences } from "../../lib/preferences";
import type { ChartRun } from "../charts/ChartsPanel";
import { CompareTable } from "./CompareTable";
import type { CompareSearch, ShownValue } from "./search";
import { useExtremes } from "./useComparedRuns";
import "./ComparedValues.css";

interface ComparedValuesProps {
  runs: Run[];
  /** The same runs with their names and colours. */
  shown: ChartRun[];
  experimentNames: ReadonlyMap<string, string>;
  search: CompareSearch;
  onChange: (changes: Partial<CompareSearch>) => void;
}

/** All values of the runs side by side, and what helps to see where they differ. */
export function ComparedValues({ runs, shown, experimentNames, search, onChange }: ComparedValuesProps) {
  const t = useStrings();
  const id = useId();
  const { timeZone } = preferences.use();
  const [closed, setClosed] = useState<ReadonlySet<GroupName>>(new Set());
  // How long runs that are running have taken is as of when the page was drawn.
  const [now] = useState(() => Date.now());
  const { shows, differences = false, find = "", best } = search;
  const extremes = useExtremes(runs, shows !== undefined);
  const groups = useMemo(() => {
    const words = {
      ...t.compare,
      statusOf: (status: string) => t.common.runStatus[status] ?? status,
      experimentName: (experimentId: string) => experimentNames.get(experimentId) ?? experimentId,
      timeText: (timeMs: number) => formatTime(timeMs, timeZone),
    };
    return compareRuns(runs, words, now, shows && { of: shows, byRun: extremes.byRun });
  }, [runs, t, experimentNames, timeZone, now, shows, extremes.byRun]);
  const filtered = useMemo(() => filterGroups(groups, find, differences), [groups, find, differences]);
  const baseline = shown.findIndex(({ runId }) => runId === search.baseline);

  function exportCsv() {
    const file = new Blob([comparisonCsv(shown, filtered)], { type: "text/csv;charset=utf-8" });
    download(file, "compared-runs.csv");
  }

  async function copyMarkdown() {
    const titled = filtered.map((group) => ({ ...group, title: t.compare.groups[group.name] }));
    await copyText(comparisonMarkdown(shown, titled));
    showToast(t.compare.copiedMarkdown);
  }

  return (
    <>
      <div className="row wrap compared-values-bar">
        <input
          type="search"
          className="input compared-values-find"
          aria-label={t.compare.findRow}
          placeholder={t.compare.findRow}
          value={find}
          onChange={(event) => onChange({ find: event.target.value || undefined })}
        />
        <label className="checkbox">
          <input
            type="checkbox"
            role="switch"
            checked={differences}
            onChange={(event) => onChange({ differences: event.target.checked || undefined })}
          />
          {t.compare.onlyDifferences}
        </label>
        <Choice
          id={`${id}-baseline`}
          label={t.compare.baseline}
          value={baseline < 0 ? "" : search.baseline!}
          onChange={(value) => onChange({ baseline: value || undefined })}
        >
          <option value="">{t.compare.noBaseline}</option>
          {shown.map(({ runId, name }) => (
            <option key={runId} value={runId}>
              {name}
            </option>
          ))}
        </Choice>
        <Choice
          id={`${id}-shows`}
          label={t.compare.shows}
          value={shows ?? "last"}
          onChange={(value) => onChange({ shows: value === "last" ? undefined : (value as ShownValue) })}
        >
          {(["last", "min", "max"] as const).map((name) => (
            <option key={name} value={name}>
              {t.compare.shownValues[name]}
            </option>
          ))}
        </Choice>
        <Choice
          id={`${id}-best`}
          label={t.compare.best}
          value={best ?? "auto"}
          onChange={(value) => onChange({ best: value === "auto" ? undefined : (value as Goal) })}
        >
          {(["auto", "min", "max", "none"] as const).map((name) => (
            <option key={name} value={name}>
              {t.compare.goals[name]}
            </option>
          ))}
        </Choice>
        <span className="spacer" />
        <Menu button={t.compare.export} align="end">
          <MenuItem icon={<Download size={14} />} onSelect={exportCsv}>
            {t.compare.downloadCsv}
          </MenuItem>
          <MenuItem icon={<Copy size={14} />} onSelect={() => copyMarkdown().catch(showError)}>
            {t.compare.copyMarkdown}
          </MenuItem>
        </Menu>
      </div>
      {extremes.error && <Problem error={extremes.error} onRetry={extremes.retry} />}
      <CompareTable
        runs={shown}
        groups={filtered}
        isFiltered={find !== ""}
        hasRows={(name) => (groups.find((group) => group.name === name)?.rows.length ?? 0) > 0}
        closed={closed}
        onToggle={(name) => {
          const next = new Set(closed);
          if (!next.delete(name)) next.add(name);
          setClosed(next);
        }}
        baseline={baseline < 0 ? undefined : baseline}
        best={best}
        isLoadingMetrics={extremes.isLoading}
      />
    </>
  );
}

interface ChoiceProps {
  id: string;
  label: string;
  value: string;
  onChange: (value: string) => void;
  children: ReactNode;
}

function Choice({ id, label, value, onChange, children }: ChoiceProps) {
  return (
    <span className="row compared-values-choice">
      <label htmlFor={id} className="muted nowrap">
        {label}
      </label>
      <select id={id} className="input" value={value} onChange={(event) => onChange(event.target.value)}>
        {children}
      </select>
    </span>
  );
}
