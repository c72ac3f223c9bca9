import { useState } from "react";
import { useStrings } from "../../i18n";

const SHORT_LENGTH = 240;

/** A text that may be very long: its beginning, and all of it when asked for. */
export function LongText({ text }: { text: string }) {
  const t = useStrings();
  const [isOpen, setOpen] = useState(false);
  const isLong = text.length > SHORT_LENGTH;
  return (
    <span className="run-value">
      {isLong && !isOpen ? `${text.slice(0, SHORT_LENGTH)}… ` : text}{" "}
      {isLong && (
        <button type="button" className="run-link" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? t.run.showLess : t.run.showMore}
        </button>
      )}
    </span>
  );
}
