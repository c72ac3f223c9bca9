import { Search } from "lucide-react";
import { useEffect, useRef } from "react";
import { useStrings } from "../../i18n";
import type { Completion } from "../../lib/filter/complete";

interface SuggestionsProps {
  id: string;
  items: Completion[];
  /** The one that Enter takes. */
  active: number | undefined;
  onTake: (item: Completion) => void;
}

export function optionId(id: string, index: number): string {
  return `${id}-${index}`;
}

/** The list of what may be written next. The focus stays in the text box. */
export function Suggestions({ id, items, active, onTake }: SuggestionsProps) {
  const t = useStrings();
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (active === undefined) return;
    list.current?.children[active]?.scrollIntoView({ block: "nearest" });
  }, [active, items]);
  function labelOf({ kind, label }: Completion): string {
    if (kind === "name") return t.filter.nameContains(label);
    if (kind === "time") return t.filter.moments[label] ?? label;
    return kind === "duration" ? (t.filter.durations[label] ?? label) : label;
  }
  function noteOf({ kind, label, text }: Completion): string {
    if (kind === "comparator") return t.filter.comparators[label] ?? "";
    return kind === "time" || kind === "duration" ? text.replace(/AND|\s/g, "") : t.filter.kinds[kind];
  }
  return (
    <div ref={list} id={id} role="listbox" aria-label={t.filter.suggestions} className="filter-list">
      {items.map((item, index) => (
        // Keys reach the options through the text box, which holds the focus.
        // eslint-disable-next-line jsx-a11y/click-events-have-key-events
        <div
          key={`${item.kind} ${item.label}`}
          id={optionId(id, index)}
          role="option"
          tabIndex={-1}
          aria-selected={index === active}
          className={`filter-option ${item.kind}`}
          onMouseDown={(event) => event.preventDefault()}
          onClick={() => onTake(item)}
        >
          {item.kind === "name" && <Search size={13} aria-hidden />}
          <span className={`truncate ${item.kind === "name" ? "" : "mono"}`}>{labelOf(item)}</span>
          <span className="filter-option-note">{noteOf(item)}</span>
          {index === active && <kbd aria-hidden>↵</kbd>}
        </div>
      ))}
    </div>
  );
}
