import { Pencil, Trash2 } from "lucide-react";
import { type FormEvent, useId, useState } from "react";
import { Button, IconButton } from "../../components/Button";
import { Dialog, FormDialog } from "../../components/Dialog";
import { Problem } from "../../components/Problem";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { deleteView, lengthOf, MAX_NAME_LENGTH, renameView, type SavedView, setView } from "../../lib/savedViews";

interface SaveViewDialogProps {
  takenNames: string[];
  /** Why the view cannot be saved under any name. */
  problem: string | undefined;
  onSave: (name: string) => Promise<unknown>;
  onClose: () => void;
}

/** Ask for the name of a view; one that there is already is replaced after a word of warning. */
export function SaveViewDialog({ takenNames, problem, onSave, onClose }: SaveViewDialogProps) {
  const t = useStrings();
  const id = useId();
  const [name, setName] = useState("");
  const trimmed = name.trim();
  const isTaken = takenNames.includes(trimmed);
  const isTooLong = lengthOf(trimmed) > MAX_NAME_LENGTH;
  return (
    <FormDialog
      title={t.runActions.saveViewTitle}
      submitLabel={isTaken ? t.runActions.replace : t.common.save}
      danger={isTaken}
      canSubmit={trimmed !== "" && !isTooLong && problem === undefined}
      onSubmit={() => onSave(trimmed)}
      onClose={onClose}
    >
      <p className="muted">{t.runActions.saveViewHelp}</p>
      <div className="field">
        <label htmlFor={id}>{t.runActions.viewName}</label>
        <input
          id={id}
          className="input"
          autoFocus
          autoComplete="off"
          value={name}
          aria-invalid={isTooLong || undefined}
          aria-describedby={`${id}-note`}
          onChange={(event) => setName(event.target.value)}
        />
        <span id={`${id}-note`} className="problem" role="status">
          {isTaken && t.runActions.replaceView(trimmed)}
          {isTooLong && t.runActions.viewNameTooLong(MAX_NAME_LENGTH)}
        </span>
      </div>
      {problem && <Problem error={new Error(problem)} />}
    </FormDialog>
  );
}

interface ManageViewsDialogProps {
  experimentId: string;
  views: SavedView[];
  onChange: () => Promise<unknown>;
  onRenamed: (from: string, to: string) => void;
  onClose: () => void;
}

/** The experiment's views, to rename and to delete. */
export function ManageViewsDialog({ experimentId, views, onChange, onRenamed, onClose }: ManageViewsDialogProps) {
  const t = useStrings();
  const [renamed, setRenamed] = useState<string>();
  // Notices outside cannot be reached while the dialog is open: what was done last is told in it.
  const [notice, setNotice] = useState<{ text: string; undo?: () => Promise<unknown> }>();
  const fail = (error: unknown) => setNotice({ text: (error as Error).message });

  function close() {
    if (notice) showToast(notice.text, { undo: notice.undo });
    onClose();
  }
  async function remove({ name, text }: SavedView) {
    await deleteView(experimentId, name);
    await onChange();
    const undo = () => setView(experimentId, name, text).then(onChange);
    setNotice({ text: t.runActions.viewDeleted(name), undo });
  }
  async function rename({ name, text }: SavedView, next: string) {
    await renameView(experimentId, name, next, text);
    setRenamed(undefined);
    onRenamed(name, next);
    await onChange();
    setNotice({
      text: t.runActions.viewRenamed(name, next),
      undo: async () => {
        await renameView(experimentId, next, name, text);
        onRenamed(next, name);
        await onChange();
      },
    });
  }

  return (
    <Dialog title={t.runActions.manageViewsTitle} onClose={close}>
      {views.length === 0 && <p className="muted">{t.runActions.noViews}</p>}
      <ul className="saved-views-list">
        {views.map((saved) => (
          <li key={saved.name} className="row">
            {renamed === saved.name ? (
              <RenameForm
                name={saved.name}
                takenNames={views.map(({ name }) => name)}
                onRename={(next) => rename(saved, next).catch(fail)}
                onCancel={() => setRenamed(undefined)}
              />
            ) : (
              <>
                <span className="truncate">{saved.view ? saved.name : t.runActions.viewBroken(saved.name)}</span>
                <span className="spacer" />
                {saved.view && (
                  <IconButton label={t.runActions.renameView(saved.name)} onClick={() => setRenamed(saved.name)}>
                    <Pencil size={14} />
                  </IconButton>
                )}
                <IconButton label={t.runActions.deleteView(saved.name)} onClick={() => remove(saved).catch(fail)}>
                  <Trash2 size={14} />
                </IconButton>
              </>
            )}
          </li>
        ))}
      </ul>
      <div className="saved-views-notice" role="status">
        {notice && (
          <>
            <span>{notice.text}</span>
            {notice.undo && (
              <Button
                onClick={() => {
                  setNotice(undefined);
                  notice.undo?.().catch(fail);
                }}
              >
                {t.common.undo}
              </Button>
            )}
          </>
        )}
      </div>
    </Dialog>
  );
}

interface RenameFormProps {
  name: string;
  takenNames: string[];
  onRename: (name: string) => Promise<unknown>;
  onCancel: () => void;
}

function RenameForm({ name, takenNames, onRename, onCancel }: RenameFormProps) {
  const t = useStrings();
  const [text, setText] = useState(name);
  const next = text.trim();
  const problem =
    next !== name && takenNames.includes(next)
      ? t.runActions.viewNameTaken(next)
      : lengthOf(next) > MAX_NAME_LENGTH
        ? t.runActions.viewNameTooLong(MAX_NAME_LENGTH)
        : undefined;
  function submit(event: FormEvent) {
    event.preventDefault();
    if (next === name) onCancel();
    else if (next !== "" && !problem) onRename(next);
  }
  return (
    <form className="saved-views-rename" onSubmit={submit}>
      <div className="row">
        <input
          className="input"
          aria-label={t.runActions.renameView(name)}
          aria-invalid={problem ? true : undefined}
          autoFocus
          value={text}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            // The dialog stays open.
            event.preventDefault();
            event.stopPropagation();
            onCancel();
          }}
        />
        <Button type="submit" kind="primary" disabled={next === "" || problem !== undefined}>
          {t.common.save}
        </Button>
        <Button onClick={onCancel}>{t.common.cancel}</Button>
      </div>
      {problem && (
        <p className="saved-views-problem" role="status">
          {problem}
        </p>
      )}
    </form>
  );
}
