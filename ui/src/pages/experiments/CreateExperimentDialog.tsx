import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { FormDialog } from "../../components/Dialog";
import type { KeyValue } from "../../components/Tags";
import { useStrings } from "../../i18n";
import { filledTags, NewTags } from "../../components/NewTags";
import { useExperimentChanges } from "./changes";

/** Makes an experiment, and goes to it. */
export function CreateExperimentDialog({ onClose }: { onClose: () => void }) {
  const t = useStrings();
  const id = useId();
  const navigate = useNavigate();
  const changes = useExperimentChanges();
  const [name, setName] = useState("");
  const [location, setLocation] = useState("");
  const [tags, setTags] = useState<KeyValue[]>([]);
  async function create() {
    const experimentId = await changes.create(name.trim(), location.trim() || undefined, filledTags(tags));
    navigate({ to: "/experiments/$experimentIds", params: { experimentIds: experimentId }, search: {} });
  }
  return (
    <FormDialog
      title={t.experiments.newExperiment}
      submitLabel={t.common.create}
      canSubmit={name.trim() !== ""}
      onSubmit={create}
      onClose={onClose}
    >
      <div className="field">
        <label htmlFor={`${id}-name`}>{t.common.name}</label>
        <input
          id={`${id}-name`}
          className="input"
          autoFocus
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </div>
      <div className="field">
        <label htmlFor={`${id}-location`}>{t.experiments.artifactLocation}</label>
        <input
          id={`${id}-location`}
          className="input"
          aria-describedby={`${id}-help`}
          value={location}
          onChange={(event) => setLocation(event.target.value)}
        />
        <span id={`${id}-help`} className="help">
          {t.experiments.artifactLocationHelp}
        </span>
      </div>
      <NewTags tags={tags} onChange={setTags} />
    </FormDialog>
  );
}
