// What the command palette offers, and what was opened from it before.

export interface Item {
  kind: "experiment" | "run" | "model" | "action";
  /** Names it among all items, and stays the same. */
  id: string;
  label: string;
  /** Beside the label, such as the experiment of a run. */
  note?: string;
  /** The address it opens; an action has something to do instead. */
  href?: string;
}

const PLACE = "runyard.recent";
const MAX_RECENT = 6;
const RUN_ID = /^[0-9a-f]{32}$/;
const RUN_ADDRESS = /\/runs\/([0-9a-f]{32})(?![0-9a-f])/;

/** The id of the run that a text names: an id, or the address of the run's page; undefined where it is neither. */
export function runIdOf(text: string): string | undefined {
  const bare = text.trim().toLowerCase();
  return RUN_ID.test(bare) ? bare : RUN_ADDRESS.exec(bare)?.[1];
}

/** The parts of `label` that are, and are not, words of the query: shown as marks and as they are. */
export function marked(label: string, query: string): { text: string; isMatch: boolean }[] {
  const words = query.trim().split(/\s+/).filter(Boolean).map(escaped);
  if (words.length === 0) return [{ text: label, isMatch: false }];
  const parts = label.split(new RegExp(`(${words.join("|")})`, "gi"));
  // Every second part is one that was split by.
  return parts.map((text, at) => ({ text, isMatch: at % 2 === 1 })).filter(({ text }) => text !== "");
}

/** The actions that match: every word of the query is in the label. */
export function matching(items: Item[], query: string): Item[] {
  const words = query.toLowerCase().trim().split(/\s+/).filter(Boolean);
  return items.filter(({ label }) => words.every((word) => label.toLowerCase().includes(word)));
}

/** What was opened before, the last first; nothing where the browser keeps nothing. */
export function recentItems(): Item[] {
  try {
    const items = JSON.parse(localStorage.getItem(PLACE) ?? "[]") as unknown;
    return Array.isArray(items) ? (items as Item[]).filter(({ href, label }) => Boolean(href && label)) : [];
  } catch {
    return [];
  }
}

export function rememberItem(item: Item): void {
  if (item.href === undefined || item.kind === "action") return;
  const items = [item, ...recentItems().filter(({ id }) => id !== item.id)].slice(0, MAX_RECENT);
  try {
    localStorage.setItem(PLACE, JSON.stringify(items));
  } catch {
    // Nothing is lost but a convenience.
  }
}

function escaped(word: string): string {
  return word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
