// The columns that can be shown, as a tree: kinds, within them what names have in common before "/" or ".", and columns.

export type Family = "attributes" | "metrics" | "params" | "tags";

export interface AvailableColumns {
  attributes: string[];
  metrics: string[];
  params: string[];
  tags: string[];
}

export const FAMILIES: Family[] = ["attributes", "metrics", "params", "tags"];

export interface GroupRow {
  kind: "group";
  /** What it is known by: `metrics`, or `metrics.val/`. */
  id: string;
  family: Family;
  /** What its names start with, without that of the group around it; empty for a family. */
  label: string;
  depth: number;
  /** All columns in it, in groups within it too. */
  columns: string[];
  isOpen: boolean;
}

export interface ColumnRow {
  kind: "column";
  /** `metrics.val/loss` */
  id: string;
  family: Family;
  /** The name without what the groups around it say: `loss`. */
  label: string;
  depth: number;
}

export type TreeRow = GroupRow | ColumnRow;

interface Branch {
  prefix: string;
  branches: Map<string, Branch>;
  leaves: string[];
}

/** All columns, as they are named. */
export function allColumns(available: AvailableColumns): string[] {
  return FAMILIES.flatMap((family) => available[family].map((name) => `${family}.${name}`));
}

/** The columns whose names, or what they are called, have all words of a search, in any case. */
export function findColumns(
  available: AvailableColumns,
  search: string,
  attributeLabels: Readonly<Record<string, string>> = {},
): AvailableColumns {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return available;
  const has = (family: Family) =>
    available[family].filter((name) => {
      const label = family === "attributes" ? (attributeLabels[name] ?? "") : "";
      const whole = `${family}.${name} ${label}`.toLowerCase();
      return words.every((word) => whole.includes(word));
    });
  return { attributes: has("attributes"), metrics: has("metrics"), params: has("params"), tags: has("tags") };
}

/**
 * The rows of the tree, from top to bottom, without those of closed groups.
 *
 * Args:
 *   isClosed: whether a group is closed, by its id.
 */
export function treeRows(available: AvailableColumns, isClosed: (id: string) => boolean): TreeRow[] {
  const rows: TreeRow[] = [];
  for (const family of FAMILIES) {
    const names = available[family];
    if (names.length === 0) continue;
    const columns = names.map((name) => `${family}.${name}`);
    const isOpen = !isClosed(family);
    rows.push({ kind: "group", id: family, family, label: "", depth: 0, columns, isOpen });
    if (!isOpen) continue;
    // The names of attributes are words of their own.
    if (family === "attributes") {
      for (const name of names) rows.push({ kind: "column", id: `${family}.${name}`, family, label: name, depth: 1 });
    } else addRows(rows, family, branchOf(names), "", 1, isClosed);
  }
  return rows;
}

/** Show or hide columns: what is shown in addition comes last, what was shown stays in its place. */
export function setShown(shown: readonly string[], columns: readonly string[], isShown: boolean): string[] {
  const changed = new Set(columns);
  if (!isShown) return shown.filter((name) => !changed.has(name));
  const before = new Set(shown);
  return [...shown, ...columns.filter((name) => !before.has(name))];
}

/** How many columns of a group are shown: none, some or all. */
export function shareShown(columns: readonly string[], shown: ReadonlySet<string>): "none" | "some" | "all" {
  const count = columns.filter((name) => shown.has(name)).length;
  return count === 0 ? "none" : count === columns.length ? "all" : "some";
}

/** The shown columns as the table has them: what is pinned first. */
export function pinnedFirst(shown: readonly string[], pinned: ReadonlySet<string>): string[] {
  return [...shown.filter((name) => pinned.has(name)), ...shown.filter((name) => !pinned.has(name))];
}

/**
 * Move the column at one place to another. It stays among the pinned, or among the others, as it was.
 *
 * Args:
 *   ordered: as `pinnedFirst` gives them.
 *   firstFree: places before this one are never moved nor taken.
 */
export function moveColumn(
  ordered: readonly string[],
  pinned: ReadonlySet<string>,
  from: number,
  to: number,
  firstFree = 0,
): string[] {
  const name = ordered[from];
  if (name === undefined || from < firstFree) return [...ordered];
  const pinnedCount = ordered.filter((each) => pinned.has(each)).length;
  const [low, high] = pinned.has(name)
    ? [firstFree, pinnedCount - 1]
    : [Math.max(firstFree, pinnedCount), ordered.length - 1];
  const place = Math.max(low, Math.min(high, to));
  const rest = ordered.filter((_, at) => at !== from);
  rest.splice(place, 0, name);
  return rest;
}

function branchOf(names: string[], prefix = ""): Branch {
  const branch: Branch = { prefix, branches: new Map(), leaves: [] };
  const parts = new Map<string, string[]>();
  for (const name of names) {
    const part = /^[^/.]*[/.]+(?=.)/.exec(name.slice(prefix.length))?.[0] ?? "";
    const within = parts.get(part);
    if (within) within.push(name);
    else parts.set(part, [name]);
  }
  for (const [part, within] of parts) {
    // What a single name starts with is no group.
    if (part === "" || within.length === 1) branch.leaves.push(...within);
    else branch.branches.set(part, branchOf(within, prefix + part));
  }
  return branch;
}

function addRows(
  rows: TreeRow[],
  family: Family,
  branch: Branch,
  shownPrefix: string,
  depth: number,
  isClosed: (id: string) => boolean,
): void {
  for (let inner of branch.branches.values()) {
    // A group with nothing but one group in it is that group: `a/b/` rather than `b/` in `a/`.
    while (inner.leaves.length === 0 && inner.branches.size === 1) inner = [...inner.branches.values()][0]!;
    const id = `${family}.${inner.prefix}`;
    const isOpen = !isClosed(id);
    const columns = namesIn(inner).map((name) => `${family}.${name}`);
    const label = inner.prefix.slice(shownPrefix.length);
    rows.push({ kind: "group", id, family, label, depth, columns, isOpen });
    if (isOpen) addRows(rows, family, inner, inner.prefix, depth + 1, isClosed);
  }
  for (const name of branch.leaves) {
    rows.push({ kind: "column", id: `${family}.${name}`, family, label: name.slice(shownPrefix.length), depth });
  }
}

function namesIn(branch: Branch): string[] {
  return [...[...branch.branches.values()].flatMap(namesIn), ...branch.leaves];
}
