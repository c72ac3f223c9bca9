import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { moveToStage } from "../../api/modelChanges";
import { versionsInStageQuery } from "../../api/models";
import type { ModelVersion } from "../../api/schema";
import { FormDialog } from "../../components/Dialog";
import { Problem } from "../../components/Problem";
import { showToast } from "../../components/Toasts";
import { useStrings } from "../../i18n";
import { canArchiveOthers, type Stage, stageOf, undoOf } from "../../lib/models/stages";
import { useRefreshModels } from "./refresh";

interface TransitionDialogProps {
  version: ModelVersion;
  target: Stage;
  onClose: () => void;
}

/** Move a version to a stage, and the versions that are there to Archived if they are to leave. */
export function TransitionDialog({
  version: { name, version, current_stage },
  target,
  onClose,
}: TransitionDialogProps) {
  const t = useStrings();
  const helpId = useId();
  const refresh = useRefreshModels();
  const queries = useQueryClient();
  const offersArchiving = canArchiveOthers(target);
  const [archivesOthers, setArchivesOthers] = useState(offersArchiving);
  const inStage = useQuery({ ...versionsInStageQuery(name, target), enabled: offersArchiving });
  const stageName = t.models.stageNames[target];

  async function move() {
    // Who is there is asked for once more, so that undoing brings back those who were there at that moment.
    const archived = archivesOthers ? await queries.fetchQuery(versionsInStageQuery(name, target)) : [];
    const others = archived.map((other) => other.version).filter((other) => other !== version);
    await moveToStage(name, version, target, archivesOthers);
    await refresh();
    showToast(t.models.moved(version, stageName, others.length), {
      undo: async () => {
        for (const step of undoOf(version, stageOf(current_stage), target, others)) {
          await moveToStage(name, step.version, step.stage, false);
        }
        await refresh();
      },
    });
  }

  return (
    <FormDialog
      title={t.models.moveVersion(version, stageName)}
      submitLabel={t.models.move}
      onClose={onClose}
      onSubmit={move}
    >
      <p>{t.models.moveHelp}</p>
      {offersArchiving && (
        <div className="stack">
          <label className="checkbox">
            <input
              type="checkbox"
              checked={archivesOthers}
              aria-describedby={helpId}
              onChange={(event) => setArchivesOthers(event.target.checked)}
            />
            {t.models.archiveOthers}
          </label>
          <p id={helpId} className="muted">
            {inStage.data &&
              t.models.archiveOthersHelp(
                stageName,
                inStage.data.map((other) => other.version),
              )}
          </p>
          {inStage.error && <Problem error={inStage.error} onRetry={inStage.refetch} />}
        </div>
      )}
    </FormDialog>
  );
}
