import { useId, useState } from "react";
import type { Experiment } from "../../api/schema";
import { FormDialog } from "../../components/Dialog";
import { useStrings } from "../../i18n";
import { useExperimentChanges } from "./changes";

export function RenameExperimentDialog({ experiment, onClose }: { experiment: Experiment; onClose: () => void }) {
  const t = useStrings();
  const id = useId();
  const changes = useExperimentChanges();
  const [name, setName] = useState(experiment.name);
  return (
    <FormDialog
      title={t.experiments.rename}
      submitLabel={t.common.rename}
      canSubmit={name.trim() !== "" && name !== experiment.name}
      onSubmit={() => changes.rename(experiment.experiment_id, name.trim())}
      onClose={onClose}
    >
      <div className="field">
        <label htmlFor={id}>{t.experiments.newName}</label>
        <input id={id} className="input" autoFocus value={name} onChange={(event) => setName(event.target.value)} />
      </div>
    </FormDialog>
  );
}
