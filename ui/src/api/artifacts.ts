// Artifacts of runs, logged models and model versions: where they are listed, read and downloaded.
import type { ArtifactSource } from "../pages/artifacts/ArtifactBrowser";
import { ApiError, api, ask, serverUrl } from "./client";
import type { FileInfo } from "./schema";

/** What is directly in a folder; "" is the root. */
export async function listArtifacts(source: ArtifactSource, path: string, signal: AbortSignal): Promise<FileInfo[]> {
  const folder = path === "" ? undefined : path;
  if (source.kind === "model-version") {
    const query = { name: source.name, version: source.version, path: folder };
    const answer = await ask(api.GET("/api/1.0/runyard/model-versions/artifacts", { params: { query }, signal }));
    return answer.files ?? [];
  }
  const answer =
    source.kind === "run"
      ? await ask(
          api.GET("/api/2.0/mlflow/artifacts/list", {
            params: { query: { run_id: source.runId, path: folder } },
            signal,
          }),
        )
      : await ask(
          api.GET("/api/2.0/mlflow/logged-models/{model_id}/artifacts/directories", {
            params: { path: { model_id: source.modelId }, query: { artifact_directory_path: folder } },
            signal,
          }),
        );
  return answer.files ?? [];
}

/** The address of a file; `isInline` for those that a frame of ours shows. */
export function artifactUrl(source: ArtifactSource, path: string, isInline = false): string {
  const inline = isInline ? "true" : undefined;
  if (source.kind === "run") return serverUrl("get-artifact", { run_id: source.runId, path, inline });
  if (source.kind === "model-version") {
    return serverUrl("model-versions/get-artifact", { name: source.name, version: source.version, path, inline });
  }
  const place = `ajax-api/2.0/mlflow/logged-models/${encodeURIComponent(source.modelId)}/artifacts/files`;
  return serverUrl(place, { artifact_file_path: path, inline });
}

/** The address of a folder, or of everything, as a zip file. */
export function archiveUrl(source: ArtifactSource, path: string): string {
  const folder = path === "" ? undefined : path;
  if (source.kind === "run") return serverUrl("get-artifact-archive", { run_id: source.runId, path: folder });
  if (source.kind === "model-version") {
    const { name, version } = source;
    return serverUrl("model-versions/get-artifact-archive", { name, version, path: folder });
  }
  const place = `ajax-api/2.0/mlflow/logged-models/${encodeURIComponent(source.modelId)}/artifacts/archive`;
  return serverUrl(place, { path: folder });
}

/** How clients name the model in a folder. */
export function modelUri(source: ArtifactSource, folder: string): string {
  if (source.kind === "run") return `runs:/${source.runId}/${folder}`;
  return source.kind === "logged-model" ? `models:/${source.modelId}` : `models:/${source.name}/${source.version}`;
}

/** The first bytes of a file, and how many it has in all. */
export async function readHead(
  url: string,
  maxBytes: number,
  signal: AbortSignal,
): Promise<{ bytes: Uint8Array; sizeBytes: number }> {
  const response = await fetch(url, { headers: { Range: `bytes=0-${maxBytes - 1}` }, signal });
  // An empty file has no range of bytes at all.
  if (response.status === 416) return { bytes: new Uint8Array(), sizeBytes: 0 };
  if (!response.ok) throw await errorOf(response);
  const bytes = new Uint8Array(await response.arrayBuffer());
  const total = /\/(\d+)$/.exec(response.headers.get("content-range") ?? "")?.[1];
  return { bytes, sizeBytes: total === undefined ? bytes.length : Number(total) };
}

async function errorOf(response: Response): Promise<ApiError> {
  const body = (await response.json().catch(() => ({}))) as { error_code?: string; message?: string };
  return new ApiError(response.status, body.error_code ?? "", body.message ?? `status ${response.status}`);
}
