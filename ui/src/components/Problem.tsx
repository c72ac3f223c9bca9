import { CircleAlert, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "../api/client";
import { useStrings } from "../i18n";
import { Button } from "./Button";
import "./Problem.css";

/** What went wrong, in the words of the server. */
export function Problem({ error, onRetry }: { error: Error; onRetry?: () => void }) {
  const t = useStrings();
  const text = error instanceof ApiError && error.status === 0 ? t.common.unreachable : error.message;
  return (
    <div className="problem-box" role="alert">
      <CircleAlert size={16} aria-hidden />
      <span>{text}</span>
      {onRetry && (
        <Button onClick={onRetry}>
          <RotateCw size={14} aria-hidden /> {t.common.retry}
        </Button>
      )}
    </div>
  );
}

/** What stands where there is nothing yet, and what to do about it. */
export function Empty({ title, children, icon }: { title: string; children?: ReactNode; icon?: ReactNode }) {
  return (
    <div className="empty">
      {icon && <div aria-hidden>{icon}</div>}
      <h2>{title}</h2>
      {children && <div className="muted">{children}</div>}
    </div>
  );
}

/** Grey lines where something will be; `label` is for those who do not see them. */
export function Loading({ lines = 4, label }: { lines?: number; label?: string }) {
  const t = useStrings();
  return (
    <div className="loading" role="status" aria-label={label ?? t.common.loading}>
      {Array.from({ length: lines }, (_, line) => (
        <div key={line} />
      ))}
    </div>
  );
}
