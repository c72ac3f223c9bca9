// Logged models as a table: their metrics, their datasets, their status.
import type { LoggedModel, Metric } from "../../api/schema";

export interface DatasetRef {
  name: string;
  digest: string;
}

/** The names of all metrics of the models, sorted. */
export function metricNames(models: LoggedModel[]): string[] {
  const names = models.flatMap((model) => (model.data.metrics ?? []).map((metric) => metric.key));
  return [...new Set(names)].sort((a, b) => a.localeCompare(b));
}

/** The datasets that metrics of the models were measured on. */
export function metricDatasets(models: LoggedModel[]): DatasetRef[] {
  const found = new Map<string, DatasetRef>();
  for (const model of models) {
    for (const { dataset_name: name, dataset_digest: digest } of model.data.metrics ?? []) {
      if (name) found.set(datasetKey({ name, digest: digest ?? "" }), { name, digest: digest ?? "" });
    }
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name) || a.digest.localeCompare(b.digest));
}

/** A text that stands for a dataset, as an option's value. */
export function datasetKey(dataset: DatasetRef): string {
  return JSON.stringify([dataset.name, dataset.digest]);
}

/** The dataset that a text of `datasetKey` stands for. */
export function datasetOf(key: string): DatasetRef | undefined {
  if (key === "") return undefined;
  const [name, digest] = JSON.parse(key) as [string, string];
  return { name, digest };
}

/** A model's newest value of a metric: on the dataset, or on any. */
export function metricOf(model: LoggedModel, key: string, dataset?: DatasetRef): Metric | undefined {
  let newest: Metric | undefined;
  for (const metric of model.data.metrics ?? []) {
    if (metric.key !== key) continue;
    if (dataset && (metric.dataset_name !== dataset.name || (metric.dataset_digest ?? "") !== dataset.digest)) continue;
    if (!newest || metric.step > newest.step || (metric.step === newest.step && metric.timestamp > newest.timestamp)) {
      newest = metric;
    }
  }
  return newest;
}

/** The metrics that tell about a model, without those of the machine that it was trained on. */
export function ownMetrics(metrics: Metric[]): Metric[] {
  return metrics.filter((metric) => !metric.key.startsWith("system/"));
}

export type LoggedModelState = "pending" | "ready" | "failed" | "unknown";

/** The state that a status of the wire, such as LOGGED_MODEL_READY, means. */
export function loggedModelState(status: string): LoggedModelState {
  const word = status.replace(/^LOGGED_MODEL_/, "");
  return ({ PENDING: "pending", READY: "ready", UPLOAD_FAILED: "failed" } as const)[word] ?? "unknown";
}

/** The state that the status of a model version means. */
export function versionState(status: string): LoggedModelState {
  const states: Record<string, LoggedModelState> = {
    PENDING_REGISTRATION: "pending",
    READY: "ready",
    FAILED_REGISTRATION: "failed",
  };
  return states[status] ?? "unknown";
}
