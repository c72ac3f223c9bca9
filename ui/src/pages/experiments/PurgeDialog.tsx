import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { ConfirmDialog } from "../../components/Dialog";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { sizeOf, type Trashed } from "../../lib/trash";
import { purge, rereadAll } from "./trashed";

interface PurgeDialogProps {
  title: string;
  /** What exactly will be gone. */
  text: string;
  /** Gives what is deleted, once it is confirmed. */
  collect: () => Promise<Trashed>;
  onClose: () => void;
}

/** Deletes things for good, and tells how far it is. */
export function PurgeDialog({ title, text, collect, onClose }: PurgeDialogProps) {
  const t = useStrings();
  const queries = useQueryClient();
  const [progress, setProgress] = useState<{ done: number; total: number }>();
  async function confirm() {
    const trashed = await collect();
    const total = sizeOf(trashed);
    setProgress({ done: 0, total });
    try {
      const { experimentCount, runCount, keptCount } = await purge(trashed, (done) => setProgress({ done, total }));
      showToast(t.experiments.purged(experimentCount, runCount));
      if (keptCount > 0) showToast(t.experiments.keptInTrash(keptCount));
    } finally {
      // What was deleted before something went wrong is gone.
      setProgress(undefined);
      await rereadAll(queries);
    }
  }
  return (
    <ConfirmDialog
      title={title}
      submitLabel={t.common.deleteForGood}
      typed={t.experiments.confirmWord}
      onConfirm={confirm}
      onClose={onClose}
    >
      <div className="stack">
        <p>{text}</p>
        {progress && (
          <label className="field">
            <span role="status">{t.experiments.purging(progress.done, progress.total)}</span>
            <progress className="trash-progress" value={progress.done} max={progress.total} />
          </label>
        )}
      </div>
    </ConfirmDialog>
  );
}
