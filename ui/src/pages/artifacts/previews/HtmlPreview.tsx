import { artifactUrl } from "../../../api/artifacts";
import { useStrings } from "../../../i18n";
import { nameOf } from "../../../lib/artifacts/kind";
import type { PreviewProps } from "../FileView";

/** A page of HTML in a frame of its own origin: its scripts run, and reach nothing of ours. */
export default function HtmlPreview({ source, path }: PreviewProps) {
  const t = useStrings();
  return (
    <>
      <p className="muted">{t.artifacts.htmlNote}</p>
      <iframe
        className="artifact-frame"
        sandbox="allow-scripts"
        src={artifactUrl(source, path, true)}
        title={t.artifacts.frameTitle(nameOf(path))}
      />
    </>
  );
}
