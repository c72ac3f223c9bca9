import { useState } from "react";
import { useStrings } from "../../../i18n";
import { languageOf } from "../../../lib/artifacts/kind";
import type { PreviewProps } from "../FileView";
import { Code } from "./Code";
import { useHead } from "./useHead";

/** Text and code, with colours and line numbers. */
export default function TextPreview({ path, url }: PreviewProps) {
  const t = useStrings();
  const [isWrapped, setWrapped] = useState(false);
  const { text, isReady, note } = useHead(url);
  return (
    <>
      {isReady && (
        <>
          <label className="checkbox">
            <input type="checkbox" checked={isWrapped} onChange={() => setWrapped(!isWrapped)} /> {t.artifacts.wrap}
          </label>
          <Code text={text} language={languageOf(path)} isWrapped={isWrapped} hasLineNumbers />
        </>
      )}
      {note}
    </>
  );
}
