"""From what a server answers to entities.

Servers leave out what is empty, and each a little differently: nothing but names and ids is taken for given.
"""

from __future__ import annotations

from typing import Any, Final

from runyard.entities import (
    Dataset,
    DatasetInput,
    Experiment,
    ExperimentTag,
    FileInfo,
    InputTag,
    LoggedModel,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    Param,
    Run,
    RunData,
    RunInfo,
    RunInputs,
    RunOutputs,
    RunTag,
)
from runyard.entities.model_registry import (
    ModelVersion,
    ModelVersionTag,
    RegisteredModel,
    RegisteredModelAlias,
    RegisteredModelTag as ModelTag,
)
from runyard.wire.base import Response

Json = dict[str, Any]

LOGGED_MODEL_STATUSES: Final = {
    LoggedModelStatus.UNSPECIFIED: "LOGGED_MODEL_STATUS_UNSPECIFIED",
    LoggedModelStatus.PENDING: "LOGGED_MODEL_PENDING",
    LoggedModelStatus.READY: "LOGGED_MODEL_READY",
    LoggedModelStatus.FAILED: "LOGGED_MODEL_UPLOAD_FAILED",
}
_STATUS_BY_NAME: Final = {name: status for status, name in LOGGED_MODEL_STATUSES.items()}


class ExperimentAnswer(Response):
    experiment: Json


class ExperimentsAnswer(Response):
    experiments: list[Json] = []
    next_page_token: str | None = None


class RunAnswer(Response):
    run: Json


class RunsAnswer(Response):
    runs: list[Json] = []
    next_page_token: str | None = None


class RunInfoAnswer(Response):
    run_info: Json


class MetricsAnswer(Response):
    metrics: list[Json] = []
    next_page_token: str | None = None


class FilesAnswer(Response):
    files: list[Json] = []
    next_page_token: str | None = None


class ModelAnswer(Response):
    registered_model: Json


class ModelsAnswer(Response):
    registered_models: list[Json] = []
    next_page_token: str | None = None


class VersionAnswer(Response):
    model_version: Json


class VersionsAnswer(Response):
    model_versions: list[Json] = []
    next_page_token: str | None = None


class LoggedModelAnswer(Response):
    model: Json


class LoggedModelsAnswer(Response):
    models: list[Json] = []
    next_page_token: str | None = None


def experiment_of(json: Json) -> Experiment:
    return Experiment(
        experiment_id=json["experiment_id"],
        name=json["name"],
        artifact_location=json.get("artifact_location", ""),
        lifecycle_stage=json.get("lifecycle_stage", "active"),
        tags=[ExperimentTag(*pair) for pair in _pairs(json)],
        creation_time=_number(json, "creation_time"),
        last_update_time=_number(json, "last_update_time"),
    )


def run_info_of(json: Json) -> RunInfo:
    return RunInfo(
        run_id=json.get("run_id") or json["run_uuid"],
        experiment_id=json["experiment_id"],
        user_id=json.get("user_id", ""),
        status=json.get("status", "RUNNING"),
        start_time=_number(json, "start_time") or 0,
        end_time=_number(json, "end_time"),
        lifecycle_stage=json.get("lifecycle_stage", "active"),
        artifact_uri=json.get("artifact_uri"),
        run_name=json.get("run_name"),
    )


def run_of(json: Json) -> Run:
    data, inputs, outputs = json.get("data", {}), json.get("inputs", {}), json.get("outputs") or {}
    return Run(
        run_info_of(json["info"]),
        RunData(
            metrics=[metric_of(each) for each in data.get("metrics", ())],
            params=[Param(*pair) for pair in _pairs(data, "params")],
            tags=[RunTag(*pair) for pair in _pairs(data)],
        ),
        RunInputs(
            dataset_inputs=[_dataset_input_of(each) for each in inputs.get("dataset_inputs", ())],
            model_inputs=[LoggedModelInput(each["model_id"]) for each in inputs.get("model_inputs", ())],
        ),
        RunOutputs(
            [LoggedModelOutput(each["model_id"], int(each.get("step", 0))) for each in outputs.get("model_outputs", ())]
        ),
    )


def metric_of(json: Json) -> Metric:
    return Metric(
        key=json["key"],
        # What JSON has no number for comes as text: NaN, Infinity, -Infinity.
        value=float(json.get("value", 0.0)),
        timestamp=_number(json, "timestamp") or 0,
        step=_number(json, "step") or 0,
        model_id=json.get("model_id"),
        dataset_name=json.get("dataset_name"),
        dataset_digest=json.get("dataset_digest"),
        run_id=json.get("run_id"),
    )


def file_of(json: Json) -> FileInfo:
    is_dir = bool(json.get("is_dir"))
    return FileInfo(json["path"], is_dir, None if is_dir else _number(json, "file_size"))


def registered_model_of(json: Json) -> RegisteredModel:
    return RegisteredModel(
        name=json["name"],
        creation_timestamp=_number(json, "creation_timestamp"),
        last_updated_timestamp=_number(json, "last_updated_timestamp"),
        description=json.get("description", ""),
        latest_versions=[version_of(each) for each in json.get("latest_versions", ())],
        tags=[ModelTag(*pair) for pair in _pairs(json)],
        aliases=[RegisteredModelAlias(each["alias"], each["version"]) for each in json.get("aliases", ())],
    )


def version_of(json: Json) -> ModelVersion:
    return ModelVersion(
        name=json["name"],
        version=str(json["version"]),
        creation_timestamp=_number(json, "creation_timestamp") or 0,
        last_updated_timestamp=_number(json, "last_updated_timestamp"),
        description=json.get("description", ""),
        user_id=json.get("user_id", ""),
        current_stage=json.get("current_stage", "None"),
        source=json.get("source", ""),
        run_id=json.get("run_id", ""),
        status=json.get("status", "READY"),
        status_message=json.get("status_message"),
        tags=[ModelVersionTag(*pair) for pair in _pairs(json)],
        run_link=json.get("run_link", ""),
        aliases=list(json.get("aliases", ())),
        model_id=json.get("model_id"),
    )


def logged_model_of(json: Json) -> LoggedModel:
    info, data = json["info"], json.get("data") or {}
    return LoggedModel(
        experiment_id=info["experiment_id"],
        model_id=info["model_id"],
        name=info.get("name", ""),
        artifact_location=info.get("artifact_uri", ""),
        creation_timestamp=_number(info, "creation_timestamp_ms") or 0,
        last_updated_timestamp=_number(info, "last_updated_timestamp_ms") or 0,
        model_type=info.get("model_type"),
        source_run_id=info.get("source_run_id"),
        status=_STATUS_BY_NAME.get(info.get("status", ""), LoggedModelStatus.UNSPECIFIED),
        status_message=info.get("status_message"),
        tags=dict(_pairs(info)),
        params=dict(_pairs(data, "params")),
        metrics=[metric_of(each) for each in data.get("metrics", ())],
    )


def _dataset_input_of(json: Json) -> DatasetInput:
    told = json["dataset"]
    dataset = Dataset(
        name=told["name"],
        digest=told["digest"],
        source_type=told.get("source_type", ""),
        source=told.get("source", ""),
        schema=told.get("schema"),
        profile=told.get("profile"),
    )
    return DatasetInput(dataset, [InputTag(*pair) for pair in _pairs(json)])


def _pairs(json: Json, name: str = "tags") -> list[tuple[str, str]]:
    return [(each["key"], each.get("value", "")) for each in json.get(name) or ()]


def _number(json: Json, name: str) -> int | None:
    """Return a whole number, which some servers write as text."""
    value = json.get(name)
    return None if value is None else int(value)
