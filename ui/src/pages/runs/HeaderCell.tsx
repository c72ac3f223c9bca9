import { ArrowDown, ArrowUp, ChevronDown } from "lucide-react";
import { type DragEvent, memo, type PointerEvent, useEffect, useRef, useState } from "react";
import { Menu, MenuItem } from "../../components/Menu";
import { useStrings } from "../../i18n";
import { type Column, isGroupable, isNumeric, isSortable, NAME_COLUMN } from "../../lib/runs/columns";
import { nextOrder, type Order } from "../../lib/runs/scope";

const DRAG_TYPE = "application/x-runyard-column";
const WIDTH_STEP = 40;
/** Who points at a head for so long is about to press it. */
const NEAR_MS = 60;

interface HeaderCellProps {
  column: Column;
  start: number;
  width: number;
  index: number;
  isPinned: boolean;
  order: Order | undefined;
  groupBy: string[];
  onOrder: (order: Order | undefined) => void;
  /** The reader points at what would sort so. */
  onOrderNear: (order: Order | undefined) => void;
  onWidth: (column: string, width: number) => void;
  /** While the edge is dragged; `onWidth` follows when it is let go. */
  onDragWidth: (column: string, width: number) => void;
  onMove: (moved: string, target: string) => void;
  onHide: (column: string) => void;
  onPin: (column: string) => void;
  onGroup: (column: string) => void;
}

/** The head of a column: a click sorts, the edge resizes, dragging moves, and its menu does all of that by keyboard. */
export const HeaderCell = memo(function HeaderCell(props: HeaderCellProps) {
  const { column, start, width, index, isPinned, order } = props;
  const t = useStrings();
  const [isTarget, setTarget] = useState(false);
  const label = useColumnLabel(column);
  const isSorted = order?.column === column.name;
  const canSort = isSortable(column);
  const isName = column.name === NAME_COLUMN;
  const nearing = useRef<ReturnType<typeof setTimeout>>(undefined);
  const leave = () => clearTimeout(nearing.current);
  useEffect(() => leave, []);

  function resize(event: PointerEvent<HTMLDivElement>) {
    event.preventDefault();
    const handle = event.currentTarget;
    const from = event.clientX;
    handle.setPointerCapture(event.pointerId);
    const widthAt = (moved: globalThis.PointerEvent) => width + moved.clientX - from;
    const move = (moved: globalThis.PointerEvent) => props.onDragWidth(column.name, widthAt(moved));
    const end = (moved: globalThis.PointerEvent) => {
      handle.removeEventListener("pointermove", move);
      props.onWidth(column.name, widthAt(moved));
    };
    handle.addEventListener("pointermove", move);
    handle.addEventListener("pointerup", end, { once: true });
  }

  const drag = isName
    ? {}
    : {
        draggable: true,
        onDragStart: (event: DragEvent) => event.dataTransfer.setData(DRAG_TYPE, column.name),
        onDragOver: (event: DragEvent) => {
          if (!event.dataTransfer.types.includes(DRAG_TYPE)) return;
          event.preventDefault();
          setTarget(true);
        },
        onDragLeave: () => setTarget(false),
        onDrop: (event: DragEvent) => {
          setTarget(false);
          props.onMove(event.dataTransfer.getData(DRAG_TYPE), column.name);
        },
      };
  return (
    <div
      role="columnheader"
      aria-colindex={index}
      aria-sort={isSorted ? (order.descending ? "descending" : "ascending") : canSort ? "none" : undefined}
      className={`runs-grid-cell head ${isNumeric(column) ? "end" : ""} ${isTarget ? "target" : ""}`}
      style={{ left: start, width }}
      {...drag}
    >
      <button
        type="button"
        className="runs-grid-sort"
        title={column.name}
        disabled={!canSort}
        onPointerEnter={() => {
          nearing.current = setTimeout(() => props.onOrderNear(nextOrder(order, column)), NEAR_MS);
        }}
        onPointerLeave={leave}
        onClick={() => props.onOrder(nextOrder(order, column))}
      >
        {column.kind !== "attributes" && <span className={`runs-grid-kind ${column.kind}`} aria-hidden />}
        <span className="truncate">{label}</span>
        {isSorted && (order.descending ? <ArrowDown size={13} aria-hidden /> : <ArrowUp size={13} aria-hidden />)}
      </button>
      <Menu button={<ChevronDown size={13} />} label={t.runs.columnMenu(label)} buttonClass="icon-button" align="end">
        {canSort && (
          <>
            <MenuItem onSelect={() => props.onOrder({ column: column.name, descending: false })}>
              {t.runs.sortAscending}
            </MenuItem>
            <MenuItem onSelect={() => props.onOrder({ column: column.name, descending: true })}>
              {t.runs.sortDescending}
            </MenuItem>
          </>
        )}
        {isGroupable(column) && (
          <MenuItem checked={props.groupBy.includes(column.name)} onSelect={() => props.onGroup(column.name)}>
            {t.runs.groupByThis}
          </MenuItem>
        )}
        <hr />
        <MenuItem onSelect={() => props.onWidth(column.name, width + WIDTH_STEP)}>{t.runs.wider}</MenuItem>
        <MenuItem onSelect={() => props.onWidth(column.name, width - WIDTH_STEP)}>{t.runs.narrower}</MenuItem>
        {!isName && (
          <>
            <hr />
            <MenuItem checked={isPinned} onSelect={() => props.onPin(column.name)}>
              {t.runs.pin}
            </MenuItem>
            <MenuItem onSelect={() => props.onHide(column.name)}>{t.runs.hide}</MenuItem>
          </>
        )}
      </Menu>
      <div className="runs-grid-edge" aria-hidden onPointerDown={resize} />
    </div>
  );
});

/** What a column is called: its key, or an attribute's word. */
export function useColumnLabel(column: Column): string {
  const t = useStrings();
  return column.kind === "attributes" ? (t.runs.attributes[column.key] ?? column.key) : column.key;
}
