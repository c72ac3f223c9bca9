"""The calls that work on the active run: what `import runyard` offers.

Each thread has its own active runs; the experiment that was set is the whole process's. `MlflowClient` does the same on
runs that are named.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from runyard import settings
from runyard.artifacts.uris import local_path
from runyard.client import connections, context, metrics_monitor
from runyard.client.background import RunOperations, flush_async_logging, sender_of
from runyard.client.client import MlflowClient, flush_artifact_async_logging
from runyard.client.connections import (
    connect,
    get_registry_uri,
    get_tracking_uri,
    is_tracking_uri_set,
    set_registry_uri,
    set_tracking_uri,
)
from runyard.client.datasets import Dataset, dataset_input
from runyard.client.metrics_monitor import (
    disable_system_metrics_logging,
    enable_system_metrics_logging,
    set_system_metrics_node_id,
    set_system_metrics_samples_before_logging,
    set_system_metrics_sampling_interval,
)
from runyard.client.workspaces import set_workspace
from runyard.entities import (
    Dataset as DatasetEntity,
    Experiment,
    LifecycleStage,
    LoggedModel,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    Param,
    Run,
    RunStatus,
    RunTag,
    TraceArchivalConfig,
    ViewType,
    Workspace,
    WorkspaceDeletionMode,
)
from runyard.entities.model_registry import ModelVersion, RegisteredModel
from runyard.errors import AlreadyExists, InvalidParameter, NotFound, RunyardError
from runyard.wire.names import shown

if TYPE_CHECKING:
    import io

    import numpy as np
    import pandas as pd
    import PIL.Image

    from runyard.client.shapes import Image

__all__ = [
    "ActiveModel",
    "ActiveRun",
    "MlflowClient",
    "active_run",
    "clear_active_model",
    "create_experiment",
    "create_external_model",
    "create_workspace",
    "delete_experiment",
    "delete_experiment_tag",
    "delete_logged_model_tag",
    "delete_run",
    "delete_tag",
    "delete_workspace",
    "disable_system_metrics_logging",
    "doctor",
    "enable_system_metrics_logging",
    "end_run",
    "finalize_logged_model",
    "flush_artifact_async_logging",
    "flush_async_logging",
    "get_active_model_id",
    "get_artifact_uri",
    "get_experiment",
    "get_experiment_by_name",
    "get_logged_model",
    "get_parent_run",
    "get_registry_uri",
    "get_run",
    "get_tracking_uri",
    "get_workspace",
    "import_checkpoints",
    "initialize_logged_model",
    "is_tracking_uri_set",
    "last_active_run",
    "last_logged_model",
    "list_workspaces",
    "load_table",
    "log_artifact",
    "log_artifacts",
    "log_dict",
    "log_figure",
    "log_image",
    "log_input",
    "log_inputs",
    "log_metric",
    "log_metrics",
    "log_model_params",
    "log_outputs",
    "log_param",
    "log_params",
    "log_stream",
    "log_table",
    "log_text",
    "register_model",
    "restore_experiment",
    "restore_run",
    "search_experiments",
    "search_logged_models",
    "search_model_versions",
    "search_registered_models",
    "search_runs",
    "set_active_model",
    "set_experiment",
    "set_experiment_tag",
    "set_experiment_tags",
    "set_logged_model_tags",
    "set_model_version_tag",
    "set_registry_uri",
    "set_system_metrics_node_id",
    "set_system_metrics_samples_before_logging",
    "set_system_metrics_sampling_interval",
    "set_tag",
    "set_tags",
    "set_tracking_uri",
    "set_workspace",
    "start_run",
    "update_workspace",
]

T = TypeVar("T")

DEFAULT_EXPERIMENT_ID: Final = "0"
SEARCH_MAX_RESULTS_PANDAS: Final = 100_000
_PAGE: Final = 1000
# Of a logged model: the registered versions that were made of it, as JSON.
_VERSIONS_TAG: Final = "mlflow.modelVersions"
_NOT_IN_MODEL_NAMES: Final = frozenset("/:.%\"'")

_log: Final = logging.getLogger(__name__)
_active_experiment_id: str | None = None


class _ThreadState(threading.local):
    def __init__(self) -> None:
        self.runs: list[ActiveRun] = []
        self.last_run_id: str | None = None
        self.model_id: str | None = None
        self.last_model_id: str | None = None


_state = _ThreadState()


class ActiveRun(Run):
    """A run that what is logged goes to; at the end of its `with` block it is FINISHED or, after an error, FAILED."""

    def __init__(self, run: Run) -> None:
        super().__init__(run.info, run.data, run.inputs, run.outputs)

    def __enter__(self) -> ActiveRun:  # noqa: PYI034 - Self is of Python 3.11
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if any(run.info.run_id == self.info.run_id for run in _state.runs):
            end_run(RunStatus.to_string(RunStatus.FINISHED if kind is None else RunStatus.FAILED))
        else:
            # It was ended by name inside the block; then it has its status.
            _log.debug("run %s was ended before its block", self.info.run_id)


class ActiveModel(LoggedModel):
    """A logged model that metrics are recorded for; at the end of its `with` block the one before it is again."""

    def __init__(self, logged_model: LoggedModel, previous: str | None = None) -> None:
        values = logged_model.to_dictionary()
        super().__init__(**values)
        self._previous = previous

    def __enter__(self) -> ActiveModel:  # noqa: PYI034 - as above
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _state.model_id = self._previous


# Experiments


def set_experiment(
    experiment_name: str | None = None, experiment_id: str | None = None, trace_location: Any = None
) -> Experiment:
    """Have runs started in an experiment from now on; one of that name is made where there is none.

    Raises:
        InvalidParameter: not one of name and id is given, or the experiment is deleted.
    """
    global _active_experiment_id  # noqa: PLW0603 - what is set holds for the whole process
    if (experiment_name is None) == (experiment_id is None):
        raise InvalidParameter("Must specify exactly one of: `experiment_id` or `experiment_name`.")
    _refuse_traces(trace_location)
    client = MlflowClient()
    if experiment_id is not None:
        experiment = client.get_experiment(experiment_id)
    else:
        experiment = named_experiment(client, experiment_name or "")
    if experiment.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidParameter(
            f"Cannot set a deleted experiment {experiment.name!r} as the active experiment. "
            "Restore it, or delete it for good to make one of that name."
        )
    _active_experiment_id = experiment.experiment_id
    settings.hand_down("MLFLOW_EXPERIMENT_ID", experiment.experiment_id)
    return experiment


def create_experiment(
    name: str,
    artifact_location: str | None = None,
    tags: dict[str, Any] | None = None,
    trace_location: Any = None,
) -> str:
    """Return the id of a new experiment."""
    _refuse_traces(trace_location)
    return MlflowClient().create_experiment(name, artifact_location, tags)


def get_experiment(experiment_id: str) -> Experiment:
    return MlflowClient().get_experiment(experiment_id)


def get_experiment_by_name(name: str) -> Experiment | None:
    """Return the experiment of that name, or None."""
    return MlflowClient().get_experiment_by_name(name)


def search_experiments(
    view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int | None = None,
    filter_string: str | None = None,
    order_by: list[str] | None = None,
) -> list[Experiment]:
    """Return the experiments that match; all of them unless ``max_results`` says how many."""
    client = MlflowClient()
    return _gathered(
        lambda count, token: client.search_experiments(view_type, count, filter_string, order_by, token), max_results
    )


def delete_experiment(experiment_id: str) -> None:
    MlflowClient().delete_experiment(experiment_id)


def restore_experiment(experiment_id: str) -> None:
    MlflowClient().restore_experiment(experiment_id)


def set_experiment_tag(key: str, value: Any) -> None:
    """Set a tag of the active experiment."""
    MlflowClient().set_experiment_tag(experiment_id_now(), key, value)


def set_experiment_tags(tags: dict[str, Any]) -> None:
    for key, value in tags.items():
        set_experiment_tag(key, value)


def delete_experiment_tag(key: str) -> None:
    MlflowClient().delete_experiment_tag(experiment_id_now(), key)


# Runs


def start_run(
    run_id: str | None = None,
    experiment_id: str | None = None,
    run_name: str | None = None,
    nested: bool = False,
    parent_run_id: str | None = None,
    tags: dict[str, Any] | None = None,
    description: str | None = None,
    log_system_metrics: bool | None = None,
) -> ActiveRun:
    """Start a run, or go on with one that is there, and make it the active run of this thread.

    Args:
        nested: whether a run may be active already; the new one is then its child.
        log_system_metrics: whether CPU, memory, disk and network are measured while it is active.
    Raises:
        RunyardError: another run is active, or the run is deleted or of another experiment.
    """
    if _state.runs and not nested:
        raise RunyardError(
            f"Run with UUID {_state.runs[0].info.run_id} is already active. To start a new run, first end the current "
            "run with mlflow.end_run(). To start a nested run, call start_run with nested=True",
            "INVALID_STATE",
        )
    # Before anything is written: a run that begins with an error would stay RUNNING.
    monitor = metrics_monitor.wanted(log_system_metrics)
    client = MlflowClient()
    run_id = run_id or (None if _state.runs else settings.load_client_settings().run_id)
    # Those that this process starts are runs of their own.
    settings.hand_down("MLFLOW_RUN_ID", None)
    described = _with_description(tags, description)
    if run_id:
        run = _resumed(client, run_id, experiment_id, parent_run_id, run_name, described)
    else:
        parent = _state.runs[-1].info.run_id if _state.runs else None
        if parent_run_id is not None and parent_run_id != parent:
            _check_parent(client, parent_run_id)
            parent = parent_run_id
        all_tags = {**context.tags(), **described}
        if parent is not None:
            all_tags[context.PARENT_RUN_ID] = parent
        if run_name:
            all_tags[context.RUN_NAME] = run_name
        run = client.create_run(experiment_id or experiment_id_now(), tags=all_tags, run_name=run_name)
    active = ActiveRun(run)
    _state.runs.append(active)
    if monitor is not None:
        monitor.start(active, client.log_batch)
    return active


def end_run(status: str = "FINISHED") -> None:
    """End the active run of this thread; what is logged to it in the background is sent first."""
    if not _state.runs:
        return
    RunStatus.from_string(status)
    run = _state.runs.pop()
    _state.last_run_id = run.info.run_id
    metrics_monitor.finish(run.info.run_id)
    sender_of(connect(get_tracking_uri())).flush()
    MlflowClient().set_terminated(run.info.run_id, status)
    _tell_address(run)


def active_run() -> ActiveRun | None:
    """Return the active run of this thread, as it was when it was started, or None."""
    return _state.runs[-1] if _state.runs else None


def active_runs() -> list[ActiveRun]:
    """Return the active runs of this thread, the outermost first."""
    return list(_state.runs)


def last_active_run() -> Run | None:
    """Return, as it is now, the run of this thread that is active or was last, or None."""
    run_id = _state.runs[-1].info.run_id if _state.runs else _state.last_run_id
    return None if run_id is None else MlflowClient().get_run(run_id)


def get_run(run_id: str) -> Run:
    return MlflowClient().get_run(run_id)


def get_parent_run(run_id: str) -> Run | None:
    """Return the run in which this one is nested, or None."""
    return MlflowClient().get_parent_run(run_id)


def delete_run(run_id: str) -> None:
    MlflowClient().delete_run(run_id)


def restore_run(run_id: str) -> None:
    MlflowClient().restore_run(run_id)


def search_runs(
    experiment_ids: list[str] | None = None,
    filter_string: str = "",
    run_view_type: int = ViewType.ACTIVE_ONLY,
    max_results: int = SEARCH_MAX_RESULTS_PANDAS,
    order_by: list[str] | None = None,
    output_format: Literal["pandas", "list"] = "pandas",
    search_all_experiments: bool = False,
    experiment_names: list[str] | None = None,
) -> list[Run] | pd.DataFrame:
    """Return the runs that match: as a table with metrics.*, params.* and tags.* columns, or as a list.

    Raises:
        ValueError: ``output_format`` is neither pandas nor list.
        InvalidParameter: both ids and names of experiments are given.
    """
    if output_format not in {"pandas", "list"}:
        raise ValueError(f"Unsupported output format: {output_format}. Supported string values are 'pandas' or 'list'")
    client = MlflowClient()
    ids = _searched_experiments(client, experiment_ids, experiment_names, everywhere=search_all_experiments)
    runs: list[Run] = []
    if ids:
        runs = _gathered(
            lambda count, token: client.search_runs(ids, filter_string, run_view_type, count or _PAGE, order_by, token),
            max_results,
        )
    if output_format == "list":
        return runs
    return _table_of_runs(runs)


# What is logged


def log_metric(
    key: str,
    value: float,
    step: int | None = None,
    synchronous: bool | None = None,
    timestamp: int | None = None,
    run_id: str | None = None,
    model_id: str | None = None,
    dataset: Dataset | DatasetEntity | None = None,
) -> RunOperations | None:
    """Log one point of a metric, to the active run unless another is named.

    Args:
        synchronous: whether to wait for the server; by default unless MLFLOW_ENABLE_ASYNC_LOGGING says otherwise.
        timestamp: milliseconds since the Unix epoch; now by default.
        dataset: what the metric was measured on.
    Returns:
        What can be waited for where it is logged in the background, else None.
    """
    run_id = run_id or _active_run_id()
    model_id = model_id or get_active_model_id()
    client = _logging_client()
    logged = client.log_metric(
        run_id,
        key,
        value,
        timestamp,
        step,
        synchronous,
        dataset_name=None if dataset is None else dataset.name,
        dataset_digest=None if dataset is None else dataset.digest,
        model_id=model_id,
    )
    _record_model(client, run_id, model_id)
    return logged


def log_metrics(
    metrics: dict[str, float],
    step: int | None = None,
    synchronous: bool | None = None,
    run_id: str | None = None,
    timestamp: int | None = None,
    model_id: str | None = None,
    dataset: Dataset | DatasetEntity | None = None,
) -> RunOperations | None:
    """Log one point each of several metrics in one request; its arguments are those of `log_metric`."""
    from runyard.client.client import _now_ms, number_of

    run_id = run_id or _active_run_id()
    model_id = model_id or get_active_model_id()
    time_ms = _now_ms() if timestamp is None else timestamp
    name, digest = (None, None) if dataset is None else (dataset.name, dataset.digest)
    points = [
        Metric(key, number_of(key, value), time_ms, step or 0, model_id, name, digest) for key, value in metrics.items()
    ]
    client = _logging_client()
    logged = client.log_batch(run_id, metrics=points, synchronous=synchronous)
    _record_model(client, run_id, model_id)
    return logged


def log_param(key: str, value: Any, synchronous: bool | None = None) -> Any:
    """Log a param of the active run; return ``value``, or what can be waited for."""
    return _logging_client().log_param(_active_run_id(), key, value, synchronous)


def log_params(
    params: dict[str, Any], synchronous: bool | None = None, run_id: str | None = None
) -> RunOperations | None:
    pairs = [Param(key, str(value)) for key, value in params.items()]
    return _logging_client().log_batch(run_id or _active_run_id(), params=pairs, synchronous=synchronous)


def set_tag(key: str, value: Any, synchronous: bool | None = None) -> RunOperations | None:
    return _logging_client().set_tag(_active_run_id(), key, value, synchronous)


def set_tags(tags: dict[str, Any], synchronous: bool | None = None) -> RunOperations | None:
    pairs = [RunTag(key, str(value)) for key, value in tags.items()]
    return _logging_client().log_batch(_active_run_id(), tags=pairs, synchronous=synchronous)


def delete_tag(key: str) -> None:
    MlflowClient().delete_tag(_active_run_id(), key)


def log_input(
    dataset: Dataset | None = None,
    context: str | None = None,
    tags: dict[str, str] | None = None,
    model: LoggedModelInput | None = None,
) -> None:
    """Record what the active run reads: a dataset, with what it is used for as ``context``, or a model."""
    log_inputs([dataset], [context], [tags], [model])


def log_inputs(
    datasets: list[Dataset | None] | None = None,
    contexts: list[str | None] | None = None,
    tags_list: list[dict[str, str] | None] | None = None,
    models: list[LoggedModelInput | None] | None = None,
) -> None:
    """Record several inputs of the active run; what belongs together is at the same place of each list."""
    count = max(len(each or ()) for each in (datasets, contexts, tags_list, models))
    for name, given in (("datasets", datasets), ("contexts", contexts), ("tags_list", tags_list), ("models", models)):
        if given is not None and len(given) != count:
            raise InvalidParameter(f"{name} must be as long as the other lists, {count}, got {len(given)}")
    inputs = [
        dataset_input(dataset, (contexts or [None] * count)[index], (tags_list or [None] * count)[index])
        for index, dataset in enumerate(datasets or ())
        if dataset is not None
    ]
    MlflowClient().log_inputs(
        _active_run_id(), datasets=inputs, models=[model for model in models or () if model is not None]
    )


def log_outputs(models: list[LoggedModelOutput] | None = None) -> None:
    """Record the models that the active run made."""
    MlflowClient().log_outputs(_active_run_id(), models or [])


# Artifacts


def log_artifact(local_path: str, artifact_path: str | None = None, run_id: str | None = None) -> None:
    """Send a file, or a folder with all that is in it, into a folder of the run's artifacts."""
    MlflowClient().log_artifact(run_id or _active_run_id(), local_path, artifact_path)


