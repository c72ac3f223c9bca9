import { CircleHelp } from "lucide-react";
import { useEffect, useId, useRef, useState } from "react";
import { useStrings } from "../../i18n";
import { IconButton } from "../Button";
import { FilterText } from "./FilterText";

/** A button that opens what there is to know about filters, with examples to start from. */
export function FilterHelp({ examples, onChoose }: { examples: string[]; onChoose: (example: string) => void }) {
  const t = useStrings();
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isOpen) return;
    const closeOutside = (event: Event) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    const closeByKey = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      setOpen(false);
      root.current?.querySelector("button")?.focus();
    };
    document.addEventListener("pointerdown", closeOutside);
    document.addEventListener("focusin", closeOutside);
    document.addEventListener("keydown", closeByKey);
    return () => {
      document.removeEventListener("pointerdown", closeOutside);
      document.removeEventListener("focusin", closeOutside);
      document.removeEventListener("keydown", closeByKey);
    };
  }, [isOpen]);
  return (
    <div className="filter-help" ref={root}>
      <IconButton
        label={t.filter.help}
        aria-expanded={isOpen}
        aria-controls={isOpen ? id : undefined}
        onClick={() => setOpen(!isOpen)}
      >
        <CircleHelp size={15} />
      </IconButton>
      {isOpen && (
        <section id={id} className="filter-help-panel" aria-label={t.filter.helpTitle}>
          <h2>{t.filter.helpTitle}</h2>
          <p>{t.filter.helpIntro}</p>
          <p className="muted">{t.filter.examples}</p>
          <ul>
            {examples.map((example) => (
              <li key={example}>
                <button
                  type="button"
                  className="mono"
                  onClick={() => {
                    setOpen(false);
                    onChoose(example);
                  }}
                >
                  <FilterText text={example} />
                </button>
              </li>
            ))}
          </ul>
          <p className="muted">{t.filter.keys}</p>
        </section>
      )}
    </div>
  );
}
