import { useMemo } from "react";
import { Markdown } from "../../../components/Markdown";
import { useStrings } from "../../../i18n";
import { type NotebookCell, readNotebook } from "../../../lib/artifacts/notebook";
import type { PreviewProps } from "../FileView";
import { Code } from "./Code";
import { useHead } from "./useHead";

const MOST_BYTES = 5 * 1024 * 1024;

/** A notebook's cells with their outputs. What was cut, or is none, is shown as text. */
export default function NotebookPreview({ url }: PreviewProps) {
  const { text, isReady, note } = useHead(url, MOST_BYTES);
  const notebook = useMemo(() => {
    try {
      return readNotebook(text);
    } catch {
      return undefined;
    }
  }, [text]);
  if (!isReady) return note;
  if (notebook === undefined) {
    return (
      <>
        <Code text={text} language="json" hasLineNumbers />
        {note}
      </>
    );
  }
  return (
    <div className="stack">
      {notebook.cells.map((cell, at) => (
        <Cell key={at} cell={cell} language={notebook.language} />
      ))}
    </div>
  );
}

function Cell({ cell, language }: { cell: NotebookCell; language: string }) {
  const t = useStrings();
  if (cell.kind === "markdown") {
    return (
      <div className="card artifact-paper">
        <Markdown text={cell.text} />
      </div>
    );
  }
  return (
    <div className="artifact-cell">
      <span className="mono muted">[{cell.count ?? " "}]</span>
      <div className="stack">
        <Code text={cell.text} language={cell.kind === "code" ? language : undefined} />
        {cell.outputs.map((output, at) =>
          output.kind === "image" ? (
            <img key={at} src={output.source} alt={t.artifacts.outputs} />
          ) : (
            <pre key={at} className={`artifact-output ${output.isError ? "failed" : ""}`}>
              {output.text}
            </pre>
          ),
        )}
      </div>
    </div>
  );
}
