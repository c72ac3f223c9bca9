import { useId, useMemo, useState } from "react";
import { artifactUrl } from "../../api/artifacts";
import { useStrings } from "../../i18n";
import { parseImageName } from "../../lib/imageNames";
import type { ArtifactSource } from "./ArtifactBrowser";

/** Images that were logged with a key and a step: those of one step side by side, and a slider through the steps. */
export function ImagesByStep({ source, paths }: { source: ArtifactSource; paths: string[] }) {
  const t = useStrings();
  const id = useId();
  const [at, setAt] = useState(Number.POSITIVE_INFINITY);
  const { steps, keys } = useMemo(() => arranged(paths), [paths]);
  const place = Math.min(at, steps.length - 1);
  const step = steps[place]!;
  return (
    <section className="artifact-images" aria-label={t.artifacts.imagesByStep}>
      <div className="row">
        <label htmlFor={id}>{t.artifacts.step}</label>
        <input
          id={id}
          type="range"
          min={0}
          max={steps.length - 1}
          value={place}
          aria-valuetext={String(step)}
          onChange={(event) => setAt(Number(event.target.value))}
        />
        <output htmlFor={id}>{step}</output>
      </div>
      <div className="artifact-images-grid">
        {[...keys].map(([key, byStep]) => (
          <figure key={key}>
            {byStep.has(step) ? (
              <img
                src={artifactUrl(source, byStep.get(step)!)}
                alt={`${key}, ${t.artifacts.step} ${step}`}
                loading="lazy"
              />
            ) : (
              <div className="artifact-images-none muted">{t.artifacts.noImageAtStep}</div>
            )}
            <figcaption className="truncate" title={key}>
              {key}
            </figcaption>
          </figure>
        ))}
      </div>
    </section>
  );
}

/** The steps in their order, and the images by key and step: of two at one step, the later. */
function arranged(paths: string[]): { steps: number[]; keys: Map<string, Map<number, string>> } {
  const images = paths
    .flatMap((path) => {
      const name = parseImageName(path);
      return name && !name.isCompressed ? [{ path, ...name }] : [];
    })
    .sort((a, b) => a.timestampMs - b.timestampMs);
  const keys = new Map<string, Map<number, string>>();
  for (const { key, step, path } of images.toSorted((a, b) => (a.key < b.key ? -1 : Number(a.key !== b.key)))) {
    keys.set(key, (keys.get(key) ?? new Map<number, string>()).set(step, path));
  }
  return { steps: [...new Set(images.map(({ step }) => step))].sort((a, b) => a - b), keys };
}
