import { Search } from "lucide-react";
import { useDeferredValue, useMemo, useState } from "react";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { useStrings } from "../../i18n";
import {
  allColumns,
  type AvailableColumns,
  findColumns,
  moveColumn,
  pinnedFirst,
  setShown,
  treeRows,
} from "../../lib/columnTree";
import { NAME_COLUMN } from "../../lib/runs/columns";
import { ColumnTree, GroupCheckbox } from "./ColumnTree";
import { ShownColumns } from "./ShownColumns";
import "./ColumnChooser.css";

interface ColumnChooserProps {
  available: AvailableColumns;
  /** "metrics.loss" …, in their order. */
  shown: string[];
  pinned: string[];
  onChange: (shown: string[], pinned: string[]) => void;
  onClose: () => void;
}

/** What clients and machines log by themselves is not what most look for. */
const CLOSED_AT_FIRST = ["metrics.system/", "tags.mlflow."];

/** Choose the columns of the table, their order and which of them stay in view. What is chosen holds at once. */
export function ColumnChooser({ available, shown, pinned, onChange, onClose }: ColumnChooserProps) {
  const t = useStrings();
  const [search, setSearch] = useState("");
  const sought = useDeferredValue(search).trim();
  const [closed, setClosed] = useState<ReadonlySet<string>>(new Set(CLOSED_AT_FIRST));
  const found = useMemo(
    () => findColumns(available, sought, t.runs.attributes),
    [available, sought, t.runs.attributes],
  );
  const foundColumns = useMemo(() => allColumns(found), [found]);
  // A search opens what it finds something in.
  const rows = useMemo(() => treeRows(found, (id) => sought === "" && closed.has(id)), [found, sought, closed]);
  const pinnedSet = useMemo(() => new Set([NAME_COLUMN, ...pinned]), [pinned]);
  const ordered = useMemo(() => pinnedFirst([...new Set([NAME_COLUMN, ...shown])], pinnedSet), [shown, pinnedSet]);
  const shownSet = useMemo(() => new Set(ordered), [ordered]);

  function change(next: string[], nextPinned: ReadonlySet<string> = pinnedSet) {
    const isShown = new Set(next);
    onChange(
      pinnedFirst(next, nextPinned),
      next.filter((name) => name !== NAME_COLUMN && nextPinned.has(name) && isShown.has(name)),
    );
  }
  function toggle(columns: string[], isShown: boolean) {
    const movable = columns.filter((name) => name !== NAME_COLUMN);
    change(setShown(ordered, movable, isShown));
  }

  return (
    <Dialog
      wide
      title={t.runActions.columnsTitle}
      onClose={onClose}
      actions={
        <>
          <Button disabled={ordered.length === 1} onClick={() => change([NAME_COLUMN])}>
            {t.runActions.hideAll}
          </Button>
          <span className="spacer" />
          <Button kind="primary" onClick={onClose}>
            {t.runActions.doneButton}
          </Button>
        </>
      }
    >
      <div className="column-chooser">
        <section aria-label={t.runActions.availableColumns}>
          <div className="column-chooser-search">
            <Search size={14} aria-hidden />
            <input
              className="input"
              type="search"
              placeholder={t.runActions.searchColumns}
              aria-label={t.runActions.searchColumns}
              autoComplete="off"
              value={search}
              onChange={(event) => setSearch(event.target.value)}
            />
          </div>
          <div className="column-chooser-found" role="status">
            {sought !== "" && foundColumns.length === 0 && (
              <span className="muted">{t.runActions.noneFound(sought)}</span>
            )}
            {sought !== "" && foundColumns.length > 0 && (
              <GroupCheckbox
                columns={foundColumns}
                shown={shownSet}
                label={t.runActions.allFound(foundColumns.length)}
                onToggle={toggle}
              />
            )}
          </div>
          <ColumnTree
            rows={rows}
            shown={shownSet}
            onToggle={toggle}
            onOpen={(id, isOpen) => {
              const next = new Set(closed);
              if (isOpen) next.delete(id);
              else next.add(id);
              setClosed(next);
            }}
          />
        </section>
        <section aria-labelledby="column-chooser-shown">
          <h3 id="column-chooser-shown">{t.runActions.shownColumns(ordered.length)}</h3>
          <p className="column-chooser-help muted">{t.runActions.reorderHelp}</p>
          <ShownColumns
            columns={ordered}
            pinned={pinnedSet}
            onMove={(from, to) => change(moveColumn(ordered, pinnedSet, from, to, 1))}
            onPin={(name, isPinned) => {
              const next = new Set(pinnedSet);
              if (isPinned) next.add(name);
              else next.delete(name);
              change(ordered, next);
            }}
            onHide={(name) => toggle([name], false)}
          />
        </section>
      </div>
    </Dialog>
  );
}
