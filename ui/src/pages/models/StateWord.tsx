import { CircleCheck, CircleDashed, CircleX } from "lucide-react";
import { useStrings } from "../../i18n";
import type { LoggedModelState } from "../../lib/models/loggedModels";
import "./StateWord.css";

const ICONS = { pending: CircleDashed, ready: CircleCheck, failed: CircleX, unknown: CircleDashed };

/** The state of a version or of a logged model: an icon and a word, and what the server says about it. */
export function StateWord({ state, message }: { state: LoggedModelState; message?: string | null }) {
  const t = useStrings();
  const Icon = ICONS[state];
  return (
    <span className={`state-word ${state}`}>
      <Icon size={14} aria-hidden />
      <span>{t.models.states[state]}</span>
      {message && state !== "ready" && <span className="state-word-message">{message}</span>}
    </span>
  );
}
