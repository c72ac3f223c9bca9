import { Plus, X } from "lucide-react";
import { useState } from "react";
import { useStrings } from "../i18n";
import { Button, IconButton } from "./Button";
import { FormDialog } from "./Dialog";
import { showError } from "./Toasts";
import "./Tags.css";

export interface KeyValue {
  key: string;
  value: string;
}

/** Tags that clients keep for themselves, which say nothing to people as they are. */
export function isOwnTag(key: string): boolean {
  return key.startsWith("mlflow.") || key.startsWith("runyard.");
}

interface TagsProps {
  tags: KeyValue[];
  /** Sets a tag, and removes one; without them the tags are only shown. */
  onSet?: (key: string, value: string) => Promise<unknown>;
  onRemove?: (key: string) => Promise<unknown>;
}

/** Tags as chips: a click edits one, a cross removes it. */
export function Tags({ tags, onSet, onRemove }: TagsProps) {
  const t = useStrings();
  const [edited, setEdited] = useState<KeyValue & { isNew: boolean }>();
  const shown = tags.filter(({ key }) => !isOwnTag(key));
  return (
    <div className="tags">
      {shown.length === 0 && !onSet && <span className="muted">{t.common.noTags}</span>}
      {shown.map(({ key, value }) => (
        <span key={key} className="chip tag">
          {onSet ? (
            <button
              type="button"
              className="tag-text truncate"
              aria-label={`${key} ${value}: ${t.common.editTag(key)}`}
              title={`${key}: ${value}`}
              onClick={() => setEdited({ key, value, isNew: false })}
            >
              <TagText tag={{ key, value }} />
            </button>
          ) : (
            <span className="truncate" title={`${key}: ${value}`}>
              <TagText tag={{ key, value }} />
            </span>
          )}
          {onRemove && (
            <IconButton
              label={t.common.removeTag(key)}
              className="tag-remove"
              onClick={() => onRemove(key).catch(showError)}
            >
              <X size={12} />
            </IconButton>
          )}
        </span>
      ))}
      {onSet && (
        <Button className="tag-add" onClick={() => setEdited({ key: "", value: "", isNew: true })}>
          <Plus size={13} aria-hidden /> {t.common.addTag}
        </Button>
      )}
      {edited && onSet && (
        <FormDialog
          title={edited.isNew ? t.common.addTag : t.common.editTag(edited.key)}
          submitLabel={t.common.save}
          canSubmit={edited.key.trim() !== ""}
          onClose={() => setEdited(undefined)}
          onSubmit={() => onSet(edited.key.trim(), edited.value)}
        >
          <div className="field">
            <label htmlFor="tag-key">{t.common.key}</label>
            <input
              id="tag-key"
              className="input"
              value={edited.key}
              readOnly={!edited.isNew}
              onChange={(event) => setEdited({ ...edited, key: event.target.value })}
            />
          </div>
          <div className="field">
            <label htmlFor="tag-value">{t.common.value}</label>
            <input
              id="tag-value"
              className="input"
              value={edited.value}
              onChange={(event) => setEdited({ ...edited, value: event.target.value })}
            />
          </div>
        </FormDialog>
      )}
    </div>
  );
}

function TagText({ tag }: { tag: KeyValue }) {
  return (
    <>
      <span className="muted">{tag.key}</span> {tag.value}
    </>
  );
}
