import { Boxes, FlaskConical, SquareChartGantt, Zap } from "lucide-react";
import { type Item, marked } from "../../lib/palette";

const ICONS = { experiment: FlaskConical, run: SquareChartGantt, model: Boxes, action: Zap };

interface PaletteOptionProps {
  item: Item;
  id: string;
  query: string;
  isActive: boolean;
  onPoint: () => void;
  onTake: (inNewTab: boolean) => void;
}

/** One of the things that can be opened. The focus stays in the text box. */
export function PaletteOption({ item, id, query, isActive, onPoint, onTake }: PaletteOptionProps) {
  const Icon = ICONS[item.kind];
  return (
    // Keys reach the options through the text box, which holds the focus.
    // eslint-disable-next-line jsx-a11y/click-events-have-key-events
    <div
      id={id}
      role="option"
      tabIndex={-1}
      aria-selected={isActive}
      className="palette-option"
      onMouseDown={(event) => event.preventDefault()}
      onMouseMove={() => !isActive && onPoint()}
      onClick={(event) => onTake(event.ctrlKey || event.metaKey)}
      onAuxClick={(event) => event.button === 1 && onTake(true)}
    >
      <Icon size={14} aria-hidden />
      <span className="palette-label truncate">
        {marked(item.label, query).map(({ text, isMatch }, at) =>
          isMatch ? <mark key={at}>{text}</mark> : <span key={at}>{text}</span>,
        )}
      </span>
      {item.note && <span className="palette-note truncate">{item.note}</span>}
      {isActive && <kbd aria-hidden>↵</kbd>}
    </div>
  );
}
