import { Markdown } from "../../../components/Markdown";
import type { PreviewProps } from "../FileView";
import { useHead } from "./useHead";

export default function MarkdownPreview({ url }: PreviewProps) {
  const { text, isReady, note } = useHead(url);
  return (
    <>
      {isReady && (
        <div className="card artifact-paper">
          <Markdown text={text} />
        </div>
      )}
      {note}
    </>
  );
}
