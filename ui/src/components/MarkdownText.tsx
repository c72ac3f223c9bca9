import ReactMarkdown from "react-markdown";
import remarkGfm from "remark-gfm";

/** Loaded when the first Markdown is shown. Links leave no trace of where they were followed from. */
export default function MarkdownText({ text }: { text: string }) {
  return (
    <ReactMarkdown
      remarkPlugins={[remarkGfm]}
      components={{
        a: ({ href, children }) => (
          <a href={href} target="_blank" rel="noopener noreferrer">
            {children}
          </a>
        ),
      }}
    >
      {text}
    </ReactMarkdown>
  );
}
