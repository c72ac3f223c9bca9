"""Logged models on the wire: what a run made, before anyone registers it."""

from __future__ import annotations

import msgspec

from runyard.wire.artifacts import FileInfo
from runyard.wire.base import Int64, Request, Response, Tag, TagInput
from runyard.wire.runs import Metric


class Registration(Response):
    name: str
    version: str


class LoggedModelInfo(Response):
    model_id: str
    experiment_id: str
    name: str
    creation_timestamp_ms: int
    last_updated_timestamp_ms: int
    artifact_uri: str
    status: str
    model_type: str
    source_run_id: str
    status_message: str | None = None
    tags: list[Tag] = []
    registrations: list[Registration] = []


class LoggedModelData(Response):
    params: list[Tag] = []
    metrics: list[Metric] = []


class LoggedModel(Response):
    info: LoggedModelInfo
    data: LoggedModelData


class LoggedModelResponse(Response):
    model: LoggedModel


class CreateLoggedModel(Request):
    experiment_id: str
    name: str | None = None
    model_type: str | None = None
    source_run_id: str | None = None
    params: list[TagInput] | None = None
    tags: list[TagInput] | None = None


class LoggedModelId(Request):
    """The request of GET and DELETE logged-models/{model_id}."""

    model_id: str


class FinalizeLoggedModel(Request):
    model_id: str
    # By name or by number, as protobuf allows.
    status: str | int


class LogLoggedModelParams(Request):
    model_id: str
    params: list[TagInput] | None = None


class SetLoggedModelTags(Request):
    model_id: str
    tags: list[TagInput] | None = None


class DeleteLoggedModelTag(Request):
    model_id: str
    tag_key: str


class SearchedDataset(msgspec.Struct):
    dataset_name: str
    dataset_digest: str | None = None


class SearchOrder(msgspec.Struct):
    field_name: str | None = None
    ascending: bool | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class SearchLoggedModels(Request):
    experiment_ids: list[str] | None = None
    filter: str | None = None
    datasets: list[SearchedDataset] | None = None
    max_results: Int64 | None = None
    order_by: list[SearchOrder] | None = None
    page_token: str | None = None


class SearchLoggedModelsResponse(Response):
    models: list[LoggedModel] = []
    next_page_token: str | None = None


class ListLoggedModelArtifacts(Request):
    model_id: str
    artifact_directory_path: str | None = None
    page_token: str | None = None


class ListLoggedModelArtifactsResponse(Response):
    root_uri: str
    files: list[FileInfo] = []
