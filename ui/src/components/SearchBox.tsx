import { Search } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import "./SearchBox.css";

interface SearchBoxProps {
  query: string;
  label: string;
  placeholder: string;
  hasFailed: boolean;
  onChange: (query: string) => void;
}

// As long as it takes to type the next letter, so that a word is one question.
const TYPING_PAUSE_MS = 250;

/** A field that asks when the reader pauses, and at once by Enter. */
export function SearchBox({ query, label, placeholder, hasFailed, onChange }: SearchBoxProps) {
  const [text, setText] = useState(query);
  const [shownQuery, setShownQuery] = useState(query);
  // The query can change by itself: by the back button, by a link, or by a button that clears it.
  if (query !== shownQuery) {
    setShownQuery(query);
    if (query !== text.trim()) setText(query);
  }
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const field = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const { target } = event;
      if (target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable], dialog")) return;
      event.preventDefault();
      field.current?.focus();
    };
    document.addEventListener("keydown", onKeyDown);
    return () => document.removeEventListener("keydown", onKeyDown);
  }, []);
  return (
    <div className="search-box">
      <Search size={14} aria-hidden />
      <input
        ref={field}
        type="search"
        className="input"
        aria-label={label}
        placeholder={placeholder}
        spellCheck={false}
        value={text}
        aria-invalid={hasFailed}
        onChange={(event) => {
          const typed = event.target.value;
          setText(typed);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => onChange(typed.trim()), TYPING_PAUSE_MS);
        }}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          clearTimeout(timer.current);
          onChange(text.trim());
        }}
      />
    </div>
  );
}
