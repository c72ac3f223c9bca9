import { useState } from "react";
import { Button } from "../../../components/Button";
import { useStrings } from "../../../i18n";
import { nameOf } from "../../../lib/artifacts/kind";
import { formatSize } from "../../../lib/format";
import type { PreviewProps } from "../FileView";

const LARGE_BYTES = 25 * 1024 * 1024;

/** An image, fitted or in its own size. As an image, even an SVG with a script in it runs none. */
export default function ImagePreview({ path, url, sizeBytes }: PreviewProps) {
  const t = useStrings();
  const [isFull, setFull] = useState(false);
  const [isAllowed, setAllowed] = useState((sizeBytes ?? 0) <= LARGE_BYTES);
  if (!isAllowed) {
    return (
      <p className="row">
        {t.artifacts.largeImage(formatSize(sizeBytes ?? 0))}
        <Button onClick={() => setAllowed(true)}>{t.artifacts.showAnyway}</Button>
      </p>
    );
  }
  return (
    <>
      <div>
        <Button onClick={() => setFull(!isFull)}>{isFull ? t.artifacts.fit : t.artifacts.fullSize}</Button>
      </div>
      <div className={`artifact-image ${isFull ? "full" : ""}`} tabIndex={0} role="region" aria-label={nameOf(path)}>
        <img src={url} alt={nameOf(path)} />
      </div>
    </>
  );
}
