// The rows of the grid. Each watches its own run's cells, so that cells which come redraw their row alone.
import { ChevronDown, ChevronRight } from "lucide-react";
import {
  type CSSProperties,
  type KeyboardEvent,
  memo,
  type MouseEvent,
  type ReactNode,
  useCallback,
  useSyncExternalStore,
} from "react";
import type { RunGroups } from "../../api/schema";
import { RunStatus } from "../../components/Text";
import { useStrings } from "../../i18n";
import { runAddress } from "../../lib/addresses";
import { formatNumber } from "../../lib/format";
import { highlightedRun } from "../../lib/highlight";
import type { Cell, CellStore } from "../../lib/runs/cells";
import { type Column, isNumeric, NAME_COLUMN, parseColumn } from "../../lib/runs/columns";
import type { TableRow } from "../../lib/runs/rows";
import { CellText } from "./CellText";
import { useColumnLabel } from "./HeaderCell";

/** A column and where it is, in CSS pixels from the left of the grid. */
export interface PlacedColumn {
  column: Column;
  start: number;
  width: number;
}

interface Place {
  id: string;
  top: number;
  index: number;
  isActive: boolean;
  pinned: PlacedColumn[];
  /** Of the checkbox and what is pinned, in CSS pixels. */
  pinnedWidth: number;
  free: PlacedColumn[];
}

interface RunRowProps extends Place {
  row: Extract<TableRow, { kind: "run" }>;
  store: CellStore;
  isTree: boolean;
  isSelected: boolean;
  color: string | undefined;
  onSelect: (index: number, event: MouseEvent | KeyboardEvent) => void;
  onToggleOpen: (row: TableRow) => void;
}

export const RunRow = memo(function RunRow(props: RunRowProps) {
  const { row, store, isSelected, index, pinned, color } = props;
  const { runId } = row;
  const t = useStrings();
  const watch = useCallback((watcher: () => void) => store.watch(runId, watcher), [store, runId]);
  const cells = useSyncExternalStore(watch, () => store.row(runId));
  const isHighlighted = useSyncExternalStore(watchHighlighted, () => highlightedRun.get() === runId);
  const name = text(cells.get(NAME_COLUMN)) || runId;
  const experimentId = text(cells.get("attributes.experiment_id"));
  const canOpen = props.isTree && Number(cells.get("attributes.child_count") ?? 0) > 0;
  return (
    <Line
      {...props}
      isSelected={isSelected}
      className={isHighlighted ? "highlighted" : ""}
      onMouseEnter={() => highlightedRun.set(runId)}
      check={
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={t.runs.select(name)}
          checked={isSelected}
          onClick={(event) => props.onSelect(index, event)}
          // What changes it is the click, which knows of Shift.
          onChange={() => undefined}
        />
      }
      cell={({ column }) =>
        column.name === NAME_COLUMN ? (
          <span className="runs-grid-name" style={{ paddingLeft: row.depth * 18 }}>
            {props.isTree && <Opener canOpen={canOpen} row={row} name={name} onToggleOpen={props.onToggleOpen} />}
            {color && <span className="runs-grid-dot" style={{ background: color }} aria-hidden />}
            {cells.has("attributes.status") && <RunStatus status={text(cells.get("attributes.status"))} iconOnly />}
            {experimentId && (
              <a tabIndex={-1} className="truncate" title={name} href={runAddress(experimentId, runId)}>
                {name}
              </a>
            )}
            {!experimentId && <span className="runs-grid-waiting" />}
          </span>
        ) : (
          <CellText
            column={column}
            cell={cells.get(column.name)}
            isRunning={cells.get("attributes.status") === "RUNNING"}
            startTime={cells.get("attributes.start_time")}
          />
        )
      }
      pinned={pinned}
    />
  );
});

const watchHighlighted = (watcher: () => void) => highlightedRun.watch(watcher);

interface GroupRowProps extends Place {
  row: Extract<TableRow, { kind: "group" }>;
  groups: RunGroups | undefined;
  groupBy: string[];
  onToggleOpen: (row: TableRow) => void;
}

