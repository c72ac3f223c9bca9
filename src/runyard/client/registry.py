"""Typed calls of the model registry's API, and of that of logged models, over a transport."""

from __future__ import annotations

from collections.abc import Sequence

from runyard.client.transport import Transport
from runyard.wire.logged_models import (
    LoggedModel,
    LoggedModelId,
    LoggedModelResponse,
    SearchLoggedModels,
    SearchLoggedModelsResponse,
    SearchOrder,
)
from runyard.wire.model_versions import (
    DownloadUriResponse,
    ModelVersion,
    ModelVersionResponse,
    ModelVersionsResponse,
    VersionRequest,
)
from runyard.wire.registered_models import AliasName, GetLatestVersions


def get_download_uri(transport: Transport, name: str, version: str) -> str:
    """Return where the files of a model version are."""
    request = VersionRequest(name=name, version=version)
    return transport.request("GET", "model-versions/get-download-uri", request, DownloadUriResponse).artifact_uri


def get_version_by_alias(transport: Transport, name: str, alias: str) -> ModelVersion:
    request = AliasName(name=name, alias=alias)
    return transport.request("GET", "registered-models/alias", request, ModelVersionResponse).model_version


def get_latest_versions(transport: Transport, name: str, stages: Sequence[str] = ()) -> list[ModelVersion]:
    """Return the newest version of each stage; without stages, of all."""
    request = GetLatestVersions(name=name, stages=list(stages))
    path = "registered-models/get-latest-versions"
    return transport.request("POST", path, request, ModelVersionsResponse, is_idempotent=True).model_versions


def get_logged_model(transport: Transport, model_id: str) -> LoggedModel:
    # The path names the model; the query says nothing more.
    request = LoggedModelId(model_id=model_id)
    return transport.request("GET", f"logged-models/{model_id}", request, LoggedModelResponse).model


def find_logged_model_of_run(transport: Transport, experiment_id: str, run_id: str, name: str) -> LoggedModel | None:
    """Return the newest logged model of that name that a run made, if there is one."""
    quoted = name.replace("'", "''")
    request = SearchLoggedModels(
        experiment_ids=[experiment_id],
        filter=f"source_run_id = '{run_id}' AND name = '{quoted}'",
        max_results=1,
        order_by=[SearchOrder("creation_timestamp", ascending=False)],
    )
    path = "logged-models/search"
    found = transport.request("POST", path, request, SearchLoggedModelsResponse, is_idempotent=True).models
    return found[0] if found else None
