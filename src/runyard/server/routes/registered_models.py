"""Registered models: create, find, change, delete, tag, alias."""

from __future__ import annotations

from runyard.errors import InvalidParameter
from runyard.server.endpoints import Routes
from runyard.server.routes.registry_tags import checked_tag, checked_tags
from runyard.server.services import Services
from runyard.store import registered_models
from runyard.wire.base import EMPTY, Empty
from runyard.wire.model_versions import ModelVersionResponse, ModelVersionsResponse
from runyard.wire.names import check_alias, check_model_name, check_present
from runyard.wire.registered_models import (
    AliasName,
    CreateRegisteredModel,
    DeleteRegisteredModelTag,
    GetLatestVersions,
    RegisteredModelName,
    RegisteredModelResponse,
    RenameRegisteredModel,
    SearchRegisteredModels,
    SearchRegisteredModelsResponse,
    SetAlias,
    SetRegisteredModelTag,
    UpdateRegisteredModel,
)

DEFAULT_PAGE = 100
MAX_PAGE = 1000

routes = Routes("registered models")


@routes.post("registered-models/create")
def create_registered_model(services: Services, request: CreateRegisteredModel) -> RegisteredModelResponse:
    """Create a registered model, without versions yet; its name must be free."""
    check_model_name(request.name)
    return RegisteredModelResponse(
        registered_model=services.database.write(
            registered_models.create_registered_model,
            request.name,
            description=request.description or "",
            tags=checked_tags(request.tags),
        )
    )


@routes.get("registered-models/get")
def get_registered_model(services: Services, request: RegisteredModelName) -> RegisteredModelResponse:
    """Get a registered model with its tags, its aliases and the newest version of each stage."""
    check_model_name(request.name)
    return RegisteredModelResponse(
        registered_model=services.database.read(registered_models.get_registered_model, request.name)
    )


@routes.route(("GET", "POST"), "registered-models/search")
def search_registered_models(services: Services, request: SearchRegisteredModels) -> SearchRegisteredModelsResponse:
    """Search registered models by a filter, a page at a time."""
    max_results = DEFAULT_PAGE if request.max_results is None else request.max_results
    if not 0 <= max_results <= MAX_PAGE:
        raise InvalidParameter(f"Invalid value {max_results} for max_results: it must be between 0 and {MAX_PAGE}")
    found, next_page_token = services.database.read(
        registered_models.search_registered_models,
        filter_text=request.filter,
        order_by=request.order_by or (),
        max_results=max_results,
        page_token=request.page_token,
    )
    return SearchRegisteredModelsResponse(registered_models=found, next_page_token=next_page_token)


@routes.post("registered-models/rename")
def rename_registered_model(services: Services, request: RenameRegisteredModel) -> RegisteredModelResponse:
    """Rename a registered model, and so all its versions."""
    check_model_name(request.name)
    check_model_name(request.new_name)
    return RegisteredModelResponse(
        registered_model=services.database.write(
            registered_models.rename_registered_model, request.name, request.new_name
        )
    )


@routes.patch("registered-models/update")
def update_registered_model(services: Services, request: UpdateRegisteredModel) -> RegisteredModelResponse:
    """Change a registered model's description."""
    check_model_name(request.name)
    description = request.description or ""
    return RegisteredModelResponse(
        registered_model=services.database.write(registered_models.update_registered_model, request.name, description)
    )


@routes.delete("registered-models/delete")
def delete_registered_model(services: Services, request: RegisteredModelName) -> Empty:
    """Delete a registered model with all its versions."""
    check_model_name(request.name)
    services.database.write(registered_models.delete_registered_model, request.name)
    return EMPTY


@routes.route(("POST", "GET"), "registered-models/get-latest-versions")
def get_latest_versions(services: Services, request: GetLatestVersions) -> ModelVersionsResponse:
    """Get the newest version of each stage, or of the stages that are named."""
    check_model_name(request.name)
    return ModelVersionsResponse(
        model_versions=services.database.read(registered_models.get_latest_versions, request.name, request.stages or ())
    )


@routes.post("registered-models/set-tag")
def set_registered_model_tag(services: Services, request: SetRegisteredModelTag) -> Empty:
    """Set a tag of a registered model; the last write wins."""
    check_model_name(request.name)
    tag = checked_tag(request.key, request.value)
    services.database.write(registered_models.set_tag, request.name, tag.key, tag.value)
    return EMPTY


@routes.delete("registered-models/delete-tag")
def delete_registered_model_tag(services: Services, request: DeleteRegisteredModelTag) -> Empty:
    """Delete a tag of a registered model."""
    check_model_name(request.name)
    tag = checked_tag(request.key, "")
    services.database.write(registered_models.delete_tag, request.name, tag.key)
    return EMPTY


@routes.post("registered-models/alias")
def set_alias(services: Services, request: SetAlias) -> Empty:
    """Give a version an alias, which moves there from wherever it was."""
    check_model_name(request.name)
    check_alias(request.alias)
    services.database.write(registered_models.set_alias, request.name, request.alias, request.version)
    return EMPTY


@routes.get("registered-models/alias")
def get_version_by_alias(services: Services, request: AliasName) -> ModelVersionResponse:
    """Get the version that has an alias."""
    check_model_name(request.name)
    check_present("alias", request.alias)
    return ModelVersionResponse(
        model_version=services.database.read(registered_models.get_version_by_alias, request.name, request.alias)
    )


@routes.delete("registered-models/alias")
def delete_alias(services: Services, request: AliasName) -> Empty:
    """Delete an alias."""
    check_model_name(request.name)
    check_alias(request.alias)
    services.database.write(registered_models.delete_alias, request.name, request.alias)
    return EMPTY
