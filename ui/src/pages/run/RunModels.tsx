import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api, ask } from "../../api/client";
import { loggedModelQuery } from "../../api/models";
import type { Run } from "../../api/schema";
import { useStrings } from "../../i18n";
import { textLiteral } from "../../lib/runs/scope";

/** The models that a run logged or read, and the versions that were registered from it. */
export function RunModels({ run }: { run: Run }) {
  const t = useStrings();
  const { run_id: runId, experiment_id: experimentId } = run.info;
  const versions = useQuery({
    queryKey: ["models", "of-run", runId],
    queryFn: async ({ signal }) => {
      const query = { filter: `run_id = ${textLiteral(runId)}`, max_results: 100 };
      const answer = await ask(api.GET("/api/2.0/mlflow/model-versions/search", { params: { query }, signal }));
      return answer.model_versions ?? [];
    },
  });
  const logged = [...(run.outputs?.model_outputs ?? []), ...(run.inputs.model_inputs ?? [])];
  const modelIds = [...new Set(logged.map(({ model_id }) => model_id))];
  if (modelIds.length === 0 && !versions.data?.length) return null;
  return (
    <section className="card run-section">
      <h2>{t.run.models}</h2>
      <ul className="run-models">
        {modelIds.map((modelId) => (
          <li key={modelId}>
            <Link to="/experiments/$experimentId/models/$modelId" params={{ experimentId, modelId }}>
              <ModelName modelId={modelId} />
            </Link>
          </li>
        ))}
        {versions.data?.map(({ name, version, current_stage: stage }) => (
          <li key={`${name}/${version}`}>
            <Link to="/models/$name/versions/$version" params={{ name, version }}>
              {name} v{version}
            </Link>{" "}
            {stage && stage !== "None" && <span className="chip">{stage}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** A logged model's name; until it is known, and where the model is gone, its id. */
function ModelName({ modelId }: { modelId: string }) {
  const model = useQuery(loggedModelQuery(modelId));
  return model.data?.info.name || modelId;
}
