import { kindOf, nameOf } from "../../../lib/artifacts/kind";
import type { PreviewProps } from "../FileView";

/** Sound and film in the browser's own player, which reads what it plays. */
export default function MediaPreview({ path, url }: PreviewProps) {
  return kindOf(path) === "audio" ? (
    // There are no captions beside what was logged.
    // eslint-disable-next-line jsx-a11y/media-has-caption
    <audio controls preload="metadata" src={url} aria-label={nameOf(path)} />
  ) : (
    // eslint-disable-next-line jsx-a11y/media-has-caption
    <video className="artifact-video" controls preload="metadata" src={url} aria-label={nameOf(path)} />
  );
}
