import { useId, useState } from "react";
import { Button } from "../../components/Button";
import { Dialog } from "../../components/Dialog";
import { useStrings } from "../../i18n";
import "./MetricsDialog.css";

interface MetricsDialogProps {
  names: string[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
  onClose: () => void;
}

/** Which metrics are columns: found by a part of their name, shown as soon as they are ticked. */
export function MetricsDialog({ names, chosen, onChange, onClose }: MetricsDialogProps) {
  const t = useStrings();
  const id = useId();
  const [text, setText] = useState("");
  const found = names.filter((name) => name.toLowerCase().includes(text.trim().toLowerCase()));
  // Columns keep the order of the names, whatever order they were ticked in.
  const toggle = (name: string, isOn: boolean) =>
    onChange(names.filter((other) => (other === name ? isOn : chosen.includes(other))));
  return (
    <Dialog
      title={t.models.chooseMetrics}
      onClose={onClose}
      actions={
        <>
          <span className="spacer" />
          <Button kind="primary" onClick={onClose}>
            {t.common.close}
          </Button>
        </>
      }
    >
      <div className="stack">
        <div className="field">
          <label htmlFor={id}>{t.models.findMetric}</label>
          <input
            id={id}
            type="search"
            className="input"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
        <div className="metrics-choice" role="group" aria-label={t.models.columns}>
          {found.map((name) => (
            <label key={name} className="checkbox">
              <input
                type="checkbox"
                checked={chosen.includes(name)}
                onChange={(event) => toggle(name, event.target.checked)}
              />
              <span>{name}</span>
            </label>
          ))}
          {found.length === 0 && <p className="muted">{t.models.noSuchMetric}</p>}
        </div>
      </div>
    </Dialog>
  );
}
