// Small pieces of text with a meaning: times, statuses, what can be copied.
import { Ban, Check, CircleCheck, CircleDashed, CircleX, Clock, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { useStrings } from "../i18n";
import { external } from "../lib/external";
import { formatDuration, formatSince, formatTime } from "../lib/format";
import { preferences } from "../lib/preferences";
import { IconButton } from "./Button";
import { showError } from "./Toasts";
import "./Text.css";

const CLOCK_STEP_MS = 10_000;
const clock = external(Date.now());
setInterval(() => clock.set(Date.now()), CLOCK_STEP_MS);

/** A moment, in milliseconds: how long ago it was, with the exact time beneath the pointer. */
export function Since({ timeMs }: { timeMs: number | null | undefined }) {
  const now = clock.use();
  const { language, timeZone } = preferences.use();
  if (!timeMs) return null;
  return (
    <time dateTime={new Date(timeMs).toISOString()} title={formatTime(timeMs, timeZone)} className="nowrap">
      {formatSince(timeMs, now, language)}
    </time>
  );
}

/** How long it has been since a moment, in milliseconds, of something that goes on. */
export function Elapsed({ sinceMs }: { sinceMs: number }) {
  return <span className="muted truncate">{formatDuration(Math.max(0, clock.use() - sinceMs))}</span>;
}

/** A moment, in milliseconds, as date and time in the reader's time zone. */
export function Time({ timeMs }: { timeMs: number | null | undefined }) {
  const { timeZone } = preferences.use();
  if (!timeMs) return null;
  return (
    <time dateTime={new Date(timeMs).toISOString()} className="nowrap">
      {formatTime(timeMs, timeZone)}
    </time>
  );
}

const STATUS_ICONS: Record<string, typeof Check> = {
  RUNNING: CircleDashed,
  SCHEDULED: Clock,
  FINISHED: CircleCheck,
  FAILED: CircleX,
  KILLED: Ban,
};

/** A run's status: a word, an icon and a colour. */
export function RunStatus({ status, iconOnly = false }: { status: string; iconOnly?: boolean }) {
  const t = useStrings();
  const Icon = STATUS_ICONS[status] ?? CircleDashed;
  const word = t.common.runStatus[status] ?? status;
  return (
    <span className={`run-status ${status.toLowerCase()}`} title={word}>
      <Icon size={14} aria-hidden />
      <span className={iconOnly ? "visually-hidden" : ""}>{word}</span>
    </span>
  );
}

/** A button that copies `text`; `what` names it. */
export function CopyButton({ text, what }: { text: string; what: string }) {
  const t = useStrings();
  const [isDone, setDone] = useState(false);
  useEffect(() => {
    if (!isDone) return;
    const timer = setTimeout(() => setDone(false), 1500);
    return () => clearTimeout(timer);
  }, [isDone]);
  return (
    <IconButton
      label={isDone ? t.common.copied : t.common.copyOf(what)}
      className="copy-button"
      onClick={() => copyText(text).then(() => setDone(true), showError)}
    >
      {isDone ? <Check size={14} /> : <Copy size={14} />}
    </IconButton>
  );
}

/** Put text on the clipboard; over plain HTTP, where browsers have no clipboard for pages, by a selection. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
