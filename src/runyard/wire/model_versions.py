"""Model versions on the wire; a version is text in answers and text or a number in requests."""

from __future__ import annotations

from runyard.wire.base import Int64, Request, Response, Tag, TagInput


class ModelVersion(Response):
    name: str
    version: str
    creation_timestamp: int
    last_updated_timestamp: int
    user_id: str
    current_stage: str
    description: str
    source: str
    run_id: str
    status: str
    run_link: str
    status_message: str | None = None
    model_id: str | None = None
    tags: list[Tag] = []
    aliases: list[str] = []


class CreateModelVersion(Request):
    name: str
    source: str
    run_id: str | None = None
    tags: list[TagInput] | None = None
    run_link: str | None = None
    description: str | None = None
    model_id: str | None = None


class VersionRequest(Request):
    """A request about one version; also the whole of model-versions/get, delete and get-download-uri."""

    name: str
    version: str | Int64


class UpdateModelVersion(VersionRequest):
    description: str | None = None


class TransitionStage(VersionRequest, kw_only=True):
    stage: str
    archive_existing_versions: bool | None = None


class SetModelVersionTag(VersionRequest):
    key: str
    value: str


class DeleteModelVersionTag(VersionRequest):
    key: str


class ModelVersionResponse(Response):
    model_version: ModelVersion


class DownloadUriResponse(Response):
    artifact_uri: str


class SearchModelVersions(Request):
    filter: str | None = None
    max_results: Int64 | None = None
    order_by: list[str] | None = None
    page_token: str | None = None


class ModelVersionsResponse(Response):
    """The answer of model-versions/search and registered-models/get-latest-versions."""

    model_versions: list[ModelVersion] = []
    next_page_token: str | None = None
