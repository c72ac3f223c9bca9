import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { createModel } from "../../api/modelChanges";
import { FormDialog } from "../../components/Dialog";
import type { KeyValue } from "../../components/Tags";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { modelNameProblem } from "../../lib/models/names";
import { ModelNameField } from "./ModelNameField";
import { filledTags, NewTags } from "../../components/NewTags";
import { useRefreshModels } from "./refresh";

/** Create a registered model without versions, and open it. */
export function CreateModelDialog({ onClose }: { onClose: () => void }) {
  const t = useStrings();
  const id = useId();
  const navigate = useNavigate();
  const refresh = useRefreshModels();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [tags, setTags] = useState<KeyValue[]>([]);

  async function create() {
    await createModel(name, description, filledTags(tags));
    refresh();
    showToast(t.models.created(name));
    navigate({ to: "/models/$name", params: { name } });
  }

  return (
    <FormDialog
      title={t.models.newModel}
      submitLabel={t.common.create}
      canSubmit={modelNameProblem(name) === undefined}
      onClose={onClose}
      onSubmit={create}
    >
      <ModelNameField label={t.common.name} name={name} onChange={setName} />
      <div className="field">
        <label htmlFor={id}>{t.common.description}</label>
        <textarea
          id={id}
          className="input"
          value={description}
          aria-describedby={`${id}-help`}
          onChange={(event) => setDescription(event.target.value)}
        />
        <p id={`${id}-help`} className="help">
          {t.models.descriptionHelp}
        </p>
      </div>
      <NewTags tags={tags} onChange={setTags} />
    </FormDialog>
  );
}