def log_artifacts(local_dir: str, artifact_path: str | None = None, run_id: str | None = None) -> None:
    """Send what is in a folder into a folder of the run's artifacts."""
    MlflowClient().log_artifacts(run_id or _active_run_id(), local_dir, artifact_path)


def log_text(text: str, artifact_file: str, run_id: str | None = None) -> None:
    MlflowClient().log_text(run_id or _active_run_id(), text, artifact_file)


def log_dict(dictionary: dict[str, Any], artifact_file: str, run_id: str | None = None) -> None:
    """Log a dict, or a list, as YAML where the file is named so, else as JSON."""
    MlflowClient().log_dict(run_id or _active_run_id(), dictionary, artifact_file)


def log_stream(stream: io.BufferedIOBase | io.RawIOBase, artifact_file: str, run_id: str | None = None) -> None:
    """Log what a binary stream holds; it is read in pieces."""
    MlflowClient().log_stream(run_id or _active_run_id(), stream, artifact_file)


def log_figure(figure: Any, artifact_file: str, *, save_kwargs: dict[str, Any] | None = None) -> None:
    """Log a matplotlib or plotly figure in the format that the file's name says."""
    MlflowClient().log_figure(_active_run_id(), figure, artifact_file, save_kwargs=save_kwargs)


def log_image(
    image: np.ndarray | PIL.Image.Image | Image,
    artifact_file: str | None = None,
    key: str | None = None,
    step: int | None = None,
    timestamp: int | None = None,
    synchronous: bool | None = False,
) -> None:
    """Log a picture as a file or, with ``key``, as one of a series over steps, in the background by default."""
    MlflowClient().log_image(_active_run_id(), image, artifact_file, key, step, timestamp, synchronous)


