import { Plus, X } from "lucide-react";
import { Button, IconButton } from "./Button";
import type { KeyValue } from "./Tags";
import { useStrings } from "../i18n";
import "./NewTags.css";

/** Tags of something that is about to be made: rows of key and value. */
export function NewTags({ tags, onChange }: { tags: KeyValue[]; onChange: (tags: KeyValue[]) => void }) {
  const t = useStrings();
  const change = (index: number, changed: Partial<KeyValue>) =>
    onChange(tags.map((tag, at) => (at === index ? { ...tag, ...changed } : tag)));
  return (
    <fieldset className="new-tags">
      <legend>{t.common.tags}</legend>
      {tags.map((tag, index) => (
        // Rows have no identity but their place.
        <div key={index} className="row" role="group" aria-label={t.models.tagNumber(index + 1)}>
          <input
            className="input"
            aria-label={t.models.tagKey}
            placeholder={t.common.key}
            value={tag.key}
            onChange={(event) => change(index, { key: event.target.value })}
          />
          <input
            className="input"
            aria-label={t.models.tagValue}
            placeholder={t.common.value}
            value={tag.value}
            onChange={(event) => change(index, { value: event.target.value })}
          />
          <IconButton
            label={t.models.removeTagRow(index + 1)}
            onClick={() => onChange(tags.filter((_, at) => at !== index))}
          >
            <X size={14} />
          </IconButton>
        </div>
      ))}
      <div>
        <Button className="tag-add" onClick={() => onChange([...tags, { key: "", value: "" }])}>
          <Plus size={13} aria-hidden /> {t.common.addTag}
        </Button>
      </div>
    </fieldset>
  );
}

/** The tags that were filled in. */
export function filledTags(tags: KeyValue[]): KeyValue[] {
  return tags.map(({ key, value }) => ({ key: key.trim(), value })).filter(({ key }) => key !== "");
}