export const GroupRow = memo(function GroupRow({ row, groups, groupBy, ...props }: GroupRowProps) {
  const t = useStrings();
  const values = groups?.values[row.group] ?? [];
  const title = values.map((value) => value ?? t.runs.noValue).join(" · ");
  return (
    <Line
      {...props}
      className="group"
      check={null}
      cell={({ column }) => {
        if (column.name === NAME_COLUMN) {
          return (
            <span className="runs-grid-name">
              <Opener canOpen row={row} name={title} onToggleOpen={props.onToggleOpen} />
              <span className="truncate" title={title}>
                {groupBy.map((name, at) => (
                  <GroupValue key={name} name={name} value={values[at] ?? null} />
                ))}
              </span>
              <span className="muted nowrap">{t.runs.count(groups?.run_counts[row.group] ?? 0)}</span>
            </span>
          );
        }
        const aggregate = column.kind === "metrics" ? groups?.metrics[column.key] : undefined;
        const mean = aggregate?.means[row.group];
        if (aggregate === undefined || mean === null || mean === undefined) return null;
        const deviation = aggregate.deviations[row.group];
        const range = `${formatNumber(aggregate.minima[row.group], 4)} – ${formatNumber(aggregate.maxima[row.group], 4)}`;
        return (
          <span
            className="runs-grid-aggregate"
            title={t.runs.aggregate(
              formatNumber(mean),
              formatNumber(deviation),
              range,
              aggregate.counts[row.group] ?? 0,
            )}
          >
            <span className="truncate">
              {formatNumber(mean, 4)}
              {deviation !== null && deviation !== undefined && (
                <span className="muted"> ± {formatNumber(deviation, 2)}</span>
              )}
            </span>
            <span className="truncate muted">{range}</span>
          </span>
        );
      }}
    />
  );
});

function GroupValue({ name, value }: { name: string; value: string | null }) {
  const t = useStrings();
  const label = useColumnLabel(parseColumn(name) ?? { name, kind: "params", key: name });
  return (
    <>
      <span className="muted runs-grid-group-key">{label}</span> <b>{value ?? t.runs.noValue}</b>{" "}
    </>
  );
}

export function LoadingRow({ depth, ...place }: Place & { depth: number }) {
  const t = useStrings();
  return (
    <Line
      {...place}
      check={null}
      cell={({ column }) =>
        column.name === NAME_COLUMN ? (
          <span className="muted" style={{ paddingLeft: depth * 18 + 22 }}>
            {t.common.loading}
          </span>
        ) : null
      }
    />
  );
}

interface OpenerProps {
  canOpen: boolean;
  row: Extract<TableRow, { isOpen: boolean }>;
  name: string;
  onToggleOpen: (row: TableRow) => void;
}

function Opener({ canOpen, row, name, onToggleOpen }: OpenerProps) {
  const t = useStrings();
  if (!canOpen) return <span className="runs-grid-opener" />;
  return (
    <button
      type="button"
      tabIndex={-1}
      className="runs-grid-opener"
      aria-expanded={row.isOpen}
      aria-label={row.isOpen ? t.runs.closeRow(name) : t.runs.openRow(name)}
      onClick={() => onToggleOpen(row)}
    >
      {row.isOpen ? <ChevronDown size={14} /> : <ChevronRight size={14} />}
    </button>
  );
}

interface LineProps extends Place {
  className?: string;
  isSelected?: boolean;
  onMouseEnter?: () => void;
  check: ReactNode;
  cell: (placed: PlacedColumn) => ReactNode;
}

function Line({
  id,
  top,
  index,
  isActive,
  isSelected,
  className = "",
  onMouseEnter,
  check,
  pinned,
  pinnedWidth,
  free,
  cell,
}: LineProps) {
  const style: CSSProperties = { top };
  return (
    <div
      role="row"
      id={id}
      tabIndex={-1}
      aria-rowindex={index + 2}
      aria-selected={isSelected}
      className={`runs-grid-line body ${isSelected ? "selected" : ""} ${isActive ? "active" : ""} ${className}`}
      style={style}
      onMouseEnter={onMouseEnter}
      onMouseLeave={onMouseEnter && (() => highlightedRun.set(undefined))}
    >
      {/* One part that sticks, not each of its cells: what sticks is a layer of its own to the browser. */}
      <div role="presentation" className="runs-grid-pinned" style={{ width: pinnedWidth }}>
        <div role="gridcell" aria-colindex={1} className="runs-grid-cell check" style={{ left: 0, width: 36 }}>
          {check}
        </div>
        {pinned.map((placed, at) => (
          <div
            key={placed.column.name}
            role="gridcell"
            aria-colindex={at + 2}
            className={`runs-grid-cell ${isNumeric(placed.column) ? "end" : ""}`}
            style={{ left: placed.start, width: placed.width }}
          >
            {cell(placed)}
          </div>
        ))}
      </div>
      {free.map((placed) => (
        <div
          key={placed.column.name}
          role="gridcell"
          className={`runs-grid-cell ${isNumeric(placed.column) ? "end" : ""}`}
          style={{ left: placed.start, width: placed.width }}
        >
          {cell(placed)}
        </div>
      ))}
    </div>
  );
}

function text(cell: Cell | undefined): string {
  return typeof cell === "string" ? cell : "";
}