def log_table(data: dict[str, Any] | pd.DataFrame, artifact_file: str, run_id: str | None = None) -> None:
    """Log a table as JSON, or as Parquet where the file is named so; to one that is there, rows are added."""
    MlflowClient().log_table(run_id or _active_run_id(), data, artifact_file)


def load_table(
    artifact_file: str, run_ids: list[str] | None = None, extra_columns: list[str] | None = None
) -> pd.DataFrame:
    """Return the rows of a table of several runs of the active experiment, by default of all that have it."""
    return MlflowClient().load_table(experiment_id_now(), artifact_file, run_ids, extra_columns)


def get_artifact_uri(artifact_path: str | None = None) -> str:
    """Return where the active run's artifacts are, or one of them."""
    from runyard.artifacts.uris import check_artifact_path, join_uri

    _active_run_id()
    root = _state.runs[-1].info.artifact_uri or ""
    path = check_artifact_path(artifact_path or "", "artifact_path")
    return join_uri(root, path) if path else root


# Registered models


def register_model(
    model_uri: str,
    name: str,
    await_registration_for: int = 300,
    *,
    tags: dict[str, Any] | None = None,
    env_pack: Any = None,
) -> ModelVersion:
    """Return a new version of a registered model, which is made where there is none of that name.

    Args:
        model_uri: runs:/RUN_ID/NAME, models:/MODEL_ID, a model's folder on this machine, which is copied, or where else
            the files are.
    Raises:
        NotFound: the run has neither a logged model nor an artifact of that name.
    """
    if env_pack is not None:
        raise InvalidParameter(f"env_pack: environments are not packed here, got {shown(env_pack)}")
    client = MlflowClient()
    source, run_id, model_id = model_source(client, str(model_uri))
    if model_id is not None and get_registry_uri() != get_tracking_uri():
        # A registry that is elsewhere knows nothing of the logged model, only where its files are.
        source = client.get_logged_model(model_id).artifact_location
    try:
        client.create_registered_model(name)
    except RunyardError as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    version = client.create_model_version(
        name, source, run_id, tags=tags, await_creation_for=await_registration_for, model_id=model_id
    )
    if model_id is not None:
        told = json.loads(client.get_logged_model(model_id).tags.get(_VERSIONS_TAG, "[]"))
        told.append({"name": version.name, "version": version.version})
        client.set_logged_model_tags(model_id, {_VERSIONS_TAG: json.dumps(told)})
    _log.info("registered version %s of model %s", version.version, name)
    return version


