import { useState } from "react";
import { Button } from "../../../components/Button";
import { useStrings } from "../../../i18n";
import "./JsonTree.css";

const OPEN_DEPTH = 2;
const SHOWN_AT_FIRST = 200;

/** A value of JSON; objects and lists open and close. */
export function JsonTree({ name, value, depth }: { name: string | undefined; value: unknown; depth: number }) {
  const t = useStrings();
  const [shown, setShown] = useState(SHOWN_AT_FIRST);
  const [isOpen, setOpen] = useState(depth < OPEN_DEPTH);
  const label = name === undefined ? null : <span className="json-name">{name}: </span>;
  if (typeof value !== "object" || value === null) {
    return (
      <div className="json-line">
        {label}
        <span className={`json-${value === null ? "null" : typeof value}`}>{JSON.stringify(value)}</span>
      </div>
    );
  }
  const entries: [string, unknown][] = Array.isArray(value)
    ? value.map((item, at) => [String(at), item])
    : Object.entries(value);
  return (
    // What is closed has no elements, however much it holds.
    <details className="json-branch" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        {label}
        <span className="muted">
          {Array.isArray(value) ? "[ ]" : "{ }"} {t.artifacts.items(entries.length)}
        </span>
      </summary>
      {isOpen &&
        entries.slice(0, shown).map(([key, item]) => <JsonTree key={key} name={key} value={item} depth={depth + 1} />)}
      {isOpen && entries.length > shown && (
        <Button onClick={() => setShown(shown + SHOWN_AT_FIRST * 5)}>{t.common.loadMore}</Button>
      )}
    </details>
  );
}
