"""Versions of registered models: create, find, change, promote, delete."""

from __future__ import annotations

from runyard.errors import InvalidParameter
from runyard.server.endpoints import Routes
from runyard.server.routes.registry_tags import checked_tag, checked_tags
from runyard.server.services import Services
from runyard.store import model_versions
from runyard.wire.base import EMPTY, Empty
from runyard.wire.model_versions import (
    CreateModelVersion,
    DeleteModelVersionTag,
    DownloadUriResponse,
    ModelVersionResponse,
    ModelVersionsResponse,
    SearchModelVersions,
    SetModelVersionTag,
    TransitionStage,
    UpdateModelVersion,
    VersionRequest,
)
from runyard.wire.names import check_model_name, check_present

MAX_PAGE = 200_000

routes = Routes("model versions")


@routes.post("model-versions/create")
def create_model_version(services: Services, request: CreateModelVersion) -> ModelVersionResponse:
    """Create the next version of a registered model from a logged model, a run's artifact or a URI."""
    check_model_name(request.name)
    check_present("source", request.source)
    return ModelVersionResponse(
        model_version=services.database.write(
            model_versions.create_model_version,
            request.name,
            request.source,
            run_id=request.run_id or "",
            run_link=request.run_link or "",
            description=request.description or "",
            model_id=request.model_id or None,
            tags=checked_tags(request.tags),
        )
    )


@routes.get("model-versions/get")
def get_model_version(services: Services, request: VersionRequest) -> ModelVersionResponse:
    """Get a version with its tags and aliases."""
    check_model_name(request.name)
    return ModelVersionResponse(
        model_version=services.database.read(model_versions.get_model_version, request.name, request.version)
    )


@routes.get("model-versions/get-download-uri")
def get_download_uri(services: Services, request: VersionRequest) -> DownloadUriResponse:
    """Get where the files of a version are."""
    check_model_name(request.name)
    return DownloadUriResponse(
        artifact_uri=services.database.read(model_versions.get_download_uri, request.name, request.version)
    )


@routes.route(("GET", "POST"), "model-versions/search")
def search_model_versions(services: Services, request: SearchModelVersions) -> ModelVersionsResponse:
    """Search versions of all models by a filter, a page at a time."""
    max_results = MAX_PAGE if request.max_results is None else request.max_results
    if not 0 <= max_results <= MAX_PAGE:
        raise InvalidParameter(f"Invalid value {max_results} for max_results: it must be between 0 and {MAX_PAGE}")
    found, next_page_token = services.database.read(
        model_versions.search_model_versions,
        filter_text=request.filter,
        order_by=request.order_by or (),
        max_results=max_results,
        page_token=request.page_token,
    )
    return ModelVersionsResponse(model_versions=found, next_page_token=next_page_token)


@routes.patch("model-versions/update")
def update_model_version(services: Services, request: UpdateModelVersion) -> ModelVersionResponse:
    """Change a version's description."""
    check_model_name(request.name)
    description = request.description or ""
    return ModelVersionResponse(
        model_version=services.database.write(
            model_versions.update_model_version, request.name, request.version, description
        )
    )


@routes.post("model-versions/transition-stage")
def transition_stage(services: Services, request: TransitionStage) -> ModelVersionResponse:
    """Move a version to a stage, and the others there to Archived if asked to."""
    check_model_name(request.name)
    return ModelVersionResponse(
        model_version=services.database.write(
            model_versions.transition_stage,
            request.name,
            request.version,
            request.stage,
            archives_existing=bool(request.archive_existing_versions),
        )
    )


@routes.delete("model-versions/delete")
def delete_model_version(services: Services, request: VersionRequest) -> Empty:
    """Delete a version with its aliases."""
    check_model_name(request.name)
    services.database.write(model_versions.delete_model_version, request.name, request.version)
    return EMPTY


@routes.post("model-versions/set-tag")
def set_model_version_tag(services: Services, request: SetModelVersionTag) -> Empty:
    """Set a tag of a version; the last write wins."""
    check_model_name(request.name)
    tag = checked_tag(request.key, request.value)
    services.database.write(model_versions.set_tag, request.name, request.version, tag.key, tag.value)
    return EMPTY


@routes.delete("model-versions/delete-tag")
def delete_model_version_tag(services: Services, request: DeleteModelVersionTag) -> Empty:
    """Delete a tag of a version."""
    check_model_name(request.name)
    tag = checked_tag(request.key, "")
    services.database.write(model_versions.delete_tag, request.name, request.version, tag.key)
    return EMPTY
