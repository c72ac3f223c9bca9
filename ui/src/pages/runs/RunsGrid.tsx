import { useNavigate } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  type MouseEvent,
  type RefObject,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { RunGroups } from "../../api/schema";
import { useStrings } from "../../i18n";
import type { CellStore } from "../../lib/runs/cells";
import { useIsNarrow } from "../../lib/narrow";
import { type Column, widthOf } from "../../lib/runs/columns";
import { blockOf, type TableRow } from "../../lib/runs/rows";
import type { Order } from "../../lib/runs/scope";
import { extended, keptScroll, type Selection, toggled } from "../../lib/runs/selection";
import { HeaderCell } from "./HeaderCell";
import { GroupRow, LoadingRow, type PlacedColumn, RunRow } from "./rows";
import "./RunsGrid.css";

export const ROW_HEIGHT = 32;
const HEADER_HEIGHT = 34;
const CHECKBOX_WIDTH = 36;
/** On a phone, what is pinned must leave room for the rest. */
const NARROW_WIDTH = 150;
const OVERSCAN_ROWS = 5;
const OVERSCAN_COLUMNS = 2;
/** Cells are read by blocks of so many rows and columns: scrolling asks for one now and then, not for each row. */
const BLOCK_ROWS = 40;
const BLOCK_COLUMNS = 12;
/** What each run's row needs beside the columns: its status, and where its page is. */
const ROW_COLUMNS = ["attributes.status", "attributes.experiment_id"];

interface RunsGridProps {
  rows: TableRow[];
  /** Names the search whose rows these are: another one begins at its top. */
  listKey: string;
  /** The rows are of the search before; those of this one are on their way. */
  isOld: boolean;
  pinned: Column[];
  free: Column[];
  widths: Record<string, number>;
  store: CellStore;
  groups: RunGroups | undefined;
  groupBy: string[];
  isTree: boolean;
  selection: Selection;
  onSelect: (selection: Selection) => void;
  order: Order | undefined;
  onOrder: (order: Order | undefined) => void;
  /** The reader points at what would sort so. */
  onOrderNear: (order: Order | undefined) => void;
  onWidth: (column: string, width: number) => void;
  onMove: (moved: string, target: string) => void;
  onHide: (column: string) => void;
  onPin: (column: string) => void;
  onGroup: (column: string) => void;
  onToggleOpen: (row: TableRow) => void;
  /** The colours of the runs that are in the charts. */
  colors: ReadonlyMap<string, string>;
}

/**
 * The runs as a grid. Only the rows and columns in view are drawn, and only their cells are read.
 *
 * Keys: arrows move, Space selects, Shift extends, Right and Left open and close, Enter goes to the run.
 */
