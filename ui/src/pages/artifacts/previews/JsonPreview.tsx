import { useState } from "react";
import { useStrings } from "../../../i18n";
import type { PreviewProps } from "../FileView";
import { Code } from "./Code";
import { JsonTree } from "./JsonTree";
import { useHead } from "./useHead";

/** JSON as a tree, and as text. What was cut, or is no JSON, is text. */
export default function JsonPreview({ url }: PreviewProps) {
  const t = useStrings();
  const [isRaw, setRaw] = useState(false);
  const { text, isWhole, isReady, note } = useHead(url);
  const parsed = isReady && isWhole ? parse(text) : undefined;
  return (
    <>
      {parsed && (
        <label className="checkbox">
          <input type="checkbox" checked={isRaw} onChange={() => setRaw(!isRaw)} /> {t.artifacts.raw}
        </label>
      )}
      {parsed && !isRaw && (
        <div className="card artifact-paper mono">
          <JsonTree name={undefined} value={parsed.value} depth={0} />
        </div>
      )}
      {isReady && (!parsed || isRaw) && <Code text={text} language="json" hasLineNumbers />}
      {note}
    </>
  );
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}
