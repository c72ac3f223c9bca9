import { X } from "lucide-react";
import { type KeyboardEvent, useEffect, useId, useRef, useState } from "react";
import { IconButton } from "../../../components/Button";
import { useStrings } from "../../../i18n";
import { parseColumn } from "../../../lib/runs/columns";
import { nameOf } from "./options/base";
import "./ColumnSelect.css";

interface ColumnSelectProps {
  label: string;
  /** The column that is chosen; undefined while there is none. */
  value: string | undefined;
  columns: string[];
  onChange: (column: string | undefined) => void;
  /** Whether it may be left empty. */
  isOptional?: boolean;
  /** Whether the field empties when a column is chosen, to choose another. */
  clears?: boolean;
}

const MAX_SHOWN = 100;

/** A column chosen by typing a part of its name: arrows move in the list, Enter chooses, Escape closes it. */
export function ColumnSelect({
  label,
  value,
  columns,
  onChange,
  isOptional = false,
  clears = false,
}: ColumnSelectProps) {
  const t = useStrings();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [text, setText] = useState<string>();
  const [current, setCurrent] = useState(0);
  const isOpen = text !== undefined;
  const words = (text ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const found = columns.filter((column) => {
    const name = `${column} ${nameOf(column, t)}`.toLowerCase();
    return words.every((word) => name.includes(word));
  });
  const shown = found.slice(0, MAX_SHOWN);
  const at = Math.max(0, Math.min(current, shown.length - 1));

  useEffect(() => {
    if (isOpen) document.getElementById(`${id}-${at}`)?.scrollIntoView?.({ block: "nearest" });
  }, [isOpen, at, id]);

  function choose(column: string) {
    onChange(column);
    setText(clears ? "" : undefined);
    setCurrent(0);
  }

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!isOpen) setText("");
      else if (shown.length > 0) {
        setCurrent((at + (event.key === "ArrowDown" ? 1 : shown.length - 1)) % shown.length);
      }
    } else if (event.key === "Enter" && isOpen && shown[at]) {
      event.preventDefault();
      choose(shown[at]);
    } else if (event.key === "Escape" && isOpen) {
      // The dialog around it stays open.
      event.preventDefault();
      event.stopPropagation();
      setText(undefined);
    }
  }

  return (
    <div className="field column-select">
      <label htmlFor={id}>{label}</label>
      <div className="row">
        <input
          ref={input}
          id={id}
          className="input"
          role="combobox"
          aria-expanded={isOpen}
          aria-controls={`${id}-list`}
          aria-autocomplete="list"
          aria-activedescendant={isOpen && shown.length > 0 ? `${id}-${at}` : undefined}
          autoComplete="off"
          spellCheck={false}
          placeholder={t.plots.chooseColumn}
          value={text ?? (value === undefined ? "" : nameOf(value, t))}
          // A click, not the focus alone: the first field of a dialog has the focus from the start.
          onClick={() => !isOpen && setText("")}
          onBlur={() => setText(undefined)}
          onKeyDown={onKeyDown}
          onChange={(event) => {
            setText(event.target.value);
            setCurrent(0);
          }}
        />
        {isOptional && value !== undefined && (
          <IconButton label={`${t.plots.clear}: ${label}`} onClick={() => onChange(undefined)}>
            <X size={14} />
          </IconButton>
        )}
      </div>
      <ul id={`${id}-list`} role="listbox" aria-label={label} className="column-select-list" hidden={!isOpen}>
        {isOpen &&
          shown.map((column, index) => (
            // Its keys are those of the field that has the focus.
            // eslint-disable-next-line jsx-a11y/click-events-have-key-events
            <li
              key={column}
              id={`${id}-${index}`}
              role="option"
              aria-selected={index === at}
              className="column-select-option"
              // The field keeps the focus.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => choose(column)}
            >
              <span className="truncate">{nameOf(column, t)}</span>
              <span className="muted nowrap">{t.plots.kindWords[parseColumn(column)?.kind ?? ""]}</span>
            </li>
          ))}
      </ul>
      {isOpen && shown.length === 0 && <p className="help">{t.plots.noColumn}</p>}
      {isOpen && found.length > shown.length && (
        <p className="help">{t.plots.moreColumns(found.length - shown.length)}</p>
      )}
    </div>
  );
}
