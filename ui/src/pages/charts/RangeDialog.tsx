import { useId, useState } from "react";
import { FormDialog } from "../../components/Dialog";
import { useStrings } from "../../i18n";
import type { CardSettings } from "./layout";

interface RangeDialogProps {
  name: string;
  settings: CardSettings;
  onChange: (settings: CardSettings) => void;
  onClose: () => void;
}

/** The range of y of a card, fixed by hand. */
export function RangeDialog({ name, settings, onChange, onClose }: RangeDialogProps) {
  const t = useStrings();
  const id = useId();
  const [min, setMin] = useState(settings.min === undefined ? "" : String(settings.min));
  const [max, setMax] = useState(settings.max === undefined ? "" : String(settings.max));
  const numberOf = (text: string) => (text.trim() === "" ? undefined : Number(text));
  const [low, high] = [numberOf(min), numberOf(max)];
  const isRight =
    [low, high].every((value) => value === undefined || Number.isFinite(value)) &&
    (low === undefined || high === undefined || low < high);
  return (
    <FormDialog
      title={`${t.charts.yRange} ${name}`}
      submitLabel={t.common.save}
      canSubmit={isRight}
      onClose={onClose}
      onSubmit={() => {
        onChange({ ...settings, min: low, max: high });
        return Promise.resolve();
      }}
    >
      {(
        [
          [t.charts.yMin, min, setMin],
          [t.charts.yMax, max, setMax],
        ] as const
      ).map(([label, value, set]) => (
        <div key={label} className="field">
          <label htmlFor={`${id}-${label}`}>{label}</label>
          <input
            id={`${id}-${label}`}
            className="input"
            inputMode="decimal"
            value={value}
            onChange={(event) => set(event.target.value)}
          />
        </div>
      ))}
      <span className="help muted">{t.charts.yRangeHelp}</span>
    </FormDialog>
  );
}
