// How far something that is done to many runs has come, and what to say of it at the end.
import { useId, useRef, useState } from "react";
import { Button } from "../../components/Button";
import { currentStrings, useStrings } from "../../i18n";
import { showToast } from "../../components/Toasts";
import { type BulkOptions, type BulkResult, changeRuns, PART, type RunChange } from "../../lib/bulk";

export type BulkKind = "delete" | "restore" | "tag" | "removeTag" | "purge" | "undo";

export interface BulkWork {
  kind: BulkKind;
  done: number;
  total: number;
}

// One request is done before a bar could be read.
const MIN_SHOWN = PART;

interface Bulk {
  /** What is under way, where it takes long enough to be shown. */
  work: BulkWork | undefined;
  run(kind: BulkKind, total: number, work: (options: BulkOptions) => Promise<BulkResult>): Promise<BulkResult>;
  stop: () => void;
}

export function useBulk(): Bulk {
  const [work, setWork] = useState<BulkWork>();
  const controller = useRef<AbortController>(undefined);
  return {
    work,
    async run(kind, total, start) {
      const { signal } = (controller.current = new AbortController());
      const isShown = total > MIN_SHOWN;
      if (isShown) setWork({ kind, done: 0, total });
      try {
        return await start({ signal, onProgress: (done) => isShown && setWork({ kind, done, total }) });
      } finally {
        setWork(undefined);
      }
    },
    stop: () => controller.current?.abort(),
  };
}

/** What came of it, in one sentence: how many, and how many not and why. */
export function tellResult(kind: BulkKind, { done, failed, isStopped }: BulkResult, total: number): string {
  const t = currentStrings().runActions;
  if (done.length === total) return t.done[kind](total);
  const parts = [t.doneOf[kind](done.length, total)];
  if (failed[0]) parts.push(t.failed(failed.length, failed[0].message));
  if (isStopped) parts.push(t.stopped);
  return parts.join("; ");
}

/** What takes something back, and from which runs. */
export interface Undo {
  runIds: string[];
  change: RunChange;
}

/** Take back what was done to runs; of many it is told that it goes on, for there is no place left to show how far. */
export async function undoRuns(undos: Undo[]): Promise<void> {
  const t = currentStrings().runActions;
  const total = undos.reduce((sum, { runIds }) => sum + runIds.length, 0);
  const isLong = total > MIN_SHOWN;
  if (isLong) showToast(t.working.undo(total));
  const result: BulkResult = { done: [], failed: [], isStopped: false };
  for (const { runIds, change } of undos) {
    const { done, failed } = await changeRuns(runIds, change);
    result.done.push(...done);
    result.failed.push(...failed);
  }
  if (result.failed.length > 0) throw new Error(tellResult("undo", result, total));
  if (isLong) showToast(t.done.undo(total));
}

export function BulkProgress({ work, onCancel }: { work: BulkWork; onCancel?: () => void }) {
  const t = useStrings();
  const id = useId();
  return (
    <div className="bulk-progress">
      <label htmlFor={id}>{t.runActions.working[work.kind](work.total)}</label>
      <progress id={id} value={work.done} max={work.total} />
      <span className="muted numeric">{t.runActions.progress(work.done, work.total)}</span>
      {onCancel && <Button onClick={onCancel}>{t.common.cancel}</Button>}
    </div>
  );
}
