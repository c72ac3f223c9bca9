import { useId, useRef, useState } from "react";
import { createModel, createVersion, setAlias } from "../../api/modelChanges";
import { FormDialog } from "../../components/Dialog";
import type { KeyValue } from "../../components/Tags";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { aliasProblem, modelNameProblem } from "../../lib/models/names";
import { runSource } from "../../lib/models/sources";
import { ModelNameField } from "./ModelNameField";
import { ModelPicker } from "./ModelPicker";
import { filledTags, NewTags } from "../../components/NewTags";
import { useRefreshModels } from "./refresh";
import "./RegisterModelDialog.css";

/** What a version is made of: a folder of a run's artifacts, or a logged model. */
export type ModelSource =
  | { kind: "run"; runId: string; path: string }
  | { kind: "logged-model"; modelId: string; name: string; runId?: string };

/** Register a model: under a new name, or as the next version of an existing one. */
export function RegisterModelDialog({ source, onClose }: { source: ModelSource; onClose: () => void }) {
  const t = useStrings();
  const id = useId();
  const refresh = useRefreshModels();
  const [isNew, setNew] = useState(true);
  const [newName, setNewName] = useState("");
  const [existing, setExisting] = useState("");
  const [description, setDescription] = useState("");
  const [tags, setTags] = useState<KeyValue[]>([]);
  const [alias, setAliasText] = useState("");
  // A model that was made before its version failed is there when it is tried again.
  const made = useRef<string>(undefined);
  const name = isNew ? newName : existing;
  const wrongAlias = alias.trim() === "" ? undefined : aliasProblem(alias.trim());
  const canSubmit = (isNew ? modelNameProblem(newName) === undefined : existing !== "") && wrongAlias === undefined;

  async function register() {
    if (isNew && made.current !== name) {
      await createModel(name, "", []);
      made.current = name;
    }
    const version = await createVersion({ name, ...originOf(source), description, tags: filledTags(tags) });
    if (alias.trim() !== "") {
      await setAlias(name, alias.trim(), version.version).catch((error: Error) =>
        showToast(t.models.aliasFailed(error.message), { kind: "bad" }),
      );
    }
    refresh();
    showToast(t.models.registered(name, version.version), {
      link: {
        label: t.models.openVersion,
        to: `/models/${encodeURIComponent(name)}/versions/${version.version}`,
      },
    });
  }

  return (
    <FormDialog
      title={t.models.register}
      submitLabel={t.models.register}
      canSubmit={canSubmit}
      onClose={onClose}
      onSubmit={register}
    >
      <p className="muted register-source">
        {t.models.registerIntro(source.kind === "run" ? runSource(source.runId, source.path) : source.name)}
      </p>
      <fieldset className="register-where">
        <legend>{t.models.registerWhere}</legend>
        <label className="checkbox">
          <input type="radio" name={`${id}-where`} checked={isNew} onChange={() => setNew(true)} />
          {t.models.asNew}
        </label>
        <label className="checkbox">
          <input type="radio" name={`${id}-where`} checked={!isNew} onChange={() => setNew(false)} />
          {t.models.asExisting}
        </label>
      </fieldset>
      {isNew ? (
        <ModelNameField label={t.models.modelName} name={newName} onChange={setNewName} />
      ) : (
        <ModelPicker name={existing} onChange={setExisting} />
      )}
      <details className="register-details">
        <summary>{t.models.versionDetails}</summary>
        <div className="stack">
          <div className="field">
            <label htmlFor={`${id}-description`}>{t.models.versionDescription}</label>
            <textarea
              id={`${id}-description`}
              className="input"
              value={description}
              onChange={(event) => setDescription(event.target.value)}
            />
          </div>
          <div className="field">
            <label htmlFor={`${id}-alias`}>{t.models.alias}</label>
            <input
              id={`${id}-alias`}
              className="input"
              autoComplete="off"
              value={alias}
              aria-invalid={wrongAlias !== undefined}
              aria-describedby={`${id}-alias-help`}
              onChange={(event) => setAliasText(event.target.value)}
            />
            <p id={`${id}-alias-help`} className={wrongAlias ? "problem" : "help"}>
              {wrongAlias ? t.models.aliasProblems[wrongAlias] : t.models.aliasHelp}
            </p>
          </div>
          <NewTags tags={tags} onChange={setTags} />
        </div>
      </details>
    </FormDialog>
  );
}

function originOf(source: ModelSource) {
  if (source.kind === "run") return { source: runSource(source.runId, source.path), runId: source.runId };
  return { source: `models:/${source.modelId}`, modelId: source.modelId, runId: source.runId || undefined };
}