def search_registered_models(
    max_results: int | None = None, filter_string: str | None = None, order_by: list[str] | None = None
) -> list[RegisteredModel]:
    """Return the models that match; all of them unless ``max_results`` says how many."""
    client = MlflowClient()
    return _gathered(
        lambda count, token: client.search_registered_models(filter_string, count, order_by, token), max_results
    )


def search_model_versions(
    max_results: int | None = None, filter_string: str | None = None, order_by: list[str] | None = None
) -> list[ModelVersion]:
    """Return the versions that match; all of them unless ``max_results`` says how many."""
    client = MlflowClient()
    return _gathered(
        lambda count, token: client.search_model_versions(filter_string, count, order_by, token), max_results
    )


def set_model_version_tag(name: str, version: str | None = None, key: str | None = None, value: Any = None) -> None:
    MlflowClient().set_model_version_tag(name, version, key, value)


# Logged models


def initialize_logged_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Return a new logged model, PENDING until it is finalized, of the active run if there is one."""
    if source_run_id is None and _state.runs:
        source_run_id = _state.runs[-1].info.run_id
    client = MlflowClient()
    if experiment_id is None:
        experiment_id = _state.runs[-1].info.experiment_id if _state.runs else experiment_id_now()
    model = client.create_logged_model(
        experiment_id,
        name=name,
        source_run_id=source_run_id,
        tags={**context.tags(), **(tags or {})},
        params=params,
        model_type=model_type,
    )
    _state.last_model_id = model.model_id
    return model


def create_external_model(
    name: str | None = None,
    source_run_id: str | None = None,
    tags: dict[str, str] | None = None,
    params: dict[str, str] | None = None,
    model_type: str | None = None,
    experiment_id: str | None = None,
) -> LoggedModel:
    """Return a new logged model, READY, whose files are kept elsewhere."""
    external = {"mlflow.model.isExternal": "true", **(tags or {})}
    model = initialize_logged_model(name, source_run_id, external, params, model_type, experiment_id)
    return finalize_logged_model(model.model_id, "READY")


def finalize_logged_model(model_id: str, status: Literal["READY", "FAILED"] | LoggedModelStatus) -> LoggedModel:
    """Say that a model is whole, or will not be."""
    return MlflowClient().finalize_logged_model(model_id, status)


def get_logged_model(model_id: str) -> LoggedModel:
    return MlflowClient().get_logged_model(model_id)


def last_logged_model() -> LoggedModel | None:
    """Return the model that this thread logged last, or None."""
    return None if _state.last_model_id is None else get_logged_model(_state.last_model_id)


def search_logged_models(
    experiment_ids: list[str] | None = None,
    filter_string: str | None = None,
    datasets: list[dict[str, str]] | None = None,
    max_results: int | None = None,
    order_by: list[dict[str, Any]] | None = None,
    output_format: Literal["pandas", "list"] = "pandas",
) -> list[LoggedModel] | pd.DataFrame:
    """Return the logged models that match, of the active experiment unless others are named."""
    client = MlflowClient()
    ids = experiment_ids or [experiment_id_now()]
    models: list[LoggedModel] = _gathered(
        lambda count, token: client.search_logged_models(ids, filter_string, datasets, count, order_by, token),
        max_results,
    )
    if output_format == "list":
        return models
    if output_format != "pandas":
        raise InvalidParameter(f"output_format must be 'pandas' or 'list', got {shown(output_format)}")
    import pandas as pd

    rows = [{**model.to_dictionary(), "status": str(model.status)} for model in models]
    return pd.DataFrame(rows)


def log_model_params(params: dict[str, str], model_id: str | None = None) -> None:
    """Log params of a logged model, by default of the active one."""
    model_id = model_id or get_active_model_id()
    if model_id is None:
        raise InvalidParameter("there is no active model: name one by model_id, or by set_active_model before")
    MlflowClient().log_model_params(model_id, params)


def set_logged_model_tags(model_id: str, tags: dict[str, Any]) -> None:
    MlflowClient().set_logged_model_tags(model_id, tags)


def delete_logged_model_tag(model_id: str, key: str) -> None:
    MlflowClient().delete_logged_model_tag(model_id, key)


def set_active_model(*, name: str | None = None, model_id: str | None = None) -> ActiveModel:
    """Have metrics of this thread recorded for a logged model; one of that name is made where there is none."""
    if (name is None) == (model_id is None):
        raise InvalidParameter("a logged model is named by name or by model_id: give one of them")
    if model_id is not None:
        model = get_logged_model(model_id)
    else:
        assert name is not None
        quoted = name.replace("'", "''")
        newest = [{"field_name": "creation_timestamp", "ascending": False}]
        found = MlflowClient().search_logged_models(
            [experiment_id_now()], f"name = '{quoted}'", max_results=1, order_by=newest
        )
        model = found[0] if found else create_external_model(name=name)
    previous, _state.model_id = _state.model_id, model.model_id
    return ActiveModel(model, previous)


def get_active_model_id() -> str | None:
    return _state.model_id


def clear_active_model() -> None:
    _state.model_id = None


def import_checkpoints(
    checkpoint_path: str,
    source_run_id: str | None = None,
    model_prefix: str | None = None,
    overwrite_checkpoints: bool = False,
) -> list[LoggedModel]:
    """Make a logged model of each file and folder in a folder of checkpoints; the files stay where they are.

    Args:
        checkpoint_path: a folder that whoever loads them can read too, such as one of a shared disk.
        source_run_id: the run whose checkpoints they are; by default the active one.
        model_prefix: put before the name of each.
        overwrite_checkpoints: whether models of that name and run are replaced; else they are returned as they are.
    Raises:
        InvalidParameter: there is no such folder, or no run.
    """
    folder = Path(checkpoint_path)
    if not folder.is_dir():
        raise InvalidParameter(f"checkpoint_path names no folder of checkpoints: {checkpoint_path!r}")
    run_id = source_run_id or (_state.runs[-1].info.run_id if _state.runs else None)
    if run_id is None:
        raise InvalidParameter("source_run_id is needed where no run is active: whose checkpoints are they?")
    client = MlflowClient()
    experiment_id = client.get_run(run_id).info.experiment_id
    checkpoints = sorted(folder.iterdir())
    if not checkpoints:
        _log.warning("there are no checkpoints in %s", checkpoint_path)
    found: list[LoggedModel] = []
    for checkpoint in checkpoints:
        name = f"{model_prefix or ''}{checkpoint.name}"
        if (wrong := sorted(set(name) & _NOT_IN_MODEL_NAMES)) != []:
            _log.warning("%s is left out: a logged model's name may not hold %s", checkpoint, " ".join(wrong))
            continue
        alike = client.search_logged_models([experiment_id], f"name = '{name}' AND source_run_id = '{run_id}'")
        if alike and not overwrite_checkpoints:
            found += alike
            continue
        place = {"original_artifact_path": str(checkpoint.absolute())}
        found.append(create_external_model(name, run_id, tags=place, experiment_id=experiment_id))
        # The new one first: a failure in between leaves two, and never none.
        for model in alike:
            client.delete_logged_model(model.model_id)
    return found


# Workspaces


def create_workspace(
    name: str,
    description: str | None = None,
    default_artifact_root: str | None = None,
    trace_archival_config: TraceArchivalConfig | None = None,
) -> Workspace:
    return MlflowClient().create_workspace(name, description, default_artifact_root, trace_archival_config)


def get_workspace(name: str) -> Workspace:
    return MlflowClient().get_workspace(name)


def list_workspaces() -> list[Workspace]:
    return MlflowClient().list_workspaces()


def update_workspace(
    name: str,
    description: str | None = None,
    default_artifact_root: str | None = None,
    trace_archival_config: TraceArchivalConfig | None = None,
) -> Workspace:
    """Change a workspace; None leaves what is there, '' clears it."""
    return MlflowClient().update_workspace(name, description, default_artifact_root, trace_archival_config)


def delete_workspace(name: str, *, mode: str = WorkspaceDeletionMode.RESTRICT) -> None:
    """Delete a workspace: see `MlflowClient.delete_workspace`."""
    MlflowClient().delete_workspace(name, mode)


def doctor(mask_envs: bool = False) -> None:
    """Print what one is asked for with a report of a fault: versions, URIs, and what the environment says."""
    import platform

    from runyard import __version__

    lines = [
        f"System information: {platform.system()} {platform.version()}",
        f"Python version: {platform.python_version()}",
        f"Runyard version: {__version__}",
        # It is made to be shown to others.
        *(
            f"{name} URI: {_without_password(uri)}"
            for name, uri in (("Tracking", get_tracking_uri()), ("Registry", get_registry_uri()))
        ),
        "Environment variables:",
        *(f"  {name}: {'***' if mask_envs else value}" for name, value in settings.told_by_environment()),
    ]
    sys.stdout.write("\n".join(lines) + "\n")


def _without_password(uri: str) -> str:
    """Return a server's or a database's URI without who is let in by it: passwords may hold "@" and "/"."""
    return re.sub(r"([?&]password=)[^&]*", r"\1***", re.sub(r"://[^?]*@", "://***@", uri))


def experiment_id_now() -> str:
    """Return the experiment that runs are started in: the one that was set, else the environment's, else Default."""
    if _active_experiment_id is not None:
        return _active_experiment_id
    told = settings.load_client_settings()
    if told.experiment_name:
        experiment = named_experiment(MlflowClient(), told.experiment_name)
        if told.experiment_id not in {None, experiment.experiment_id}:
            raise InvalidParameter(
                f"MLFLOW_EXPERIMENT_ID is {told.experiment_id!r}, and MLFLOW_EXPERIMENT_NAME {told.experiment_name!r} "
                f"is that of {experiment.experiment_id!r}: set one of them"
            )
        return experiment.experiment_id
    return told.experiment_id or DEFAULT_EXPERIMENT_ID


