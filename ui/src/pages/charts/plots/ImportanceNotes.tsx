import { useId } from "react";
import { useStrings } from "../../../i18n";
import { FEW_RUNS } from "../../../lib/plots/importance";
import type { ImportanceMeasure, Plot } from "../../../lib/plots/plot";
import type { Drawing } from "./options/base";
import { isImportance } from "./options/importance";

interface ImportanceNotesProps {
  plot: Plot & { kind: "importance" };
  drawing: Drawing;
  onChange: (plot: Plot) => void;
}

/** By what params are measured, and what that can and cannot tell. */
export function ImportanceNotes({ plot, drawing, onChange }: ImportanceNotesProps) {
  const t = useStrings();
  const id = useId();
  const measure = plot.measure ?? "share";
  const count = drawing.rows.length;
  return (
    <div className="plot-card-note importance-notes">
      <div className="row wrap">
        <label htmlFor={id}>{t.plots.measure}</label>
        <select
          id={id}
          className="input"
          value={measure}
          onChange={(event) => onChange({ ...plot, measure: event.target.value as ImportanceMeasure })}
        >
          {(["share", "spearman", "pearson"] as const).map((name) => (
            <option key={name} value={name}>
              {t.plots.measures[name]}
            </option>
          ))}
        </select>
      </div>
      <p className="muted">{t.plots.measureHelp[measure]}</p>
      <p className="muted">{t.plots.importanceNote(count)}</p>
      {count > 0 && count < FEW_RUNS && <p className="importance-notes-few">{t.plots.fewRuns(count)}</p>}
      {isImportance(drawing) && drawing.left > 0 && <p className="muted">{t.plots.notRanked(drawing.left)}</p>}
      {isImportance(drawing) && drawing.found === 0 && count > 0 && <p>{t.plots.nothingToRank}</p>}
    </div>
  );
}
