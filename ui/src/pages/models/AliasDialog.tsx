import { useQuery } from "@tanstack/react-query";
import { useId, useState } from "react";
import { deleteAlias, setAlias } from "../../api/modelChanges";
import { registeredModelQuery } from "../../api/models";
import { FormDialog } from "../../components/Dialog";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { aliasProblem } from "../../lib/models/names";
import { useRefreshModels } from "./refresh";

/** Give a version an alias: a new one, or one that leaves another version. */
export function AliasDialog({ name, version, onClose }: { name: string; version: string; onClose: () => void }) {
  const t = useStrings();
  const id = useId();
  const refresh = useRefreshModels();
  const [text, setText] = useState("");
  const model = useQuery(registeredModelQuery(name));
  const known = model.data?.aliases ?? [];
  const alias = text.trim();
  const problem = aliasProblem(alias);
  const holder = known.find((other) => other.alias === alias)?.version;

  async function save() {
    await setAlias(name, alias, version);
    await refresh();
    showToast(t.models.aliasSet(alias, version), {
      undo: () => (holder ? setAlias(name, alias, holder) : deleteAlias(name, alias)).then(refresh),
    });
  }

  return (
    <FormDialog
      title={t.models.addAliasTo(version)}
      submitLabel={t.common.save}
      canSubmit={problem === undefined && holder !== version}
      onClose={onClose}
      onSubmit={save}
    >
      <div className="field">
        <label htmlFor={id}>{t.models.alias}</label>
        <input
          id={id}
          className="input"
          list={`${id}-known`}
          autoComplete="off"
          autoFocus
          value={text}
          aria-invalid={alias !== "" && problem !== undefined}
          aria-describedby={`${id}-help`}
          onChange={(event) => setText(event.target.value)}
        />
        <datalist id={`${id}-known`}>
          {known
            .filter((other) => other.version !== version)
            .map((other) => (
              <option key={other.alias} value={other.alias}>
                {t.models.versionNumber(other.version)}
              </option>
            ))}
        </datalist>
        <div id={`${id}-help`} aria-live="polite">
          {alias !== "" && problem ? (
            <p className="problem">{t.models.aliasProblems[problem]}</p>
          ) : holder === version ? (
            <p className="help">{t.models.aliasHere(alias)}</p>
          ) : holder ? (
            <p className="help">{t.models.aliasMoves(alias, holder)}</p>
          ) : (
            <p className="help">{t.models.aliasHelp}</p>
          )}
        </div>
      </div>
    </FormDialog>
  );
}