def named_experiment(client: MlflowClient, name: str) -> Experiment:
    found = client.get_experiment_by_name(name)
    if found is not None:
        return found
    try:
        return client.get_experiment(client.create_experiment(name))
    except AlreadyExists:
        # Another process made it between the two requests.
        found = client.get_experiment_by_name(name)
        if found is None:
            raise
        return found


def _logging_client() -> MlflowClient:
    """Return the client by which things are logged, which are many: a new one would read the environment each time."""
    global _client  # noqa: PLW0603 - it is remembered for the whole process
    uri, client = get_tracking_uri(), _client
    if client is None or client.tracking_uri != uri:
        client = _client = MlflowClient(uri)
    return client


_client: MlflowClient | None = None


def _active_run_id() -> str:
    """Return the active run's id; one is started where there is none."""
    return (_state.runs[-1] if _state.runs else start_run()).info.run_id


def _resumed(
    client: MlflowClient,
    run_id: str,
    experiment_id: str | None,
    parent_run_id: str | None,
    run_name: str | None,
    tags: Mapping[str, Any],
) -> Run:
    run = client.get_run(run_id)
    if run.info.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidParameter(f"Cannot start run with ID {run_id} because it is in the deleted state.")
    expected = experiment_id or _active_experiment_id
    if expected is not None and expected != run.info.experiment_id:
        raise InvalidParameter(
            f"Cannot start run with ID {run_id} because active experiment ID does not match environment run ID: "
            f"the run is of experiment {run.info.experiment_id}, not {expected}"
        )
    parent = run.data.tags.get(context.PARENT_RUN_ID)
    if parent_run_id is not None and parent_run_id != parent:
        raise InvalidParameter(f"run {run_id} is no child of {parent_run_id!r}; its parent is {parent!r}")
    client.update_run(run_id, "RUNNING", run_name)
    if tags:
        client.log_batch(run_id, tags=[RunTag(key, str(value)) for key, value in tags.items()], synchronous=True)
    return client.get_run(run_id)


