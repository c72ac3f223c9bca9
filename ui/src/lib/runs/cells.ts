// The cells that the runs table has read: fetched for what is in view, kept for what was, and bounded.

/** A text, a number (those that JSON cannot hold as a word), names, or nothing. */
export type Cell = string | number | string[] | null;

/** Reads some columns of some runs: by column, one cell a run, for the runs that are there. */
export type ReadCells = (
  runIds: string[],
  columns: string[],
  signal: AbortSignal,
) => Promise<{ run_ids: string[]; columns: Record<string, Cell[]> }>;

type Row = Map<string, Cell>;

const MAX_ROWS = 4000;
const NOTHING: Row = new Map();

/**
 * Rows by run id. A row's map is replaced when cells come, so that a component can compare it with the one it drew.
 *
 * `want` says what is in view; what is missing of it is asked for in one request at a time, and a request for what went
 * out of view before it was sent is never made.
 */
export class CellStore {
  private rows = new Map<string, Row>();
  private watchers = new Map<string, Set<() => void>>();
  private wanted: { runIds: string[]; columns: string[] } = { runIds: [], columns: [] };
  private current?: AbortController;
  private gone = new Set<string>();

  constructor(
    private readonly read: ReadCells,
    private readonly onError: (error: Error) => void,
    private readonly maxRows = MAX_ROWS,
  ) {}

  row(runId: string): Row {
    return this.rows.get(runId) ?? NOTHING;
  }

  watch(runId: string, watcher: () => void): () => void {
    const watchers = this.watchers.get(runId) ?? new Set();
    this.watchers.set(runId, watchers.add(watcher));
    return () => {
      watchers.delete(watcher);
      if (watchers.size === 0) this.watchers.delete(runId);
    };
  }

  /** Say what is in view. */
  want(runIds: string[], columns: string[]): void {
    this.wanted = { runIds, columns };
    if (this.current === undefined) void this.fill();
  }

  /** Read what is in view again, and replace what has changed. */
  async refresh(signal?: AbortSignal): Promise<void> {
    const { runIds, columns } = this.wanted;
    if (runIds.length === 0 || columns.length === 0) return;
    const answer = await this.read(runIds, columns, signal ?? new AbortController().signal);
    this.keep(answer);
  }

  stop(): void {
    this.wanted = { runIds: [], columns: [] };
    this.current?.abort();
  }

  private async fill(): Promise<void> {
    for (;;) {
      const missing = this.missing();
      if (missing === undefined) return;
      this.current = new AbortController();
      try {
        const answer = await this.read(missing.runIds, missing.columns, this.current.signal);
        this.keep(answer);
        // What is not there any more is not asked for again.
        const found = new Set(answer.run_ids);
        for (const runId of missing.runIds) if (!found.has(runId)) this.gone.add(runId);
      } catch (error) {
        if (!this.current.signal.aborted) this.onError(error as Error);
        return;
      } finally {
        this.current = undefined;
      }
    }
  }

  private missing(): { runIds: string[]; columns: string[] } | undefined {
    const { runIds, columns } = this.wanted;
    const lacking = new Set<string>();
    const rows = runIds.filter((runId) => {
      const row = this.row(runId);
      const absent = this.gone.has(runId) ? [] : columns.filter((column) => !row.has(column));
      for (const column of absent) lacking.add(column);
      return absent.length > 0;
    });
    return rows.length > 0 ? { runIds: rows, columns: [...lacking] } : undefined;
  }

  private keep(answer: { run_ids: string[]; columns: Record<string, Cell[]> }): void {
    const columns = Object.entries(answer.columns);
    answer.run_ids.forEach((runId, at) => {
      const old = this.row(runId);
      const isSame = columns.every(([name, cells]) => old.has(name) && isEqual(old.get(name)!, cells[at]!));
      const row = isSame && old !== NOTHING ? old : new Map(old);
      if (row !== old) for (const [name, cells] of columns) row.set(name, cells[at]!);
      // Set anew, so that the map's order is that of use.
      this.rows.delete(runId);
      this.rows.set(runId, row);
      if (row !== old) for (const watcher of this.watchers.get(runId) ?? []) watcher();
    });
    for (const runId of this.rows.keys()) {
      if (this.rows.size <= this.maxRows) break;
      if (!this.watchers.has(runId)) this.rows.delete(runId);
    }
  }
}

function isEqual(first: Cell, second: Cell): boolean {
  if (Array.isArray(first) && Array.isArray(second)) {
    return first.length === second.length && first.every((name, at) => name === second[at]);
  }
  return first === second;
}
