"""Logged models: what runs make, before anyone registers it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from starlette.concurrency import run_in_threadpool

from runyard.errors import InvalidParameter
from runyard.server.endpoints import Routes
from runyard.server.routes.artifacts import list_entries
from runyard.server.services import Services
from runyard.store import logged_models
from runyard.wire.artifacts import FileInfo
from runyard.wire.base import EMPTY, Empty, Tag, TagInput
from runyard.wire.logged_models import (
    CreateLoggedModel,
    DeleteLoggedModelTag,
    FinalizeLoggedModel,
    ListLoggedModelArtifacts,
    ListLoggedModelArtifactsResponse,
    LoggedModelId,
    LoggedModelResponse,
    LogLoggedModelParams,
    SearchLoggedModels,
    SearchLoggedModelsResponse,
    SetLoggedModelTags,
)
from runyard.wire.names import (
    MAX_PARAM_VALUE_LENGTH,
    MAX_RUN_TAG_VALUE_LENGTH,
    check_key,
    check_length,
    check_present,
    shown,
)

DEFAULT_PAGE: Final = 50
MAX_PAGE: Final = 1000
MAX_NAME_LENGTH: Final = 500
_REFUSED_IN_NAME: Final = re.compile(r"[/:.%\"']")

routes = Routes("logged models")


@routes.post("logged-models")
def create_logged_model(services: Services, request: CreateLoggedModel) -> LoggedModelResponse:
    """Create a model in an experiment, pending until its files are there."""
    check_present("experiment_id", request.experiment_id)
    if request.name:
        _check_name(request.name)
    return LoggedModelResponse(
        model=services.database.write(
            logged_models.create_logged_model,
            request.experiment_id,
            name=request.name,
            model_type=request.model_type,
            source_run_id=request.source_run_id,
            params=_pairs("param", request.params, MAX_PARAM_VALUE_LENGTH),
            tags=_pairs("tag", request.tags, MAX_RUN_TAG_VALUE_LENGTH),
        )
    )


@routes.get("logged-models/{model_id}")
def get_logged_model(services: Services, request: LoggedModelId) -> LoggedModelResponse:
    """Get a model with its params, tags and metrics."""
    return LoggedModelResponse(model=services.database.read(logged_models.get_logged_model, request.model_id))


@routes.patch("logged-models/{model_id}")
def finalize_logged_model(services: Services, request: FinalizeLoggedModel) -> LoggedModelResponse:
    """Say that a model's files are all there, or that their upload failed."""
    return LoggedModelResponse(
        model=services.database.write(logged_models.finalize_logged_model, request.model_id, request.status)
    )


@routes.delete("logged-models/{model_id}")
def delete_logged_model(services: Services, request: LoggedModelId) -> Empty:
    """Move a model to the trash."""
    services.database.write(logged_models.delete_logged_model, request.model_id)
    return EMPTY


@routes.post("logged-models/search", reads=True)
def search_logged_models(services: Services, request: SearchLoggedModels) -> SearchLoggedModelsResponse:
    """Search the models of some experiments by a filter, a page at a time."""
    max_results = DEFAULT_PAGE if request.max_results is None else request.max_results
    if not 1 <= max_results <= MAX_PAGE:
        raise InvalidParameter(f"Invalid value {max_results} for max_results: it must be between 1 and {MAX_PAGE}")
    found, next_page_token = services.database.read(
        logged_models.search_logged_models,
        experiment_ids=request.experiment_ids or (),
        filter_text=request.filter,
        datasets=request.datasets or (),
        order_by=request.order_by or (),
        max_results=max_results,
        page_token=request.page_token,
    )
    return SearchLoggedModelsResponse(models=found, next_page_token=next_page_token)


@routes.post("logged-models/{model_id}/params")
def log_logged_model_params(services: Services, request: LogLoggedModelParams) -> Empty:
    """Add params to a model; a param's value cannot be changed."""
    params = _pairs("param", request.params, MAX_PARAM_VALUE_LENGTH)
    services.database.write(logged_models.log_params, request.model_id, params)
    return EMPTY


@routes.patch("logged-models/{model_id}/tags")
def set_logged_model_tags(services: Services, request: SetLoggedModelTags) -> LoggedModelResponse:
    """Set tags of a model; the last write wins."""
    tags = _pairs("tag", request.tags, MAX_RUN_TAG_VALUE_LENGTH)
    return LoggedModelResponse(model=services.database.write(logged_models.set_tags, request.model_id, tags))


@routes.delete("logged-models/{model_id}/tags/{tag_key}")
def delete_logged_model_tag(services: Services, request: DeleteLoggedModelTag) -> Empty:
    """Delete a tag of a model."""
    check_key("tag_key", request.tag_key)
    services.database.write(logged_models.delete_tag, request.model_id, request.tag_key)
    return EMPTY


@routes.get("logged-models/{model_id}/artifacts/directories")
async def list_logged_model_artifacts(
    services: Services, request: ListLoggedModelArtifacts
) -> ListLoggedModelArtifactsResponse:
    """List the files directly below a path of a model."""
    root_uri = await run_in_threadpool(services.database.read, logged_models.get_artifact_uri, request.model_id)
    entries = await list_entries(services, root_uri, request.artifact_directory_path or "")
    return ListLoggedModelArtifactsResponse(
        root_uri=root_uri,
        files=[FileInfo(path=entry.path, is_dir=entry.is_dir, file_size=entry.size_bytes) for entry in entries],
    )


def _check_name(name: str) -> None:
    check_length("name", name, MAX_NAME_LENGTH)
    if _REFUSED_IN_NAME.search(name) is not None:
        raise InvalidParameter(f"Invalid model name {shown(name)}: it may not contain any of / : . % \" '")


def _pairs(kind: str, items: Iterable[TagInput] | None, max_value_length: int) -> list[Tag]:
    pairs = [Tag(item.key, (item.value or "")[:max_value_length]) for item in items or ()]
    for pair in pairs:
        check_key(f"{kind} name", pair.key)
    return pairs
