"""Typed calls of the model registry's API, and of that of logged models, over a transport."""

from __future__ import annotations

from collections.abc import Sequence

from runyard.client import answers
from runyard.client.transport import Transport
from runyard.entities import LoggedModel
from runyard.entities.model_registry import ModelVersion
from runyard.wire.logged_models import LoggedModelId, SearchLoggedModels, SearchOrder
from runyard.wire.model_versions import DownloadUriResponse, VersionRequest
from runyard.wire.registered_models import AliasName, GetLatestVersions


def get_download_uri(transport: Transport, name: str, version: str) -> str:
    """Return where the files of a model version are."""
    request = VersionRequest(name=name, version=version)
    return transport.request("GET", "model-versions/get-download-uri", request, DownloadUriResponse).artifact_uri


def get_version_by_alias(transport: Transport, name: str, alias: str) -> ModelVersion:
    request = AliasName(name=name, alias=alias)
    answer = transport.request("GET", "registered-models/alias", request, answers.VersionAnswer)
    return answers.version_of(answer.model_version)


def get_latest_versions(transport: Transport, name: str, stages: Sequence[str] = ()) -> list[ModelVersion]:
    """Return the newest version of each stage; without stages, of all."""
    request = GetLatestVersions(name=name, stages=list(stages))
    path = "registered-models/get-latest-versions"
    answer = transport.request("POST", path, request, answers.VersionsAnswer, is_idempotent=True)
    return [answers.version_of(each) for each in answer.model_versions]


def get_logged_model(transport: Transport, model_id: str) -> LoggedModel:
    # The path names the model; the query says nothing more.
    request = LoggedModelId(model_id=model_id)
    return answers.logged_model_of(
        transport.request("GET", f"logged-models/{model_id}", request, answers.LoggedModelAnswer).model
    )


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
    found = transport.request("POST", path, request, answers.LoggedModelsAnswer, is_idempotent=True).models
    return answers.logged_model_of(found[0]) if found else None
