import { useVirtualizer } from "@tanstack/react-virtual";
import { ArrowDown, ArrowUp, GripVertical, Pin, X } from "lucide-react";
import { type DragEvent, type KeyboardEvent, useLayoutEffect, useRef, useState } from "react";
import { IconButton } from "../../components/Button";
import { useStrings } from "../../i18n";
import { NAME_COLUMN } from "../../lib/runs/columns";

interface ShownColumnsProps {
  /** In their order, the pinned ones first. */
  columns: string[];
  pinned: ReadonlySet<string>;
  onMove: (from: number, to: number) => void;
  onPin: (name: string, isPinned: boolean) => void;
  onHide: (name: string) => void;
}

const ROW_HEIGHT = 34;

/** The shown columns, to be put in order: by dragging, with Alt and the arrow keys, and by buttons. */
export function ShownColumns({ columns, pinned, onMove, onPin, onHide }: ShownColumnsProps) {
  const t = useStrings();
  const scroller = useRef<HTMLUListElement>(null);
  // What was moved by keys, and which of its controls had the focus.
  const moved = useRef<{ name: string; control: string }>(undefined);
  const [dragged, setDragged] = useState<number>();
  const [over, setOver] = useState<number>();
  const [told, setTold] = useState("");
  const inView = useVirtualizer({
    count: columns.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => columns[index]!,
    overscan: 8,
  });

  useLayoutEffect(() => {
    const last = moved.current;
    if (!last) return;
    moved.current = undefined;
    const place = columns.indexOf(last.name);
    inView.scrollToIndex(place);
    // An element that is moved in the page loses the focus.
    const row = scroller.current?.querySelector<HTMLElement>(`[data-column="${CSS.escape(last.name)}"]`);
    const control = row?.querySelector<HTMLElement>(`[data-control="${last.control}"]:not(:disabled)`);
    (control ?? row)?.focus();
    setTold(t.runActions.moved(last.name, place + 1, columns.length));
  }, [columns, inView, t]);

  function move(from: number, to: number) {
    if (to < 1 || to >= columns.length) return;
    const control = document.activeElement?.getAttribute("data-control") ?? "row";
    moved.current = { name: columns[from]!, control };
    onMove(from, to);
  }
  function onKeyDown(event: KeyboardEvent, index: number) {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    if (columns[index] !== NAME_COLUMN) move(index, index + (event.key === "ArrowUp" ? -1 : 1));
  }
  function drop(event: DragEvent) {
    event.preventDefault();
    if (dragged !== undefined && over !== undefined && over > 0) onMove(dragged, over);
    setDragged(undefined);
    setOver(undefined);
  }

  return (
    <>
      <ul className="column-chooser-list" ref={scroller} onDragOver={(event) => event.preventDefault()} onDrop={drop}>
        <li aria-hidden style={{ height: inView.getTotalSize() }} />
        {inView.getVirtualItems().map(({ key, index, start }) => {
          const name = columns[index]!;
          const isFixed = name === NAME_COLUMN;
          const isPinned = pinned.has(name);
          const dot = name.indexOf(".");
          const [family, rest] = [name.slice(0, dot), name.slice(dot + 1)];
          const label = family === "attributes" ? (t.runs.attributes[rest] ?? rest) : rest;
          const edge = over === index && dragged !== undefined ? (dragged < index ? "after" : "before") : "";
          return (
            // The row itself takes the focus, so that keys can move it.
            // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
            <li
              key={key}
              className={`shown-column ${edge} ${dragged === index ? "dragged" : ""}`}
              style={{ transform: `translateY(${start}px)` }}
              data-column={name}
              data-control="row"
              tabIndex={0}
              draggable={!isFixed}
              onKeyDown={(event) => onKeyDown(event, index)}
              onDragStart={(event) => {
                event.dataTransfer.effectAllowed = "move";
                event.dataTransfer.setData("text/plain", name);
                setDragged(index);
              }}
              onDragEnter={() => dragged !== undefined && setOver(index)}
              onDragEnd={() => {
                setDragged(undefined);
                setOver(undefined);
              }}
            >
              <GripVertical size={14} aria-hidden className={isFixed ? "shown-column-fixed" : "shown-column-grip"} />
              <span className="truncate" title={name}>
                {label}
              </span>
              <span className="shown-column-family muted">
                {isFixed ? t.runActions.alwaysShown : (t.filter.kinds as Record<string, string>)[family]}
              </span>
              {!isFixed && (
                <span className="shown-column-actions">
                  <IconButton
                    label={t.runActions.moveUp(label)}
                    data-control="up"
                    disabled={index <= 1 || (!isPinned && pinned.has(columns[index - 1]!))}
                    onClick={() => move(index, index - 1)}
                  >
                    <ArrowUp size={14} />
                  </IconButton>
                  <IconButton
                    label={t.runActions.moveDown(label)}
                    data-control="down"
                    disabled={index === columns.length - 1 || (isPinned && !pinned.has(columns[index + 1]!))}
                    onClick={() => move(index, index + 1)}
                  >
                    <ArrowDown size={14} />
                  </IconButton>
                  <IconButton
                    label={t.runActions.pinColumn(label)}
                    data-control="pin"
                    aria-pressed={isPinned}
                    onClick={() => onPin(name, !isPinned)}
                  >
                    <Pin size={14} />
                  </IconButton>
                  <IconButton label={t.runActions.hideColumn(label)} data-control="hide" onClick={() => onHide(name)}>
                    <X size={14} />
                  </IconButton>
                </span>
              )}
            </li>
          );
        })}
      </ul>
      <span className="visually-hidden" role="status">
        {told}
      </span>
    </>
  );
}