export function RunsGrid(props: RunsGridProps) {
  const { rows, pinned, free, store, selection, onSelect, isTree } = props;
  // While an edge is dragged, the width is this grid's alone.
  const [dragged, setDragged] = useState<Record<string, number>>({});
  const widths = useMemo(() => ({ ...props.widths, ...dragged }), [props.widths, dragged]);
  const onDragWidth = useCallback((column: string, width: number) => setDragged({ [column]: width }), []);
  const isGrouped = props.groupBy.length > 0;
  const t = useStrings();
  const navigate = useNavigate();
  const isNarrow = useIsNarrow();
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const anchor = useRef(0);

  const pinnedColumns = useMemo(() => {
    let start = CHECKBOX_WIDTH;
    return pinned.map((column): PlacedColumn => {
      const width = widthOf(column, widths, isGrouped);
      const placed = { column, start, width: isNarrow ? Math.min(width, NARROW_WIDTH) : width };
      start += placed.width;
      return placed;
    });
  }, [pinned, widths, isNarrow, isGrouped]);
  const pinnedWidth = pinnedColumns.reduce((sum, { width }) => sum + width, CHECKBOX_WIDTH);

  // The same functions from one drawing to the next: new ones make the virtualizer lay out all 100,000 rows anew.
  const rowKey = useCallback((index: number) => rows[index]!.key, [rows]);
  const columnKey = useCallback((index: number) => free[index]!.name, [free]);
  const rowsInView = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: rowKey,
    overscan: OVERSCAN_ROWS,
    scrollMargin: HEADER_HEIGHT,
    scrollPaddingStart: HEADER_HEIGHT,
  });
  const columnsInView = useVirtualizer({
    horizontal: true,
    count: free.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => widthOf(free[index]!, widths, isGrouped),
    getItemKey: columnKey,
    overscan: OVERSCAN_COLUMNS,
    paddingStart: pinnedWidth,
    scrollPaddingStart: pinnedWidth,
  });
  // Widths are measured once; a change of them, or of the columns, is a new layout.
  useEffect(() => columnsInView.measure(), [columnsInView, free, widths, pinnedWidth, isGrouped]);

  const freeItems = columnsInView.getVirtualItems();
  const freeKey = freeItems.map(({ key, start, size }) => `${String(key)} ${start} ${size}`).join("|");
  const freeColumns = useMemo(
    () =>
      freeItems.flatMap(({ index, start, size }): PlacedColumn[] =>
        free[index] ? [{ column: free[index], start, width: size }] : [],
      ),
    // The items are new objects each time; what they say is in the key.
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [freeKey, free],
  );
  const totalWidth = columnsInView.getTotalSize();
  const rowItems = rowsInView.getVirtualItems();

  const wantedRows = useBlock(rowItems, BLOCK_ROWS, rows);
  const wantedColumns = useBlock(freeItems, BLOCK_COLUMNS, free);
  useEffect(() => {
    const runIds = wantedRows.flatMap((row) => (row.kind === "run" ? [row.runId] : []));
    const columns = [...pinnedColumns.map(({ column }) => column), ...wantedColumns].map(({ name }) => name);
    store.want(runIds, [...ROW_COLUMNS, ...(isTree ? ["attributes.child_count"] : []), ...columns]);
  }, [store, wantedRows, pinnedColumns, wantedColumns, isTree]);

  useKeptScroll(scroller, rows, props.listKey);

  const runIds = useMemo(() => rows.map((row) => (row.kind === "run" ? row.runId : undefined)), [rows]);
  // Groups themselves cannot be selected, the runs that are open below them can.
  const selectable = useMemo(() => runIds.filter((runId) => runId !== undefined), [runIds]);
  const select = useCallback(
    (index: number, event: MouseEvent | KeyboardEvent) => {
      const runId = runIds[index];
      if (runId === undefined) return;
      onSelect(event.shiftKey ? extended(selection, runIds, anchor.current, index) : toggled(selection, runId));
      if (!event.shiftKey) anchor.current = index;
      setActive(index);
    },
    [runIds, selection, onSelect],
  );

  function onKeyDown(event: KeyboardEvent<HTMLDivElement>) {
    // Keys in the header are its buttons' and menus'.
    if (event.target !== event.currentTarget) return;
    const row = rows[active];
    const pageRows = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 0) / ROW_HEIGHT) - 2);
    const steps: Record<string, number> = {
      ArrowDown: 1,
      ArrowUp: -1,
      PageDown: pageRows,
      PageUp: -pageRows,
      Home: -rows.length,
      End: rows.length,
    };
    if (event.key in steps) {
      const next = Math.min(rows.length - 1, Math.max(0, active + steps[event.key]!));
      if (event.shiftKey) onSelect(extended(selection, runIds, anchor.current, next));
      setActive(next);
      rowsInView.scrollToIndex(next);
    } else if (event.key === " ") {
      select(active, event);
    } else if (event.key === "Enter" && row?.kind === "run") {
      const experimentId = store.row(row.runId).get("attributes.experiment_id") as string | undefined;
      if (experimentId === undefined) return;
      navigate({
        to: "/experiments/$experimentId/runs/$runId",
        params: { experimentId, runId: row.runId },
      });
    } else if ((event.key === "ArrowRight" || event.key === "ArrowLeft") && row) {
      const isOpening = event.key === "ArrowRight";
      const canOpen = row.kind === "group" || (row.kind === "run" && isTree && hasChildren(store, row.runId));
      if (canOpen && row.isOpen !== isOpening) props.onToggleOpen(row);
      else scroller.current?.scrollBy({ left: isOpening ? 160 : -160 });
    } else if (event.key.toLowerCase() === "a" && (event.ctrlKey || event.metaKey)) {
      onSelect(new Set(selectable));
    } else if (event.key === "Escape") {
      onSelect(new Set());
    } else {
      return;
    }
    event.preventDefault();
  }

  const isAllSelected = selectable.length > 0 && selectable.every((runId) => selection.has(runId));
  const headerProps = {
    order: props.order,
    onOrder: props.onOrder,
    onOrderNear: props.onOrderNear,
    onWidth: props.onWidth,
    onDragWidth,
    onMove: props.onMove,
    onHide: props.onHide,
    onPin: props.onPin,
    onGroup: props.onGroup,
    groupBy: props.groupBy,
  };
  return (
    <div
      ref={scroller}
      className={`runs-grid ${props.isOld ? "old" : ""}`}
      role="grid"
      tabIndex={0}
      aria-label={t.runs.title}
      aria-rowcount={rows.length + 1}
      aria-colcount={pinned.length + free.length + 1}
      aria-multiselectable
      aria-activedescendant={rows[active] ? rowId(rows[active].key) : undefined}
      onKeyDown={onKeyDown}
    >
      <div role="rowgroup" className="runs-grid-header" style={{ width: totalWidth, height: HEADER_HEIGHT }}>
        <div role="row" aria-rowindex={1} className="runs-grid-line">
          <div role="presentation" className="runs-grid-pinned" style={{ width: pinnedWidth }}>
            <div role="columnheader" className="runs-grid-cell check" style={{ left: 0, width: CHECKBOX_WIDTH }}>
              <input
                type="checkbox"
                aria-label={t.runs.selectAll}
                checked={isAllSelected}
                disabled={selectable.length === 0}
                onChange={() => onSelect(new Set(isAllSelected ? [] : selectable))}
              />
            </div>
            {pinnedColumns.map((placed, at) => (
              <HeaderCell key={placed.column.name} {...placed} {...headerProps} index={at + 2} isPinned />
            ))}
          </div>
          {freeColumns.map((placed) => (
            <HeaderCell
              key={placed.column.name}
              {...placed}
              {...headerProps}
              index={pinned.length + 2 + free.indexOf(placed.column)}
              isPinned={false}
            />
          ))}
        </div>
      </div>
      <div role="rowgroup" className="runs-grid-body" style={{ width: totalWidth, height: rowsInView.getTotalSize() }}>
        {rowItems.map(({ index, start, key }) => {
          const row = rows[index];
          if (row === undefined) return null;
          const place = {
            id: rowId(row.key),
            top: start - HEADER_HEIGHT,
            index,
            isActive: index === active,
            pinned: pinnedColumns,
            pinnedWidth,
            free: freeColumns,
          };
          if (row.kind === "loading") return <LoadingRow key={key} {...place} depth={row.depth} />;
          if (row.kind === "group") {
            return (
              <GroupRow
                key={key}
                {...place}
                row={row}
                groups={props.groups}
                groupBy={props.groupBy}
                onToggleOpen={props.onToggleOpen}
              />
            );
          }
          return (
            <RunRow
              key={key}
              {...place}
              row={row}
              store={store}
              isTree={isTree}
              isSelected={selection.has(row.runId)}
              color={props.colors.get(row.runId)}
              onSelect={select}
              onToggleOpen={props.onToggleOpen}
            />
          );
        })}
      </div>
    </div>
  );
}

