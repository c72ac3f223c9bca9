// Which cards there are, in which order: what the reader arranged, and what comes by itself.
import type { ChartsLayout } from "../../pages/charts/layout";

export interface Section {
  /** The part of the metrics' names before the last slash; "" for those without one. */
  prefix: string;
  isPinned: boolean;
  keys: string[];
}

/** What a search finds: names that hold all words, or that match a regular expression such as /loss$/. */
export function foundKeys(keys: readonly string[], search: string): string[] {
  const text = search.trim();
  const expression = /^\/(.+)\/$/.exec(text)?.[1];
  if (expression !== undefined) {
    try {
      const pattern = new RegExp(expression, "i");
      return keys.filter((key) => pattern.test(key));
    } catch {
      return [];
    }
  }
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return keys.filter((key) => words.every((word) => key.toLowerCase().includes(word)));
}

/** The metrics in sections: the pinned first, then by prefix; those that are hidden are left out. */
export function sectionsOf(keys: readonly string[], layout: ChartsLayout): Section[] {
  const hidden = new Set(layout.hidden);
  const shown = keys.filter((key) => !hidden.has(key));
  const pinned = (layout.pinned ?? []).filter((key) => shown.includes(key));
  const sections = new Map<string, string[]>();
  for (const key of shown) {
    if (pinned.includes(key)) continue;
    const prefix = prefixOf(key);
    sections.set(prefix, [...(sections.get(prefix) ?? []), key]);
  }
  // Those of the machine are at the end: they are looked at when something is wrong.
  const rank = (prefix: string) => `${prefix === "system" || prefix.startsWith("system/") ? 1 : 0}${prefix}`;
  const ordered = [...sections].sort(([a], [b]) => (rank(a) < rank(b) ? -1 : 1));
  return [
    ...(pinned.length > 0 ? [{ prefix: "", isPinned: true, keys: pinned }] : []),
    ...ordered.map(([prefix, members]) => ({
      prefix,
      isPinned: false,
      keys: arranged(members, layout.order?.[prefix] ?? []),
    })),
  ];
}

export function prefixOf(key: string): string {
  return key.slice(0, Math.max(0, key.lastIndexOf("/")));
}

/** The layout after a card was put in the place of another of its section. */
export function movedCard(layout: ChartsLayout, section: Section, moved: string, target: string): ChartsLayout {
  const from = section.keys.indexOf(moved);
  const to = section.keys.indexOf(target);
  if (from < 0 || to < 0 || from === to) return layout;
  const keys = section.keys.filter((key) => key !== moved);
  keys.splice(to, 0, moved);
  if (section.isPinned) return { ...layout, pinned: keys };
  return { ...layout, order: { ...layout.order, [section.prefix]: keys } };
}

/** `list` with `item` taken out where it is in it, and put at its end where it is not; undefined where nothing is left. */
export function toggledIn(list: readonly string[] | undefined, item: string): string[] | undefined {
  const rest = (list ?? []).filter((other) => other !== item);
  if (rest.length === (list ?? []).length) rest.push(item);
  return rest.length > 0 ? rest : undefined;
}

function arranged(keys: string[], order: readonly string[]): string[] {
  const place = new Map(order.map((key, at) => [key, at]));
  const rank = (key: string) => place.get(key) ?? Number.POSITIVE_INFINITY;
  // What the reader has not arranged stays in its own order, after what was.
  return keys.toSorted((a, b) => {
    const [first, second] = [rank(a), rank(b)];
    return first === second ? 0 : first - second;
  });
}
