// A registered model in one line.
import type { RegisteredModel, Tag } from "../../api/schema";

/** The version with the highest number; the server tells the newest of each stage. */
export function latestVersion(model: RegisteredModel): string | undefined {
  const numbers = (model.latest_versions ?? []).map(({ version }) => Number(version));
  return numbers.length > 0 ? String(Math.max(...numbers)) : undefined;
}

/** The newest version of each stage that versions are put in, those in use first. */
export function stagedVersions(model: RegisteredModel): { stage: string; version: string }[] {
  const order = ["Production", "Staging"];
  return (model.latest_versions ?? [])
    .filter((version) => order.includes(version.current_stage))
    .map(({ current_stage: stage, version }) => ({ stage, version }))
    .sort((a, b) => order.indexOf(a.stage) - order.indexOf(b.stage));
}

/** Tags for a list: the owner before the others, at most `count`. */
export function mainTags(tags: readonly Tag[], count: number): { shown: Tag[]; more: number } {
  const own = tags.filter(({ key }) => !/^(mlflow|runyard)\./.test(key));
  const sorted = [...own].sort((a, b) => Number(isOwner(b)) - Number(isOwner(a)));
  return { shown: sorted.slice(0, count), more: Math.max(0, sorted.length - count) };
}

function isOwner({ key }: Tag): boolean {
  return /owner|team/i.test(key);
}

/** The first line of a Markdown text, without its marks. */
export function firstLine(text: string): string {
  return (text.trim().split("\n")[0] ?? "")
    .replace(/^(#+|[-*>])\s+/, "")
    .replace(/!?\[([^\]]*)\]\([^)]*\)/g, "$1")
    .replace(/(\*\*?|__|`)(\S(?:.*?\S)?)\1/g, "$2")
    .trim();
}
