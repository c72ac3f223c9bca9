// Views of a runs page with names, kept in tags of the experiment, so that all who see it share them.
import { api, ask } from "../api/client";

export interface SavedView {
  name: string;
  /** Undefined where the tag holds what is no view. */
  view: Record<string, unknown> | undefined;
  /** What the tag holds. */
  text: string;
}

const PREFIX = "runyard.view.";
/** What MLflow allows an experiment tag to hold. */
export const MAX_VIEW_LENGTH = 5000;
const MAX_TAG_KEY_LENGTH = 250;
export const MAX_NAME_LENGTH = MAX_TAG_KEY_LENGTH - PREFIX.length;

/** The views among an experiment's tags, by name. */
export function viewsOf(tags: readonly { key: string; value: string }[]): SavedView[] {
  return tags
    .filter(({ key }) => key.startsWith(PREFIX) && key.length > PREFIX.length)
    .map(({ key, value }) => ({ name: key.slice(PREFIX.length), view: parse(value), text: value }))
    .sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
}

/** A view as a tag holds it; the same view gives the same text, in whatever order it was put together. */
export function viewText(view: Record<string, unknown>): string {
  return JSON.stringify(sorted(view));
}

export function isSameView(a: Record<string, unknown> | undefined, b: Record<string, unknown>): boolean {
  return a !== undefined && viewText(a) === viewText(b);
}

/** The length of a text in characters, as the server counts them. */
export function lengthOf(text: string): number {
  return [...text].length;
}

export function setView(experimentId: string, name: string, text: string): Promise<unknown> {
  const body = { experiment_id: experimentId, key: PREFIX + name, value: text };
  return ask(api.POST("/api/2.0/mlflow/experiments/set-experiment-tag", { body }));
}

export function deleteView(experimentId: string, name: string): Promise<unknown> {
  const body = { experiment_id: experimentId, key: PREFIX + name };
  return ask(api.POST("/api/2.0/mlflow/experiments/delete-experiment-tag", { body }));
}

/** Give a view another name; it has both until the new one is kept. */
export async function renameView(experimentId: string, from: string, to: string, text: string): Promise<void> {
  await setView(experimentId, to, text);
  await deleteView(experimentId, from);
}

function parse(text: string): Record<string, unknown> | undefined {
  try {
    const view = JSON.parse(text) as unknown;
    return typeof view === "object" && view !== null && !Array.isArray(view)
      ? (view as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).filter(([, each]) => each !== undefined);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, each]) => [name, sorted(each)]));
}
