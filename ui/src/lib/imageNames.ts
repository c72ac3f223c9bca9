// The names that clients give to images that are logged with a key and a step.

export interface ImageName {
  key: string;
  step: number;
  timestampMs: number;
  /** Whether it is a smaller copy of the image that goes by the same name without this. */
  isCompressed: boolean;
}

// images/<key>%step%<step>%timestamp%<milliseconds>%<uuid>[%compressed].<extension>; early clients put + for %.
const NAME = /^images\/(.+)([%+])step\2(-?\d+)\2timestamp\2(\d+)\2[0-9a-zA-Z-]+?(\2compressed)?\.(?:png|webp|jpe?g)$/;

/** Read an artifact's path; undefined where it is none of a logged image. A slash in a key is written as #. */
export function parseImageName(path: string): ImageName | undefined {
  const match = NAME.exec(path);
  if (!match) return undefined;
  return {
    key: match[1]!.replaceAll("#", "/"),
    step: Number(match[3]),
    timestampMs: Number(match[4]),
    isCompressed: match[5] !== undefined,
  };
}
