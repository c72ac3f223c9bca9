import { useQueryClient } from "@tanstack/react-query";
import { ArchiveRestore, Tag, Tags, Trash2 } from "lucide-react";
import { useState } from "react";
import { Button } from "../../components/Button";
import { ConfirmDialog } from "../../components/Dialog";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { changeRuns, purgeRuns, type RunChange } from "../../lib/bulk";
import { BulkProgress, tellResult, undoRuns, useBulk } from "./bulk";
import { RemoveTagDialog, TagDialog } from "./TagDialogs";
import "./BulkActions.css";

interface BulkActionsProps {
  runIds: string[];
  /** Whether the runs are in the trash. */
  isTrash: boolean;
  /** Called when something was done to them. */
  onDone: () => void;
}

const DELETE: RunChange = { lifecycle_stage: "deleted" };
const RESTORE: RunChange = { lifecycle_stage: "active" };

/** What can be done to selected runs, be it one or thousands. */
export function BulkActions({ runIds, isTrash, onDone }: BulkActionsProps) {
  const t = useStrings();
  const queries = useQueryClient();
  const bulk = useBulk();
  const purge = useBulk();
  const [dialog, setDialog] = useState<"tag" | "removeTag" | "purge">();
  const close = () => setDialog(undefined);

  /** Delete or restore, at once: a toast offers the way back. */
  async function move(kind: "delete" | "restore") {
    const [there, back] = kind === "delete" ? ([DELETE, RESTORE] as const) : ([RESTORE, DELETE] as const);
    const result = await bulk.run(kind, runIds.length, (options) => changeRuns(runIds, there, options));
    const undo =
      result.done.length === 0
        ? undefined
        : () => undoRuns([{ runIds: result.done, change: back }]).finally(() => queries.invalidateQueries());
    showToast(tellResult(kind, result, runIds.length), { undo, kind: result.failed.length > 0 ? "bad" : "plain" });
    if (result.done.length > 0) finish();
  }
  /** Lists that were read before, such as that of the trash, are not true any more. */
  function finish() {
    void queries.invalidateQueries();
    onDone();
  }
  async function deleteForGood() {
    const result = await purge.run("purge", runIds.length, (options) => purgeRuns(runIds, options));
    if (result.done.length === 0 && result.failed[0]) throw new Error(result.failed[0].message);
    const kind = result.failed.length > 0 ? "bad" : "plain";
    showToast(tellResult("purge", result, runIds.length), { kind });
    finish();
  }

  if (bulk.work) return <BulkProgress work={bulk.work} onCancel={bulk.stop} />;
  return (
    <div className="bulk-actions">
      {!isTrash && (
        <>
          <Button onClick={() => setDialog("tag")}>
            <Tag size={14} aria-hidden /> {t.runActions.tag}
          </Button>
          <Button onClick={() => setDialog("removeTag")}>
            <Tags size={14} aria-hidden /> {t.runActions.removeTag}
          </Button>
          <Button kind="danger" onClick={() => move("delete")}>
            <Trash2 size={14} aria-hidden /> {t.common.delete}
          </Button>
        </>
      )}
      {isTrash && (
        <>
          <Button onClick={() => move("restore")}>
            <ArchiveRestore size={14} aria-hidden /> {t.common.restore}
          </Button>
          <Button kind="danger" onClick={() => setDialog("purge")}>
            <Trash2 size={14} aria-hidden /> {t.common.deleteForGood}
          </Button>
        </>
      )}
      {dialog === "tag" && <TagDialog runIds={runIds} onDone={onDone} onClose={close} />}
      {dialog === "removeTag" && <RemoveTagDialog runIds={runIds} onDone={onDone} onClose={close} />}
      {dialog === "purge" && (
        <ConfirmDialog
          title={t.runActions.purgeTitle(runIds.length)}
          submitLabel={t.common.deleteForGood}
          typed={String(runIds.length)}
          onConfirm={deleteForGood}
          onClose={() => {
            purge.stop();
            close();
          }}
        >
          <div className="stack">
            <p>{t.runActions.purgeText(runIds.length)}</p>
            {purge.work && <BulkProgress work={purge.work} />}
          </div>
        </ConfirmDialog>
      )}
    </div>
  );
}
