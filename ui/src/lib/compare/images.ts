// The images that runs have logged under keys and steps.
import { parseImageName } from "../imageNames";

export interface LoggedImage {
  path: string;
  /** A smaller one of the same, where the client has made it. */
  thumbnailPath?: string;
  step: number;
  timestampMs: number;
}

/** The images of a run by key, each list by step; of several at one step the latest. */
export type RunImages = ReadonlyMap<string, LoggedImage[]>;

/** Read the names of a run's files; what is no logged image is left out. */
export function imagesOf(paths: readonly string[]): RunImages {
  const full = new Map<string, Map<number, LoggedImage>>();
  const thumbnails = new Map<string, string>();
  for (const path of paths) {
    const parsed = parseImageName(path);
    if (!parsed) continue;
    const { key, step, timestampMs, isCompressed } = parsed;
    if (isCompressed) {
      thumbnails.set(stemOf(path), path);
      continue;
    }
    const steps = full.get(key) ?? new Map<number, LoggedImage>();
    full.set(key, steps);
    const before = steps.get(step);
    if (!before || before.timestampMs <= timestampMs) steps.set(step, { path, step, timestampMs });
  }
  return new Map(
    [...full].map(([key, steps]) => [
      key,
      [...steps.values()]
        .sort((a, b) => a.step - b.step)
        .map((image) => {
          const thumbnailPath = thumbnails.get(stemOf(image.path));
          return thumbnailPath === undefined ? image : { ...image, thumbnailPath };
        }),
    ]),
  );
}

/** The name without what tells the small image from the full one. */
function stemOf(path: string): string {
  return path.replace(/\.[a-z]+$/, "").replace(/[%+]compressed$/, "");
}

export function keysOf(runs: readonly RunImages[]): string[] {
  const keys = new Set(runs.flatMap((images) => [...images.keys()]));
  return [...keys].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
}

/** The steps at which any run has an image of the key. */
export function stepsOf(runs: readonly RunImages[], key: string): number[] {
  const steps = new Set(runs.flatMap((images) => (images.get(key) ?? []).map(({ step }) => step)));
  return [...steps].sort((a, b) => a - b);
}

/** The image at a step, or else the last one before it; runs do not all log at the same steps. */
export function imageAt(images: RunImages, key: string, step: number): LoggedImage | undefined {
  return images.get(key)?.findLast((image) => image.step <= step);
}
