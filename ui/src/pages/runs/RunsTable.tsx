import { FlaskConical, SearchX, Trash2 } from "lucide-react";
import { SERVER_URL } from "../../api/client";
import { Button } from "../../components/Button";
import { Empty, Loading } from "../../components/Problem";
import { CopyButton } from "../../components/Text";
import { useStrings } from "../../i18n";
import { type Column, moveColumn } from "../../lib/runs/columns";
import { formatOrder, type Order } from "../../lib/runs/scope";
import type { Selection } from "../../lib/runs/selection";
import { RunsGrid } from "./RunsGrid";
import type { RunsSearch } from "./search";
import type { RunRows } from "./useRunRows";

interface RunsTableProps {
  list: RunRows;
  view: RunsSearch;
  /** Changes the view; with `replace`, without a step back in the browser's history. */
  onChange: (patch: Partial<RunsSearch>, replace?: boolean) => void;
  experimentName: string | undefined;
  /** The names of the columns that are shown, in their order. */
  shown: string[];
  pinned: Column[];
  free: Column[];
  order: Order | undefined;
  isTree: boolean;
  selection: Selection;
  onSelect: (selection: Selection) => void;
  colors: ReadonlyMap<string, string>;
}

/** The grid of runs, what stands in its place when there are none, and the line below that counts them. */
export function RunsTable(props: RunsTableProps) {
  const { list, view, onChange, shown, selection } = props;
  const t = useStrings();
  const groupBy = view.group ?? [];
  if (list.isLoading && !list.error) return <Loading lines={12} />;
  if (list.rows.length === 0 && !list.error) return <NoRuns {...props} />;
  const toggle = (names: string[], name: string) =>
    names.includes(name) ? names.filter((other) => other !== name) : [...names, name];
  return (
    <>
      <RunsGrid
        rows={list.rows}
        listKey={JSON.stringify([view.filter, view.order, view.trash, groupBy, props.isTree])}
        isOld={list.isOld}
        pinned={props.pinned}
        free={props.free}
        widths={view.widths ?? NO_WIDTHS}
        store={list.store}
        groups={list.groups}
        groupBy={groupBy}
        isTree={props.isTree}
        selection={selection}
        onSelect={props.onSelect}
        order={props.order}
        onOrder={(order) => onChange({ order: order && formatOrder(order) })}
        onOrderNear={list.prefetch}
        onWidth={(column, width) => onChange({ widths: { ...view.widths, [column]: Math.round(width) } }, true)}
        onMove={(moved, target) => onChange({ columns: moveColumn(shown, moved, target) }, true)}
        onHide={(column) => onChange({ columns: shown.filter((name) => name !== column) }, true)}
        onPin={(column) => onChange({ pinned: toggle(view.pinned ?? [], column) }, true)}
        onGroup={(column) => onChange({ group: toggle(groupBy, column) })}
        onToggleOpen={list.toggleOpen}
        colors={props.colors}
      />
      <div className="runs-status" role="status">
        {list.groups && <span>{t.runs.groups(list.groups.values.length, list.groups.total_count)}</span>}
        {list.totalCount !== undefined && <span>{t.runs.count(list.totalCount)}</span>}
        {selection.size > 0 && <span>{t.runs.selected(selection.size)}</span>}
        {list.isCut && <span>{t.runs.shownOnly(list.runIds.length, list.totalCount ?? 0)}</span>}
      </div>
    </>
  );
}

const NO_WIDTHS = {};

function NoRuns({ view, onChange, experimentName }: RunsTableProps) {
  const t = useStrings();
  if (view.filter) {
    return (
      <Empty title={t.runs.nothingFound} icon={<SearchX size={36} />}>
        <p>{t.runs.nothingFoundHint}</p>
        <Button onClick={() => onChange({ filter: undefined })}>{t.runs.clearFilter}</Button>
      </Empty>
    );
  }
  if (view.trash) {
    return (
      <Empty title={t.runs.noDeleted} icon={<Trash2 size={36} />}>
        {t.runs.noDeletedHint}
      </Empty>
    );
  }
  const snippet = [
    "import mlflow",
    "",
    `mlflow.set_tracking_uri("${SERVER_URL.replace(/\/$/, "")}")`,
    `mlflow.set_experiment(${JSON.stringify(experimentName ?? "Default")})`,
    "with mlflow.start_run():",
    '    mlflow.log_param("lr", 0.01)',
    '    mlflow.log_metric("loss", 0.5)',
  ].join("\n");
  return (
    <Empty title={t.runs.noRuns} icon={<FlaskConical size={36} />}>
      <p>{t.runs.noRunsHint}</p>
      <div className="row">
        <pre className="runs-snippet">{snippet}</pre>
        <CopyButton text={snippet} what={t.runs.snippet} />
      </div>
    </Empty>
  );
}
