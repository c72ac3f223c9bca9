import { X } from "lucide-react";
import { type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { useStrings } from "../i18n";
import { Button, IconButton } from "./Button";
import { Problem } from "./Problem";
import "./Dialog.css";

const FIRST_FIELD = ".dialog-body :is(input:not([type='radio'], [type='checkbox']), select, textarea)";

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** Buttons at its foot. */
  actions?: ReactNode;
  wide?: boolean;
}

/** A modal dialog: render it to open it. The browser keeps the focus inside; Escape and a click outside close it. */
export function Dialog({ title, onClose, children, actions, wide = false }: DialogProps) {
  const t = useStrings();
  const titleId = useId();
  const element = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = element.current;
    dialog?.showModal();
    // The browser would start at the cross that closes it.
    dialog?.querySelector<HTMLElement>(FIRST_FIELD)?.focus();
    return () => dialog?.close();
  }, []);
  return (
    // The browser takes care of Escape, and of the focus; the click outside is one way more to close it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <dialog
      ref={element}
      className={`dialog ${wide ? "wide" : ""}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      // The dialog itself is hit only beside its content: on the backdrop.
      onMouseDown={(event) => event.target === element.current && onClose()}
    >
      <div className="dialog-content">
        <header className="row">
          <h2 id={titleId}>{title}</h2>
          <span className="spacer" />
          <IconButton label={t.common.close} onClick={onClose}>
            <X size={16} />
          </IconButton>
        </header>
        <div className="dialog-body">{children}</div>
        {actions && <footer className="row">{actions}</footer>}
      </div>
    </dialog>
  );
}

interface FormDialogProps {
  title: string;
  submitLabel: string;
  onClose: () => void;
  /** What the form is for; the dialog closes when it is done, and shows the error when it failed. */
  onSubmit: () => Promise<unknown>;
  canSubmit?: boolean;
  danger?: boolean;
  children: ReactNode;
}

/** A dialog that is a form: Enter submits it, and an error of the server is shown in it. */
export function FormDialog(props: FormDialogProps) {
  const { title, submitLabel, onClose, onSubmit, canSubmit = true, danger = false, children } = props;
  const t = useStrings();
  const formId = useId();
  const [error, setError] = useState<Error>();
  const [isBusy, setBusy] = useState(false);
  async function submit(event: FormEvent) {
    event.preventDefault();
    if (!canSubmit || isBusy) return;
    setBusy(true);
    setError(undefined);
    try {
      await onSubmit();
      onClose();
    } catch (failure) {
      setError(failure as Error);
      setBusy(false);
    }
  }
  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <span className="spacer" />
          <Button onClick={onClose}>{t.common.cancel}</Button>
          <Button type="submit" form={formId} kind={danger ? "danger" : "primary"} disabled={!canSubmit || isBusy}>
            {submitLabel}
          </Button>
        </>
      }
    >
      <form id={formId} className="stack" onSubmit={submit}>
        {children}
        {error && <Problem error={error} />}
      </form>
    </Dialog>
  );
}

interface ConfirmDialogProps {
  title: string;
  submitLabel: string;
  onClose: () => void;
  onConfirm: () => Promise<unknown>;
  /** What must be typed before it can be confirmed, for what cannot be undone. */
  typed?: string;
  children: ReactNode;
}

export function ConfirmDialog({ typed, children, onConfirm, ...rest }: ConfirmDialogProps) {
  const t = useStrings();
  const [text, setText] = useState("");
  const id = useId();
  return (
    <FormDialog danger canSubmit={typed === undefined || text === typed} onSubmit={onConfirm} {...rest}>
      <div>{children}</div>
      {typed !== undefined && (
        <div className="field">
          <label htmlFor={id}>{t.common.typeToConfirm(typed)}</label>
          <input
            id={id}
            className="input"
            autoComplete="off"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
      )}
    </FormDialog>
  );
}