def _check_parent(client: MlflowClient, run_id: str) -> None:
    if _state.runs:
        current = _state.runs[-1].info.run_id
        raise InvalidParameter(
            f"Current run with UUID {current} does not match the specified parent_run_id {run_id}. To start a new "
            f"nested run under the parent run with UUID {current}, first end the current run with mlflow.end_run()."
        )
    if settings.load_client_settings().spool:
        # Starting a run is not to wait for a server, and the parent may be in the spool of another process.
        return
    parent = client.get_run(run_id)
    if parent.info.lifecycle_stage != LifecycleStage.ACTIVE:
        raise InvalidParameter(
            f"Cannot start run under parent run with ID {run_id} because it is in the deleted state."
        )


def _with_description(tags: Mapping[str, Any] | None, description: str | None) -> dict[str, Any]:
    found = dict(tags or {})
    if description:
        if context.NOTE in found:
            raise InvalidParameter(
                f"Description is already set via the tag {context.NOTE} in tags. Remove the key {context.NOTE} from "
                "the tags or omit the description."
            )
        found[context.NOTE] = description
    return found


def _record_model(client: MlflowClient, run_id: str, model_id: str | None) -> None:
    """Have a run's inputs name a model that it measured and neither made nor named before."""
    if model_id is None or (run_id, model_id) in _recorded:
        return
    _recorded.add((run_id, model_id))
    run = client.get_run(run_id)
    known = [*(run.inputs.model_inputs if run.inputs else ()), *(run.outputs.model_outputs if run.outputs else ())]
    if model_id not in {each.model_id for each in known}:
        client.log_inputs(run_id, models=[LoggedModelInput(model_id)])


