import { CopyButton } from "./Text";
import { useStrings } from "../i18n";
import "./Snippet.css";

/** Code to copy; `what` names it for the button that does. */
export function Snippet({ code, what }: { code: string; what?: string }) {
  const t = useStrings();
  return (
    <div className="snippet">
      <pre>
        <code>{code}</code>
      </pre>
      <CopyButton text={code} what={what ?? t.models.snippet} />
    </div>
  );
}
