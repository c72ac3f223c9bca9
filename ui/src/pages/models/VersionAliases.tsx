import { Plus, X } from "lucide-react";
import { useState } from "react";
import { deleteAlias, setAlias } from "../../api/modelChanges";
import type { ModelVersion } from "../../api/schema";
import { IconButton } from "../../components/Button";
import { showError, showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { AliasDialog } from "./AliasDialog";
import { useRefreshModels } from "./refresh";
import "./VersionAliases.css";

/** The aliases of a version, each with a cross that removes it, and a button that adds one. */
export function VersionAliases({ version: { name, version, aliases = [] } }: { version: ModelVersion }) {
  const t = useStrings();
  const refresh = useRefreshModels();
  const [isAdding, setAdding] = useState(false);

  async function remove(alias: string) {
    await deleteAlias(name, alias);
    await refresh();
    showToast(t.models.aliasRemoved(alias), { undo: () => setAlias(name, alias, version).then(refresh) });
  }

  return (
    <div className="version-aliases">
      {aliases.map((alias) => (
        <span key={alias} className="chip accent alias">
          <span className="truncate" title={alias}>
            @{alias}
          </span>
          <IconButton
            label={t.models.removeAlias(alias)}
            className="alias-remove"
            onClick={() => remove(alias).catch(showError)}
          >
            <X size={12} />
          </IconButton>
        </span>
      ))}
      <IconButton label={t.models.addAliasTo(version)} className="alias-add" onClick={() => setAdding(true)}>
        <Plus size={13} />
      </IconButton>
      {isAdding && <AliasDialog name={name} version={version} onClose={() => setAdding(false)} />}
    </div>
  );
}