export function hasChildren(store: CellStore, runId: string): boolean {
  return Number(store.row(runId).get("attributes.child_count") ?? 0) > 0;
}

/** The items of the whole blocks that hold what is in view; the same array while these are the same. */
function useBlock<Item>(inView: readonly { index: number }[], size: number, items: readonly Item[]): readonly Item[] {
  const { first, last } = blockOf(inView[0]?.index ?? 0, inView.at(-1)?.index ?? -1, size);
  return useMemo(() => items.slice(first, last), [items, first, last]);
}

function rowId(key: string): string {
  return `row-${key.replace(/\W/g, "-")}`;
}

/** When the list changes above what is in view, scroll by as much, so that what is being read stays where it is. */
function useKeptScroll(scroller: RefObject<HTMLDivElement | null>, rows: TableRow[], listKey: string) {
  const before = useRef({ rows, listKey });
  useLayoutEffect(() => {
    const element = scroller.current;
    const old = before.current;
    before.current = { rows, listKey };
    if (element === null || old.rows === rows) return;
    if (old.listKey !== listKey) {
      element.scrollTo({ top: 0 });
      return;
    }
    if (element.scrollTop < ROW_HEIGHT) return;
    const at = Math.floor(element.scrollTop / ROW_HEIGHT);
    const anchor = old.rows[at];
    if (anchor === undefined || rows[at]?.key === anchor.key) return;
    const keys = rows.map(({ key }) => key);
    const kept = keptScroll(anchor.key, at * ROW_HEIGHT - element.scrollTop, keys, ROW_HEIGHT);
    if (kept !== undefined) element.scrollTo({ top: kept });
  }, [scroller, rows, listKey]);
}
