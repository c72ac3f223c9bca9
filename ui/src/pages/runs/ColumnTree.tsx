import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useRef } from "react";
import { useStrings } from "../../i18n";
import { type GroupRow, shareShown, type TreeRow } from "../../lib/columnTree";
import { NAME_COLUMN } from "../../lib/runs/columns";

interface ColumnTreeProps {
  rows: TreeRow[];
  shown: ReadonlySet<string>;
  onToggle: (columns: string[], isShown: boolean) => void;
  onOpen: (id: string, isOpen: boolean) => void;
}

const ROW_HEIGHT = 30;

/** The columns there are, in groups; only the rows in view are drawn. */
export function ColumnTree({ rows, shown, onToggle, onOpen }: ColumnTreeProps) {
  const t = useStrings();
  const scroller = useRef<HTMLDivElement>(null);
  const inView = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => `${rows[index]!.kind} ${rows[index]!.id}`,
    overscan: 8,
  });
  return (
    <div className="column-chooser-list" ref={scroller} tabIndex={-1}>
      <div style={{ height: inView.getTotalSize(), position: "relative" }}>
        {inView.getVirtualItems().map(({ key, index, start }) => {
          const row = rows[index]!;
          return (
            <div
              key={key}
              className={`column-tree-row ${row.kind}`}
              style={{ transform: `translateY(${start}px)`, paddingLeft: `${row.depth * 1.1}rem` }}
            >
              {row.kind === "group" ? (
                <Group row={row} shown={shown} onToggle={onToggle} onOpen={onOpen} />
              ) : (
                <label className="checkbox" title={row.id}>
                  <input
                    type="checkbox"
                    checked={shown.has(row.id)}
                    disabled={row.id === NAME_COLUMN}
                    aria-label={row.id}
                    onChange={(event) => onToggle([row.id], event.target.checked)}
                  />
                  <span className="truncate">
                    {row.family === "attributes" ? (t.runs.attributes[row.label] ?? row.label) : row.label}
                  </span>
                </label>
              )}
            </div>
          );
        })}
      </div>
    </div>
  );
}

interface GroupProps extends Omit<ColumnTreeProps, "rows"> {
  row: GroupRow;
}

function Group({ row, shown, onToggle, onOpen }: GroupProps) {
  const t = useStrings();
  const label = row.depth === 0 ? (t.runActions.groups[row.family] ?? row.family) : row.label;
  const count = row.columns.filter((name) => shown.has(name)).length;
  return (
    <>
      <button
        type="button"
        className="column-tree-opener"
        aria-expanded={row.isOpen}
        aria-label={row.isOpen ? t.runActions.closeGroup(label) : t.runActions.openGroup(label)}
        onClick={() => onOpen(row.id, !row.isOpen)}
      >
        {row.isOpen ? <ChevronDown size={14} /> : <ChevronRight size={14} />}
      </button>
      <GroupCheckbox columns={row.columns} shown={shown} label={label} onToggle={onToggle} />
      <span className="column-tree-count muted">{t.runActions.groupCount(count, row.columns.length)}</span>
    </>
  );
}

interface GroupCheckboxProps {
  columns: string[];
  shown: ReadonlySet<string>;
  label: string;
  onToggle: (columns: string[], isShown: boolean) => void;
}

/** Shows or hides all of some columns; it is neither on nor off where only some are shown. */
export function GroupCheckbox({ columns, shown, label, onToggle }: GroupCheckboxProps) {
  const share = shareShown(columns, shown);
  return (
    <label className="checkbox">
      <input
        type="checkbox"
        ref={(input) => {
          if (input) input.indeterminate = share === "some";
        }}
        checked={share === "all"}
        onChange={() => onToggle(columns, share !== "all")}
      />
      <span className="truncate">{label}</span>
    </label>
  );
}
