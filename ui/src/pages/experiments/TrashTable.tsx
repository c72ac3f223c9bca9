import { RotateCcw, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import { Button, IconButton } from "../../components/Button";
import { useStrings } from "../../i18n";

export interface TrashRow {
  id: string;
  name: string;
  /** What stands in the cells after the box; the first is the name. */
  cells: ReactNode[];
}

interface TrashTableProps {
  title: string;
  headings: string[];
  rows: TrashRow[];
  selected: ReadonlySet<string>;
  onSelect: (selected: ReadonlySet<string>) => void;
  onRestore: (row: TrashRow) => void;
  onPurge: (row: TrashRow) => void;
}

/** Deleted things of one kind, each to be restored or deleted for good. */
export function TrashTable(props: TrashTableProps) {
  const { title, headings, rows, selected, onSelect, onRestore, onPurge } = props;
  const t = useStrings();
  const isAll = rows.every(({ id }) => selected.has(id));
  function toggle(id: string) {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect(next);
  }
  function toggleAll() {
    const next = new Set(selected);
    for (const { id } of rows) {
      if (isAll) next.delete(id);
      else next.add(id);
    }
    onSelect(next);
  }
  return (
    <div className="card table-scroll" tabIndex={0} role="region" aria-label={title}>
      <table className="plain-table experiments-table trash-table">
        <thead>
          <tr>
            <th scope="col">
              <input
                type="checkbox"
                aria-label={`${t.experiments.selectAll}: ${title}`}
                checked={isAll}
                onChange={toggleAll}
              />
            </th>
            {headings.map((heading) => (
              <th key={heading} scope="col">
                {heading}
              </th>
            ))}
            <th scope="col">
              <span className="visually-hidden">{t.common.more}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              <td>
                <input
                  type="checkbox"
                  aria-label={t.experiments.select(row.name)}
                  checked={selected.has(row.id)}
                  onChange={() => toggle(row.id)}
                />
              </td>
              {row.cells.map((cell, at) => (
                <td key={headings[at]} className={at === 0 ? "trash-name" : undefined}>
                  {cell}
                </td>
              ))}
              <td>
                <div className="row trash-actions">
                  <Button aria-label={`${t.common.restore} ${row.name}`} onClick={() => onRestore(row)}>
                    <RotateCcw size={14} aria-hidden /> <span>{t.common.restore}</span>
                  </Button>
                  <IconButton label={`${t.common.deleteForGood}: ${row.name}`} onClick={() => onPurge(row)}>
                    <Trash2 size={15} aria-hidden />
                  </IconButton>
                </div>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
