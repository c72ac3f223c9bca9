// Do one thing to many runs: a part at a time, with what is done and what failed told honestly.
import { api, ask } from "../api/client";
import type { ChangeRuns } from "../api/schema";

/** The server takes 1,000 in one request; fewer let the reader see that it goes on, and stop it. */
export const PART = 250;

export interface BulkFailure {
  id: string;
  message: string;
}

export interface BulkResult {
  done: string[];
  failed: BulkFailure[];
  /** Whether it was stopped before all had their turn. */
  isStopped: boolean;
}

export interface BulkOptions {
  signal?: AbortSignal;
  /** Told how many had their turn, after each part. */
  onProgress?: (count: number) => void;
}

export type RunChange = Omit<ChangeRuns, "run_ids">;

/** Do the same to each of many runs. */
export function changeRuns(runIds: readonly string[], change: RunChange, options?: BulkOptions): Promise<BulkResult> {
  return forEachPart(
    runIds,
    async (run_ids) => {
      const { failed } = await ask(api.POST("/api/1.0/runyard/runs/change", { body: { run_ids, ...change } }));
      return failed.map(({ run_id, message }) => ({ id: run_id, message }));
    },
    options,
  );
}

/** Delete runs of the trash for good. */
export function purgeRuns(runIds: readonly string[], options?: BulkOptions): Promise<BulkResult> {
  return forEachPart(
    runIds,
    async (run_ids) => {
      await ask(api.POST("/api/1.0/runyard/trash/empty", { body: { run_ids } }));
      return [];
    },
    options,
  );
}

/** Call `action` for a part after the other; it returns those that failed, or throws, and all of the part did. */
export async function forEachPart(
  ids: readonly string[],
  action: (ids: string[]) => Promise<BulkFailure[]>,
  { signal, onProgress }: BulkOptions = {},
): Promise<BulkResult> {
  const result: BulkResult = { done: [], failed: [], isStopped: false };
  for (let at = 0; at < ids.length && !signal?.aborted; at += PART) {
    const part = ids.slice(at, at + PART);
    try {
      const failed = await action(part);
      const failedIds = new Set(failed.map(({ id }) => id));
      result.failed.push(...failed);
      result.done.push(...part.filter((id) => !failedIds.has(id)));
    } catch (error) {
      const { message } = error as Error;
      result.failed.push(...part.map((id) => ({ id, message })));
    }
    onProgress?.(result.done.length + result.failed.length);
  }
  result.isStopped = result.done.length + result.failed.length < ids.length;
  return result;
}
