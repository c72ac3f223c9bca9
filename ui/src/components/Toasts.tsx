import { Link } from "@tanstack/react-router";
import { X } from "lucide-react";
import { currentStrings, useStrings } from "../i18n";
import { external } from "../lib/external";
import { Button, IconButton } from "./Button";
import "./Toasts.css";

interface Toast {
  id: number;
  text: string;
  kind: "plain" | "bad";
  undo?: () => Promise<unknown>;
  link?: ToastLink;
}

interface ToastLink {
  label: string;
  /** The address in the UI: `/experiments/1`. */
  to: string;
}

const LIFETIME_MS = 8000;
const toasts = external<Toast[]>([]);
let lastId = 0;

/** Tell the reader something in passing; with `undo`, offer to take it back; with `link`, where it can be seen. */
export function showToast(
  text: string,
  options: { undo?: () => Promise<unknown>; link?: ToastLink; kind?: "plain" | "bad" } = {},
): void {
  const toast: Toast = { id: ++lastId, text, kind: options.kind ?? "plain", undo: options.undo, link: options.link };
  toasts.set([...toasts.get(), toast].slice(-4));
  setTimeout(() => dismiss(toast.id), LIFETIME_MS);
}

/** Tell the reader what went wrong with something that has no place of its own on the page. */
export function showError(error: unknown): void {
  showToast(`${currentStrings().common.errorTitle}: ${(error as Error).message}`, { kind: "bad" });
}

function dismiss(id: number): void {
  toasts.set(toasts.get().filter((toast) => toast.id !== id));
}

export function Toasts() {
  const t = useStrings();
  return (
    <section className="toasts" aria-label={t.common.notifications} aria-live="polite">
      {toasts.use().map(({ id, text, kind, undo, link }) => (
        <div key={id} className={`toast ${kind}`}>
          <span>{text}</span>
          {link && (
            <Link to={link.to} className="button" onClick={() => dismiss(id)}>
              {link.label}
            </Link>
          )}
          {undo && (
            <Button
              onClick={() => {
                dismiss(id);
                undo().catch(showError);
              }}
            >
              {t.common.undo}
            </Button>
          )}
          <IconButton label={t.common.dismiss} onClick={() => dismiss(id)}>
            <X size={14} />
          </IconButton>
        </div>
      ))}
    </section>
  );
}
