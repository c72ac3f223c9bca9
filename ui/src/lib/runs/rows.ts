// The rows of the runs table as one list: runs, the children of those that are open, groups and their runs.

export type TableRow =
  | { kind: "run"; key: string; runId: string; depth: number; isOpen: boolean }
  | { kind: "group"; key: string; group: number; isOpen: boolean }
  | { kind: "loading"; key: string; depth: number };

/** What is open: the ids of runs beneath a run or a group, by its key; undefined while they are being read. */
export type OpenRows = ReadonlyMap<string, readonly string[] | undefined>;

/** The runs in their order, each followed by its children where it is open. */
export function runRows(runIds: readonly string[], open: OpenRows): TableRow[] {
  const rows: TableRow[] = [];
  for (const runId of runIds) addRun(rows, runId, "", 0, open);
  return rows;
}

/** The groups by their keys, each followed by its runs where it is open. */
export function groupRows(keys: readonly string[], open: OpenRows): TableRow[] {
  const rows: TableRow[] = [];
  keys.forEach((key, group) => {
    const isOpen = open.has(key);
    rows.push({ kind: "group", key, group, isOpen });
    if (isOpen) addBelow(rows, key, `${key}/`, 1, open);
  });
  return rows;
}

/** The least range of whole blocks of `size` that holds the items from `first` to `last`; what is returned as `last` is exclusive. */
export function blockOf(first: number, last: number, size: number): { first: number; last: number } {
  return { first: Math.floor(first / size) * size, last: Math.ceil((last + 1) / size) * size };
}

/** A group's key: what its runs have in common. */
export function groupKey(values: readonly (string | null)[]): string {
  return `group ${JSON.stringify(values)}`;
}

/** `path` holds the ids of what is above, each followed by a slash: a row's key is its whole path. */
function addRun(rows: TableRow[], runId: string, path: string, depth: number, open: OpenRows): void {
  // A run that names one below it as its parent is not opened again inside itself.
  const isOpen = open.has(runId) && !path.includes(`${runId}/`);
  rows.push({ kind: "run", key: path + runId, runId, depth, isOpen });
  if (isOpen) addBelow(rows, runId, `${path}${runId}/`, depth + 1, open);
}

function addBelow(rows: TableRow[], key: string, path: string, depth: number, open: OpenRows): void {
  const below = open.get(key);
  if (below === undefined) rows.push({ kind: "loading", key: `${path}loading`, depth });
  else for (const runId of below) addRun(rows, runId, path, depth, open);
}
