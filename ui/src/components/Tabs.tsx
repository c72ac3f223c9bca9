import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef } from "react";
import "./Tabs.css";

interface TabsProps<Name extends string> {
  label: string;
  tabs: { name: Name; label: ReactNode }[];
  current: Name;
  onChange: (name: Name) => void;
  /** What the current tab shows. */
  children: ReactNode;
}

/** Tabs and the panel of the current one; the arrow keys move between them. */
export function Tabs<Name extends string>({ label, tabs, current, onChange, children }: TabsProps<Name>) {
  const id = useId();
  const chosen = useRef<HTMLButtonElement>(null);
  // On a phone they may be more than fit. Only they are scrolled: the page stays where it is.
  useEffect(() => {
    const tab = chosen.current;
    const list = tab?.parentElement;
    if (list && list.scrollWidth > list.clientWidth) {
      list.scrollLeft = tab.offsetLeft - (list.clientWidth - tab.offsetWidth) / 2;
    }
  }, [current]);
  function onKeyDown(event: KeyboardEvent) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const at = tabs.findIndex((tab) => tab.name === current);
    const next = tabs[(at + step + tabs.length) % tabs.length]!;
    onChange(next.name);
    document.getElementById(`${id}-${next.name}`)?.focus();
  }
  return (
    <>
      {/* Its tabs take the focus, one at a time. */}
      {/* eslint-disable-next-line jsx-a11y/interactive-supports-focus */}
      <div role="tablist" aria-label={label} className="tab-list" onKeyDown={onKeyDown}>
        {tabs.map((tab) => (
          <button
            key={tab.name}
            ref={tab.name === current ? chosen : undefined}
            id={`${id}-${tab.name}`}
            type="button"
            role="tab"
            aria-selected={tab.name === current}
            aria-controls={`${id}-panel`}
            tabIndex={tab.name === current ? 0 : -1}
            onClick={() => onChange(tab.name)}
          >
            {tab.label}
          </button>
        ))}
      </div>
      <div role="tabpanel" id={`${id}-panel`} aria-labelledby={`${id}-${current}`} className="tab-panel">
        {children}
      </div>
    </>
  );
}
