// Changes to the model registry and to logged models.
import { versionState } from "../lib/models/loggedModels";
import { api, ApiError, ask } from "./client";
import type { ModelVersion } from "./schema";

const POLL_MS = 1000;
const REGISTRATION_TIMEOUT_MS = 300_000;

interface Pair {
  key: string;
  value: string;
}

export function createModel(name: string, description: string, tags: Pair[]) {
  return ask(api.POST("/api/2.0/mlflow/registered-models/create", { body: { name, description, tags } }));
}

export function renameModel(name: string, newName: string) {
  return ask(api.POST("/api/2.0/mlflow/registered-models/rename", { body: { name, new_name: newName } }));
}

export function describeModel(name: string, description: string) {
  return ask(api.PATCH("/api/2.0/mlflow/registered-models/update", { body: { name, description } }));
}

export function deleteModel(name: string) {
  return ask(api.DELETE("/api/2.0/mlflow/registered-models/delete", { body: { name } }));
}

export function setModelTag(name: string, key: string, value: string) {
  return ask(api.POST("/api/2.0/mlflow/registered-models/set-tag", { body: { name, key, value } }));
}

export function deleteModelTag(name: string, key: string) {
  return ask(api.DELETE("/api/2.0/mlflow/registered-models/delete-tag", { body: { name, key } }));
}

/** Give a version an alias, which moves there from wherever it was. */
export function setAlias(name: string, alias: string, version: string) {
  return ask(api.POST("/api/2.0/mlflow/registered-models/alias", { body: { name, alias, version } }));
}

export function deleteAlias(name: string, alias: string) {
  return ask(api.DELETE("/api/2.0/mlflow/registered-models/alias", { body: { name, alias } }));
}

export function moveToStage(name: string, version: string, stage: string, archivesOthers: boolean) {
  const body = { name, version, stage, archive_existing_versions: archivesOthers };
  return ask(api.POST("/api/2.0/mlflow/model-versions/transition-stage", { body }));
}

export function describeVersion(name: string, version: string, description: string) {
  return ask(api.PATCH("/api/2.0/mlflow/model-versions/update", { body: { name, version, description } }));
}

export function deleteVersion(name: string, version: string) {
  return ask(api.DELETE("/api/2.0/mlflow/model-versions/delete", { body: { name, version } }));
}

export function setVersionTag(name: string, version: string, key: string, value: string) {
  return ask(api.POST("/api/2.0/mlflow/model-versions/set-tag", { body: { name, version, key, value } }));
}

export function deleteVersionTag(name: string, version: string, key: string) {
  return ask(api.DELETE("/api/2.0/mlflow/model-versions/delete-tag", { body: { name, version, key } }));
}

interface NewVersion {
  name: string;
  source: string;
  runId?: string;
  modelId?: string;
  description: string;
  tags: Pair[];
}

/** Make a version, and wait until it is ready; an ApiError with the server's words where it failed. */
export async function createVersion({ name, source, runId, modelId, description, tags }: NewVersion) {
  const body = { name, source, run_id: runId, model_id: modelId, description, tags };
  let { model_version: made } = await ask(api.POST("/api/2.0/mlflow/model-versions/create", { body }));
  const deadline = Date.now() + REGISTRATION_TIMEOUT_MS;
  while (versionState(made.status) === "pending" && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    made = await getVersion(name, made.version);
  }
  if (versionState(made.status) === "failed") throw new ApiError(500, made.status, made.status_message || made.status);
  return made;
}

async function getVersion(name: string, version: string): Promise<ModelVersion> {
  const query = { name, version };
  return (await ask(api.GET("/api/2.0/mlflow/model-versions/get", { params: { query } }))).model_version;
}

export function setLoggedModelTag(modelId: string, key: string, value: string) {
  const path = { model_id: modelId };
  const body = { tags: [{ key, value }] };
  return ask(api.PATCH("/api/2.0/mlflow/logged-models/{model_id}/tags", { params: { path }, body }));
}

export function deleteLoggedModelTag(modelId: string, key: string) {
  const path = { model_id: modelId, tag_key: key };
  return ask(api.DELETE("/api/2.0/mlflow/logged-models/{model_id}/tags/{tag_key}", { params: { path } }));
}

export function deleteLoggedModel(modelId: string) {
  const path = { model_id: modelId };
  return ask(api.DELETE("/api/2.0/mlflow/logged-models/{model_id}", { params: { path } }));
}