_recorded: Final[set[tuple[str, str]]] = set()


def model_source(client: MlflowClient, uri: str) -> tuple[str, str | None, str | None]:
    """Return what a version of a model names as its source, the run that made it, and its id as a logged model."""
    from runyard.client.registry import find_logged_model_of_run

    if uri.startswith("models:/m-"):
        model = client.get_logged_model(uri.removeprefix("models:/").strip("/"))
        return model.model_uri, model.source_run_id or None, model.model_id
    if not uri.startswith("runs:/"):
        folder = local_path(uri)
        if folder is not None and Path(folder, "MLmodel").is_file():
            kept = _kept_model(client, Path(folder))
            return kept.model_uri, kept.source_run_id or None, kept.model_id
        return uri, None, None
    run_id, _, path = uri.removeprefix("runs:/").strip("/").partition("/")
    run = client.get_run(run_id)
    found = find_logged_model_of_run(connect(get_tracking_uri()), run.info.experiment_id, run_id, path)
    if found is not None:
        return found.model_uri, run_id, found.model_id
    parent = path.rpartition("/")[0]
    if path and not any(file.path == path for file in client.list_artifacts(run_id, parent or None)):
        raise NotFound(f"Unable to find a logged_model with artifact_path {path} under run {run_id}")
    return f"{(run.info.artifact_uri or '').rstrip('/')}/{path}".rstrip("/"), run_id, None


