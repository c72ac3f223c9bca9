// Which runs are selected, and how clicks and keys change that. Selections are never changed in place.

export type Selection = ReadonlySet<string>;

export function toggled(selection: Selection, runId: string): Selection {
  const next = new Set(selection);
  if (!next.delete(runId)) next.add(runId);
  return next;
}

/**
 * The selection after a click with Shift: from `anchor` to `target`, both rows of `runIds` and both included, everything
 * gets the state of the anchor. Rows that are no runs are undefined in `runIds`.
 */
export function extended(
  selection: Selection,
  runIds: readonly (string | undefined)[],
  anchor: number,
  target: number,
): Selection {
  const anchorId = runIds[anchor];
  const isOn = anchorId === undefined || selection.has(anchorId);
  const next = new Set(selection);
  for (let at = Math.min(anchor, target); at <= Math.max(anchor, target); at++) {
    const runId = runIds[at];
    if (runId === undefined) continue;
    if (isOn) next.add(runId);
    else next.delete(runId);
  }
  return next;
}

/** The scroll position at which `anchor` stands where it stood, after the list has changed; undefined where it is gone. */
export function keptScroll(
  anchor: string,
  offsetInView: number,
  runIds: readonly string[],
  rowHeight: number,
): number | undefined {
  const at = runIds.indexOf(anchor);
  return at < 0 ? undefined : Math.max(0, at * rowHeight - offsetInView);
}
