"""Registered models on the wire."""

from __future__ import annotations

from runyard.wire.base import Int64, Request, Response, Tag, TagInput
from runyard.wire.model_versions import ModelVersion


class Alias(Response):
    alias: str
    version: str


class RegisteredModel(Response):
    name: str
    creation_timestamp: int
    last_updated_timestamp: int
    description: str
    latest_versions: list[ModelVersion] = []
    tags: list[Tag] = []
    aliases: list[Alias] = []


class CreateRegisteredModel(Request):
    name: str
    tags: list[TagInput] | None = None
    description: str | None = None


class RenameRegisteredModel(Request):
    name: str
    new_name: str


class UpdateRegisteredModel(Request):
    name: str
    description: str | None = None


class RegisteredModelName(Request):
    """The request of registered-models/get and delete."""

    name: str


class RegisteredModelResponse(Response):
    registered_model: RegisteredModel


class SearchRegisteredModels(Request):
    filter: str | None = None
    max_results: Int64 | None = None
    order_by: list[str] | None = None
    page_token: str | None = None


class SearchRegisteredModelsResponse(Response):
    registered_models: list[RegisteredModel] = []
    next_page_token: str | None = None


class GetLatestVersions(Request):
    name: str
    stages: list[str] | None = None


class SetRegisteredModelTag(Request):
    name: str
    key: str
    value: str


class DeleteRegisteredModelTag(Request):
    name: str
    key: str


class SetAlias(Request):
    name: str
    alias: str
    version: str | Int64


class AliasName(Request):
    """The request of registered-models/alias to get and to delete."""

    name: str
    alias: str