def _kept_model(client: MlflowClient, folder: Path) -> LoggedModel:
    """Copy a model of this machine to where models are kept: a server takes no path of another machine for a source."""
    model = initialize_logged_model("".join(each for each in folder.name if each not in _NOT_IN_MODEL_NAMES) or "model")
    try:
        client.log_model_artifacts(model.model_id, str(folder))
    except BaseException:
        finalize_logged_model(model.model_id, "FAILED")
        raise
    return finalize_logged_model(model.model_id, "READY")


def _searched_experiments(
    client: MlflowClient, ids: list[str] | None, names: list[str] | None, *, everywhere: bool
) -> list[str]:
    if ids and names:
        raise InvalidParameter("Only experiment_ids or experiment_names can be used, but not both")
    if everywhere and not ids and not names:
        return [each.experiment_id for each in search_experiments(view_type=ViewType.ACTIVE_ONLY)]
    if names:
        found = [(name, client.get_experiment_by_name(name)) for name in names]
        for name, experiment in found:
            if experiment is None:
                _log.warning("Cannot retrieve experiment by name %s", name)
        return [experiment.experiment_id for _, experiment in found if experiment is not None]
    return list(ids) if ids else [experiment_id_now()]


def _gathered(search: Any, wanted: int | None) -> list[Any]:
    """Return what ``search(count, token)`` finds, page by page, at most ``wanted``."""
    found: list[Any] = []
    token: str | None = None
    while wanted is None or len(found) < wanted:
        page = search(_PAGE if wanted is None else min(_PAGE, wanted - len(found)), token)
        found += page
        token = page.token
        if not token:
            break
    return found


def _table_of_runs(runs: Iterable[Run]) -> pd.DataFrame:
    import pandas as pd

    runs = list(runs)
    columns: dict[str, Any] = {
        "run_id": [run.info.run_id for run in runs],
        "experiment_id": [run.info.experiment_id for run in runs],
        "status": [run.info.status for run in runs],
        "artifact_uri": [run.info.artifact_uri for run in runs],
        "start_time": pd.to_datetime([run.info.start_time for run in runs], unit="ms", utc=True),
        "end_time": pd.to_datetime([run.info.end_time for run in runs], unit="ms", utc=True),
    }
    for part, missing in (("metrics", float("nan")), ("params", None), ("tags", None)):
        values: list[Mapping[str, Any]] = [getattr(run.data, part) for run in runs]
        for key in dict.fromkeys(_keys(values)):
            columns[f"{part}.{key}"] = [each.get(key, missing) for each in values]
    return pd.DataFrame(columns)


def _keys(values: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for each in values:
        yield from each


def _tell_address(run: Run) -> None:
    """Say where the run can be looked at, if that is a page; one that was not made yet has none."""
    uri = connect(get_tracking_uri()).uri
    if uri.startswith(("http://", "https://")) and run.info.experiment_id.isdecimal():
        experiment = f"{uri}/#/experiments/{run.info.experiment_id}"
        sys.stdout.write(
            f"View run {run.info.run_name} at: {experiment}/runs/{run.info.run_id}\nView experiment at: {experiment}\n"
        )


def _refuse_traces(trace_location: Any) -> None:
    if trace_location is not None:
        raise InvalidParameter(f"trace_location: there are no traces here, got {shown(trace_location)}")


def _end_all() -> None:
    """End the runs of the thread that the process ends with: left RUNNING, they would look as if they still ran."""
    while _state.runs:
        try:
            end_run()
        except RunyardError as error:
            _log.warning("a run could not be ended: %s", error)


connections.at_exit(_end_all)
