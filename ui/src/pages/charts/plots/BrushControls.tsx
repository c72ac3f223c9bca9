import { Button } from "../../../components/Button";
import { useStrings } from "../../../i18n";
import { type Brush, categoryIntervals, isBrushed, selectedCategories, setIntervals } from "../../../lib/plots/brush";
import type { Axis } from "../../../lib/plots/values";
import { nameOf } from "./options/base";
import "./BrushControls.css";

const MAX_WORDS = 40;

interface BrushControlsProps {
  axes: Axis[];
  brush: Brush;
  onChange: (brush: Brush) => void;
  /** How many runs are drawn, and how many of them the brush selects. */
  count: number;
  selected: number;
  onKeepOnly?: () => void;
}

/** What the pointer does on the axes, for the keyboard; and what can be done with the runs that are selected. */
export function BrushControls({ axes, brush, onChange, count, selected, onKeepOnly }: BrushControlsProps) {
  const t = useStrings();
  return (
    <div className="brush-controls">
      <div className="row wrap">
        {isBrushed(brush) ? (
          <>
            <span aria-live="polite">{t.plots.selected(selected, count)}</span>
            {onKeepOnly && selected > 0 && selected < count && (
              <Button onClick={onKeepOnly}>{t.plots.keepOnly(selected)}</Button>
            )}
            <Button onClick={() => onChange({})}>{t.plots.clearBrush}</Button>
          </>
        ) : (
          <span className="muted">{t.plots.brushHelp}</span>
        )}
      </div>
      <details>
        <summary>{t.plots.brush}</summary>
        <div className="brush-controls-axes">
          {axes.map((axis) =>
            axis.kind === "number" ? (
              <NumberRange key={axis.column} axis={axis} brush={brush} onChange={onChange} />
            ) : (
              <Words key={axis.column} axis={axis} brush={brush} onChange={onChange} />
            ),
          )}
        </div>
      </details>
    </div>
  );
}

type AxisProps = Pick<BrushControlsProps, "brush" | "onChange"> & { axis: Axis };

function NumberRange({ axis, brush, onChange }: AxisProps) {
  const t = useStrings();
  const name = nameOf(axis.column, t);
  const [from, to] = brush[axis.column]?.[0] ?? [-Infinity, Infinity];
  const set = (low: number, high: number) => {
    const isOpen = low === -Infinity && high === Infinity;
    onChange(setIntervals(brush, axis.column, isOpen ? [] : [[low, high]]));
  };
  const field = (label: string, value: number, onValue: (value: number | undefined) => void) => (
    <input
      className="input"
      type="number"
      step="any"
      aria-label={label}
      value={Number.isFinite(value) ? Number(value.toPrecision(6)) : ""}
      onChange={(event) => onValue(event.target.value === "" ? undefined : event.target.valueAsNumber)}
    />
  );
  return (
    <fieldset>
      <legend className="truncate">{name}</legend>
      <div className="row">
        {field(t.plots.from(name), from, (value) => set(value ?? -Infinity, to))}
        <span aria-hidden>–</span>
        {field(t.plots.to(name), to, (value) => set(from, value ?? Infinity))}
      </div>
    </fieldset>
  );
}

function Words({ axis, brush, onChange }: AxisProps) {
  const t = useStrings();
  const selected = selectedCategories(axis, brush);
  return (
    <fieldset>
      <legend className="truncate">{nameOf(axis.column, t)}</legend>
      <div className="brush-controls-words">
        {axis.categories.slice(0, MAX_WORDS).map((category, place) => (
          <label key={category} className="checkbox">
            <input
              type="checkbox"
              checked={selected[place]}
              onChange={(event) => {
                const next = selected.map((was, at) => (at === place ? event.target.checked : was));
                onChange(setIntervals(brush, axis.column, categoryIntervals(next)));
              }}
            />
            <span className="truncate">{category}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
