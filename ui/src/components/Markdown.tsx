import { lazy, Suspense, useState } from "react";
import { useStrings } from "../i18n";
import { Button } from "./Button";
import { Problem } from "./Problem";
import "./Markdown.css";

const MarkdownText = lazy(() => import("./MarkdownText"));

/** Markdown as elements; HTML in it is shown as the text it is. */
export function Markdown({ text }: { text: string }) {
  return (
    <div className="markdown">
      <Suspense fallback={<p>{text}</p>}>
        <MarkdownText text={text} />
      </Suspense>
    </div>
  );
}

interface EditableMarkdownProps {
  text: string;
  /** Saves the new text; left out where it cannot be changed. */
  onSave?: (text: string) => Promise<unknown>;
}

/** A description that is edited in place: Ctrl-Enter saves, Escape leaves it as it was. */
export function EditableMarkdown({ text, onSave }: EditableMarkdownProps) {
  const t = useStrings();
  const [draft, setDraft] = useState<string>();
  const [error, setError] = useState<Error>();
  if (draft === undefined) {
    return (
      <div className="stack">
        {text ? <Markdown text={text} /> : <p className="muted">{t.common.noDescription}</p>}
        {onSave && (
          <div>
            <Button onClick={() => setDraft(text)} aria-label={t.common.editDescription}>
              {t.common.edit}
            </Button>
          </div>
        )}
      </div>
    );
  }
  async function save() {
    try {
      await onSave?.(draft ?? "");
      setDraft(undefined);
      setError(undefined);
    } catch (failure) {
      setError(failure as Error);
    }
  }
  return (
    <div className="stack">
      <textarea
        className="input mono"
        aria-label={t.common.description}
        value={draft}
        // biome-ignore lint/a11y/noAutofocus: the reader has just asked to edit it
        autoFocus
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === "Escape") setDraft(undefined);
          if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save();
        }}
      />
      {error && <Problem error={error} />}
      <div className="row">
        <Button kind="primary" onClick={save}>
          {t.common.save}
        </Button>
        <Button onClick={() => setDraft(undefined)}>{t.common.cancel}</Button>
        <span className="muted">{t.common.markdownHelp}</span>
      </div>
    </div>
  );
}
