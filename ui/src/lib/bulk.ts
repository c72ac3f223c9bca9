// Do one thing to many runs: a few at a time, with what is done and what failed told honestly.

/** So many requests are under way at a time: browsers keep about as many connections to one server. */
export const CONCURRENCY = 8;

export interface BulkResult {
  done: string[];
  failed: { id: string; message: string }[];
  /** Whether it was stopped before all had their turn. */
  isStopped: boolean;
}

export interface BulkOptions {
  signal?: AbortSignal;
  /** Told how many had their turn, after each. */
  onProgress?: (count: number) => void;
  concurrency?: number;
}

/** Call `action` for each of `ids`; what fails does not keep the others from their turn. */
export async function forEachRun(
  ids: readonly string[],
  action: (id: string) => Promise<unknown>,
  { signal, onProgress, concurrency = CONCURRENCY }: BulkOptions = {},
): Promise<BulkResult> {
  const result: BulkResult = { done: [], failed: [], isStopped: false };
  let next = 0;
  async function work() {
    while (next < ids.length && !signal?.aborted) {
      const id = ids[next++]!;
      try {
        await action(id);
        result.done.push(id);
      } catch (error) {
        result.failed.push({ id, message: (error as Error).message });
      }
      onProgress?.(result.done.length + result.failed.length);
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, ids.length) }, work));
  result.isStopped = result.done.length + result.failed.length < ids.length;
  return result;
}

/** The same for an action that takes many at once; a part that fails fails for all that were in it. */
export async function forEachPart(
  ids: readonly string[],
  size: number,
  action: (ids: string[]) => Promise<unknown>,
  { signal, onProgress }: BulkOptions = {},
): Promise<BulkResult> {
  const result: BulkResult = { done: [], failed: [], isStopped: false };
  for (let at = 0; at < ids.length && !signal?.aborted; at += size) {
    const part = ids.slice(at, at + size);
    try {
      await action(part);
      result.done.push(...part);
    } catch (error) {
      const { message } = error as Error;
      result.failed.push(...part.map((id) => ({ id, message })));
    }
    onProgress?.(result.done.length + result.failed.length);
  }
  result.isStopped = result.done.length + result.failed.length < ids.length;
  return result;
}
