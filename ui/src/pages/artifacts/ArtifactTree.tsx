import { useVirtualizer } from "@tanstack/react-virtual";
import { ChevronDown, ChevronRight, File, Folder } from "lucide-react";
import { type KeyboardEvent, useRef, useState } from "react";
import { useStrings } from "../../i18n";
import type { TreeRow } from "../../lib/artifacts/tree";
import { formatSize } from "../../lib/format";

const ROW_HEIGHT = 28;

interface ArtifactTreeProps {
  rows: TreeRow[];
  chosen: string;
  onChoose: (path: string) => void;
  onToggle: (folder: string) => void;
}

/** Files and folders. Up and down move, right and left open and close, Enter shows; letters go to a name. */
export function ArtifactTree({ rows, chosen, onChoose, onToggle }: ArtifactTreeProps) {
  const t = useStrings();
  const scroller = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState<string>();
  const at = Math.max(
    0,
    rows.findIndex(({ path }) => path === (active ?? chosen)),
  );
  const view = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_HEIGHT,
    getItemKey: (index) => rows[index]!.path,
    overscan: 10,
  });
  function move(index: number) {
    const row = rows[Math.min(rows.length - 1, Math.max(0, index))];
    if (row === undefined) return;
    setActive(row.path);
    view.scrollToIndex(rows.indexOf(row));
  }
  function onKeyDown(event: KeyboardEvent) {
    const row = rows[at];
    if (row === undefined) return;
    if (event.key === "ArrowDown") move(at + 1);
    else if (event.key === "ArrowUp") move(at - 1);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(rows.length - 1);
    else if (event.key === "ArrowRight") {
      if (row.isFolder && !row.isOpen) onToggle(row.path);
      else move(at + 1);
    } else if (event.key === "ArrowLeft") {
      if (row.isOpen) onToggle(row.path);
      else move(rows.findLastIndex(({ depth }, index) => index < at && depth < row.depth));
    } else if (event.key === "Enter" || event.key === " ") onChoose(row.path);
    else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey) {
      const letter = event.key.toLowerCase();
      const next = [...rows.slice(at + 1), ...rows.slice(0, at + 1)].find(({ name }) =>
        name.toLowerCase().startsWith(letter),
      );
      if (next) move(rows.indexOf(next));
    } else return;
    event.preventDefault();
  }
  return (
    <div
      ref={scroller}
      role="tree"
      tabIndex={0}
      aria-label={t.artifacts.tree}
      aria-activedescendant={rows[at] ? rowId(at) : undefined}
      className="artifact-tree"
      onKeyDown={onKeyDown}
    >
      <div role="presentation" style={{ height: view.getTotalSize() }}>
        {view.getVirtualItems().map(({ index, start, key }) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            // The tree has the focus, and the keys.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <div
              key={key}
              id={rowId(index)}
              role="treeitem"
              tabIndex={-1}
              aria-level={row.depth + 1}
              aria-expanded={row.isFolder ? row.isOpen : undefined}
              aria-selected={row.path === chosen}
              className={`artifact-row ${index === at ? "active" : ""}`}
              style={{ transform: `translateY(${start}px)`, paddingLeft: 6 + row.depth * 16 }}
              title={row.path}
              onClick={() => {
                setActive(row.path);
                if (row.isFolder) onToggle(row.path);
                onChoose(row.path);
              }}
            >
              <span className="artifact-opener" aria-hidden>
                {row.isFolder && (row.isOpen ? <ChevronDown size={14} /> : <ChevronRight size={14} />)}
              </span>
              {row.isFolder ? <Folder size={14} aria-hidden /> : <File size={14} aria-hidden />}
              <span className="truncate">{row.name}</span>
              {row.sizeBytes !== undefined && <span className="artifact-size">{formatSize(row.sizeBytes)}</span>}
            </div>
          );
        })}
      </div>
    </div>
  );
}

function rowId(index: number): string {
  return `artifact-${index}`;
}
