import { useQuery, useQueryClient } from "@tanstack/react-query";
import { api, ask } from "../../api/client";
import { experimentQuery } from "../../api/experiments";
import { Dialog } from "../../components/Dialog";
import { EditableMarkdown } from "../../components/Markdown";
import { Loading, Problem } from "../../components/Problem";
import { Tags } from "../../components/Tags";
import { CopyButton, Time } from "../../components/Text";
import { useStrings } from "../../i18n";

const NOTE_TAG = "mlflow.note.content";

/** What an experiment is about: its description and tags, edited in place, and where its artifacts are. */
export function ExperimentInformation({ experimentId, onClose }: { experimentId: string; onClose: () => void }) {
  const t = useStrings();
  const queries = useQueryClient();
  const { data: experiment, error } = useQuery(experimentQuery(experimentId));
  const reread = () =>
    Promise.all([
      queries.invalidateQueries({ queryKey: ["experiment", experimentId] }),
      queries.invalidateQueries({ queryKey: ["experiments"] }),
    ]);
  const setTag = async (key: string, value: string) => {
    await ask(
      api.POST("/api/2.0/mlflow/experiments/set-experiment-tag", {
        body: { experiment_id: experimentId, key, value },
      }),
    );
    await reread();
  };
  const removeTag = async (key: string) => {
    await ask(
      api.POST("/api/2.0/mlflow/experiments/delete-experiment-tag", { body: { experiment_id: experimentId, key } }),
    );
    await reread();
  };
  const tags = experiment?.tags ?? [];
  return (
    <Dialog title={experiment?.name ?? t.runs.information} onClose={onClose} wide>
      {error && <Problem error={error} />}
      {!experiment && !error && <Loading />}
      {experiment && (
        <div className="stack">
          <EditableMarkdown
            text={tags.find(({ key }) => key === NOTE_TAG)?.value ?? ""}
            onSave={(text) => setTag(NOTE_TAG, text)}
          />
          <h3>{t.common.tags}</h3>
          <Tags tags={tags} onSet={setTag} onRemove={removeTag} />
          <div className="row wrap muted">
            <span>
              {t.runs.attributes.experiment_id} <span className="mono">{experimentId}</span>
            </span>
            <CopyButton text={experimentId} what={t.runs.attributes.experiment_id ?? ""} />
            <span>
              {t.common.created} <Time timeMs={experiment.creation_time} />
            </span>
          </div>
          <div className="row wrap muted">
            <span>
              {t.runs.attributes.artifact_uri} <span className="mono">{experiment.artifact_location}</span>
            </span>
          </div>
        </div>
      )}
    </Dialog>
  );
}
