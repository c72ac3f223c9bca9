// What a model version came from: datasets, the run, the logged model, in the order in which one led to the next.
import type { LoggedModel, ModelVersion, Run } from "../../api/schema";
import { parseSource } from "./sources";

export type LineageNode =
  | { kind: "dataset"; name: string; digest: string; contexts: string[] }
  | { kind: "run"; runId: string; name?: string; experimentId?: string }
  | { kind: "logged-model"; modelId: string; name?: string; experimentId?: string }
  | { kind: "version"; name: string; version: string; isThis: boolean };

const CONTEXT_TAG = "mlflow.data.context";

/** The steps of a version's lineage, the first first; each holds what stands beside each other. */
export function lineageOf(version: ModelVersion, run?: Run, loggedModel?: LoggedModel): LineageNode[][] {
  const source = parseSource(version.source);
  const steps: LineageNode[][] = [datasetsOf(run)];
  if (version.run_id) {
    const { run_name: name, experiment_id: experimentId } = run?.info ?? {};
    steps.push([{ kind: "run", runId: version.run_id, name, experimentId }]);
  }
  const modelId = version.model_id ?? (source.kind === "logged-model" ? source.modelId : undefined);
  if (modelId) {
    const { name, experiment_id: experimentId } = loggedModel?.info ?? {};
    steps.push([{ kind: "logged-model", modelId, name, experimentId }]);
  }
  if (source.kind === "version") {
    steps.push([{ kind: "version", name: source.name, version: source.version, isThis: false }]);
  }
  steps.push([{ kind: "version", name: version.name, version: version.version, isThis: true }]);
  return steps.filter((step) => step.length > 0);
}

/** The datasets that a run read; one that was read for several purposes comes once. */
function datasetsOf(run?: Run): Extract<LineageNode, { kind: "dataset" }>[] {
  const found = new Map<string, Extract<LineageNode, { kind: "dataset" }>>();
  for (const { dataset, tags = [] } of run?.inputs?.dataset_inputs ?? []) {
    const key = JSON.stringify([dataset.name, dataset.digest]);
    const node = found.get(key) ?? { kind: "dataset", name: dataset.name, digest: dataset.digest, contexts: [] };
    const context = tags.find((tag) => tag.key === CONTEXT_TAG)?.value;
    if (context && !node.contexts.includes(context)) node.contexts.push(context);
    found.set(key, node);
  }
  return [...found.values()];
}
