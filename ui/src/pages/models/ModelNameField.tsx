import { useId } from "react";
import { useStrings } from "../../i18n";
import { modelNameProblem } from "../../lib/models/names";

interface ModelNameFieldProps {
  label: string;
  name: string;
  onChange: (name: string) => void;
  /** Said below the field while nothing is wrong with the name. */
  help?: string;
}

/** A field for a registered model's name, which says what the server would refuse. */
export function ModelNameField({ label, name, onChange, help }: ModelNameFieldProps) {
  const t = useStrings();
  const id = useId();
  const problem = name === "" ? undefined : modelNameProblem(name);
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        autoComplete="off"
        autoFocus
        required
        value={name}
        aria-invalid={problem !== undefined}
        aria-describedby={`${id}-help`}
        onChange={(event) => onChange(event.target.value)}
      />
      <div id={`${id}-help`} aria-live="polite">
        {problem ? <p className="problem">{t.models.nameProblems[problem]}</p> : help && <p className="help">{help}</p>}
      </div>
    </div>
  );
}
