"""Runs on the wire: their life, what is logged to them, and searching them."""

from __future__ import annotations

from typing import Annotated

import msgspec

from runyard.wire.base import Int64, JsonFloat, Request, Response, Tag, TagInput, TimestampMs

MAX_METRICS_PER_BATCH = 1000
MAX_PARAMS_PER_BATCH = 100
MAX_TAGS_PER_BATCH = 100
MAX_ITEMS_PER_BATCH = 1000
MAX_BATCH_BYTES = 1_000_000


class Metric(Response, gc=False):
    """One point; for a run's data, the latest of its series."""

    key: str
    value: JsonFloat
    timestamp: int
    step: int
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None
    run_id: str | None = None


class RunInfo(Response, gc=False):
    run_uuid: str
    run_id: str
    run_name: str
    experiment_id: str
    user_id: str
    status: str
    start_time: int
    artifact_uri: str
    lifecycle_stage: str
    end_time: int | None = None


class RunData(Response):
    metrics: list[Metric] = []
    params: list[Tag] = []
    tags: list[Tag] = []


class Dataset(Response):
    name: str
    digest: str
    source_type: str
    source: str
    schema: str | None = None
    profile: str | None = None


class DatasetInput(Response):
    dataset: Dataset
    tags: list[Tag] = []


class ModelInput(Response):
    model_id: str


class ModelOutput(Response):
    model_id: str
    step: int


class RunInputs(Response):
    dataset_inputs: list[DatasetInput] = []
    model_inputs: list[ModelInput] = []


class RunOutputs(Response):
    model_outputs: list[ModelOutput] = []


class Run(Response):
    info: RunInfo
    data: RunData
    inputs: RunInputs
    outputs: RunOutputs | None = None


class CreateRun(Request):
    experiment_id: str
    user_id: str | None = None
    run_name: str | None = None
    start_time: TimestampMs | None = None
    tags: list[TagInput] | None = None
    # Made by a client that may have to say the same again: 32 hexadecimal digits.
    run_id: str | None = None


class RunResponse(Response):
    """The answer of runs/create and runs/get."""

    run: Run


class RunRequest(Request):
    """A request about one run, named by run_id or by its older spelling run_uuid."""

    run_id: str | None = None
    run_uuid: str | None = None


class GetRun(RunRequest, kw_only=True):
    pass


class UpdateRun(RunRequest, kw_only=True):
    # Any text: upstream's clients send statuses as names, and an unknown one must be answered with the valid ones.
    status: str | None = None
    end_time: TimestampMs | None = None
    run_name: str | None = None


class UpdateRunResponse(Response):
    run_info: RunInfo


class DeleteRun(RunRequest, kw_only=True):
    pass


class RestoreRun(RunRequest, kw_only=True):
    pass


class LogMetric(RunRequest, kw_only=True):
    key: str
    # Booleans are numbers to the clients that send them.
    value: float | bool
    timestamp: TimestampMs
    step: Int64 | None = None
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class LogParam(RunRequest, kw_only=True):
    key: str
    value: str


class SetRunTag(RunRequest, kw_only=True):
    key: str
    value: str


class DeleteRunTag(RunRequest, kw_only=True):
    key: str


class MetricPoint(msgspec.Struct, gc=False):
    """One point of a batch."""

    key: str
    value: float | bool
    timestamp: TimestampMs
    step: Int64 | None = None
    model_id: str | None = None
    dataset_name: str | None = None
    dataset_digest: str | None = None


class LogBatch(RunRequest, kw_only=True):
    metrics: Annotated[list[MetricPoint], msgspec.Meta(max_length=MAX_METRICS_PER_BATCH)] | None = None
    params: Annotated[list[TagInput], msgspec.Meta(max_length=MAX_PARAMS_PER_BATCH)] | None = None
    tags: Annotated[list[TagInput], msgspec.Meta(max_length=MAX_TAGS_PER_BATCH)] | None = None


class DatasetSpec(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
    digest: Annotated[str, msgspec.Meta(min_length=1, max_length=36)]
    source_type: str
    source: Annotated[str, msgspec.Meta(max_length=65_535)]
    schema: Annotated[str, msgspec.Meta(max_length=1_048_575)] | None = None
    profile: Annotated[str, msgspec.Meta(max_length=16_777_215)] | None = None


class InputTag(msgspec.Struct):
    key: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    value: Annotated[str, msgspec.Meta(max_length=500)]


class DatasetInputSpec(msgspec.Struct):
    dataset: DatasetSpec
    tags: list[InputTag] | None = None


class ModelInputSpec(msgspec.Struct):
    model_id: str


class ModelOutputSpec(msgspec.Struct):
    model_id: str
    step: Int64 = 0


class LogInputs(RunRequest, kw_only=True):
    datasets: list[DatasetInputSpec] | None = None
    models: list[ModelInputSpec] | None = None


class LogOutputs(RunRequest, kw_only=True):
    models: list[ModelOutputSpec] | None = None


class LogModel(RunRequest, kw_only=True):
    """runs/log-model, the legacy way to record a model on its run."""

    model_json: str | None = None


class SearchRuns(Request):
    experiment_ids: list[str] | None = None
    filter: str | None = None
    run_view_type: str | int | None = None
    max_results: Int64 | None = None
    order_by: list[str] | None = None
    page_token: str | None = None


class SearchRunsResponse(Response):
    runs: list[Run] = []
    next_page_token: str | None = None
