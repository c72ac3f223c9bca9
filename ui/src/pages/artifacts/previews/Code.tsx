import { toJsxRuntime } from "hast-util-to-jsx-runtime";
import { common, createLowlight } from "lowlight";
import { type ReactNode, useMemo } from "react";
import { Fragment, jsx, jsxs } from "react/jsx-runtime";
import "./Code.css";

/** Longer text is shown as it is: to colour it would hold up the page. */
const MAX_HIGHLIGHTED = 200_000;
const lowlight = createLowlight(common);

interface CodeProps {
  text: string;
  /** A name that the highlighter knows; plain text without one. */
  language?: string;
  isWrapped?: boolean;
  hasLineNumbers?: boolean;
}

/** Code with its colours, made of elements: nothing of it is ever read as HTML. */
export function Code({ text, language, isWrapped = false, hasLineNumbers = false }: CodeProps) {
  const content = useMemo((): ReactNode => {
    if (language === undefined || text.length > MAX_HIGHLIGHTED || !lowlight.registered(language)) return text;
    // Its own type is that of a global JSX, which React has no more.
    const elements: unknown = toJsxRuntime(lowlight.highlight(language, text), { Fragment, jsx, jsxs });
    return elements as ReactNode;
  }, [text, language]);
  const lines = useMemo(() => {
    if (!hasLineNumbers) return "";
    const count = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
    return Array.from({ length: count }, (_, at) => at + 1).join("\n");
  }, [text, hasLineNumbers]);
  return (
    <div className={`code ${isWrapped ? "wrapped" : ""}`} tabIndex={0} role="region" aria-label={language ?? "text"}>
      {hasLineNumbers && !isWrapped && (
        <pre className="code-lines" aria-hidden>
          {lines}
        </pre>
      )}
      <pre>
        <code>{content}</code>
      </pre>
    </div>
  );
}
