"""`MlflowClient`: every call of the tracking and registry APIs, on runs and models that are named."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import quote

from runyard import settings
from runyard.client import answers, batches, context
from runyard.client.background import RunOperations, sender_of
from runyard.client.connections import at_exit, connect, get_tracking_uri, registry_beside
from runyard.client.progress import shown_progress
from runyard.client.transport import Transport
from runyard.client.workspaces import WorkspaceCalls
from runyard.entities import (
    DatasetInput,
    Experiment,
    FileInfo,
    LoggedModel,
    LoggedModelInput,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    PagedList,
    Param,
    Run,
    RunStatus,
    RunTag,
    ViewType,
)
from runyard.entities.model_registry import ModelVersion, RegisteredModel
from runyard.errors import InvalidParameter, InvalidType, InvalidValue, NotFound, RunyardError
from runyard.wire import (
    experiments as experiment_requests,
    logged_models as logged_model_requests,
    model_versions as version_requests,
    registered_models as model_requests,
    runs as run_requests,
)
from runyard.wire.artifacts import ListArtifacts
from runyard.wire.base import Empty, Request, TagInput, json_float
from runyard.wire.metrics import GetMetricHistory
from runyard.wire.names import shown

if TYPE_CHECKING:
    import io

    import numpy as np
    import pandas as pd
    import PIL.Image

    from runyard.client.artifacts import ArtifactFolder
    from runyard.client.shapes import Image

T = TypeVar("T")

_log: Final = logging.getLogger(__name__)
_HISTORY_PAGE: Final = 25_000
_STAGES: Final = ("None", "Staging", "Production", "Archived")
_ARTIFACT_THREADS: Final = 4
_KNOWN_FOLDERS: Final = 1000


class MlflowClient(WorkspaceCalls):
    """Calls of a tracking server and of a model registry; by default of those that the process works with."""

    def __init__(
        self,
        tracking_uri: str | None = None,
        registry_uri: str | None = None,
        workspace_store_uri: str | None = None,
    ) -> None:
        self._tracking_uri = tracking_uri or get_tracking_uri()
        self._registry_uri = registry_uri or registry_beside(self._tracking_uri)
        self._workspace_store_uri = workspace_store_uri or settings.workspace_store_uri() or self._tracking_uri
        # By run, where its artifacts are.
        self._folders: dict[str, str] = {}

    @property
    def tracking_uri(self) -> str:
        return self._tracking_uri

    @property
    def _tracking(self) -> Transport:
        return connect(self._tracking_uri)

    @property
    def _registry(self) -> Transport:
        return connect(self._registry_uri)

    # Experiments

    def create_experiment(
        self, name: str, artifact_location: str | None = None, tags: dict[str, Any] | None = None
    ) -> str:
        """Return the id of the new experiment."""
        request = experiment_requests.CreateExperiment(
            name=name,
            artifact_location=str(artifact_location) if artifact_location else None,
            tags=_tag_inputs(tags),
        )
        answer = experiment_requests.CreateExperimentResponse
        return self._tracking.request("POST", "experiments/create", request, answer).experiment_id

    def get_experiment(self, experiment_id: str) -> Experiment:
        request = experiment_requests.GetExperiment(experiment_id=str(experiment_id))
        answer = self._tracking.request("GET", "experiments/get", request, answers.ExperimentAnswer)
        return answers.experiment_of(answer.experiment)

    def get_experiment_by_name(self, name: str) -> Experiment | None:
        """Return the experiment of that name, or None."""
        request = experiment_requests.GetExperimentByName(experiment_name=name)
        try:
            answer = self._tracking.request("GET", "experiments/get-by-name", request, answers.ExperimentAnswer)
        except NotFound:
            return None
        return answers.experiment_of(answer.experiment)

    def search_experiments(
        self,
        view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int | None = 1000,
        filter_string: str | None = None,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Experiment]:
        """Return a page of the experiments that match; its ``token`` asks for the next."""
        request = experiment_requests.SearchExperiments(
            view_type=_view(view_type),
            max_results=max_results,
            filter=filter_string,
            order_by=order_by,
            page_token=page_token,
        )
        answer = _read(self._tracking, "experiments/search", request, answers.ExperimentsAnswer)
        return PagedList([answers.experiment_of(each) for each in answer.experiments], answer.next_page_token)

    def delete_experiment(self, experiment_id: str) -> None:
        request = experiment_requests.ExperimentId(experiment_id=str(experiment_id))
        self._tracking.request("POST", "experiments/delete", request, Empty)

    def restore_experiment(self, experiment_id: str) -> None:
        request = experiment_requests.ExperimentId(experiment_id=str(experiment_id))
        self._tracking.request("POST", "experiments/restore", request, Empty)

    def rename_experiment(self, experiment_id: str, new_name: str) -> None:
        request = experiment_requests.UpdateExperiment(experiment_id=str(experiment_id), new_name=new_name)
        _write(self._tracking, "experiments/update", request)

    def set_experiment_tag(self, experiment_id: str, key: str, value: Any) -> None:
        request = experiment_requests.SetExperimentTag(experiment_id=str(experiment_id), key=key, value=str(value))
        _write(self._tracking, "experiments/set-experiment-tag", request)

    def delete_experiment_tag(self, experiment_id: str, key: str) -> None:
        request = experiment_requests.DeleteExperimentTag(experiment_id=str(experiment_id), key=key)
        self._tracking.request("POST", "experiments/delete-experiment-tag", request, Empty)

    # Runs

    def create_run(
        self,
        experiment_id: str,
        start_time: int | None = None,
        tags: dict[str, Any] | None = None,
        run_name: str | None = None,
    ) -> Run:
        """Return a new run, which nothing ends but `set_terminated`; ``start_time`` is in milliseconds."""
        texts = {key: str(value) for key, value in (tags or {}).items()}
        request = run_requests.CreateRun(
            experiment_id=str(experiment_id),
            user_id=texts.get(context.USER, "unknown"),
            run_name=run_name,
            start_time=start_time or _now_ms(),
            tags=_tag_inputs(texts),
        )
        return answers.run_of(self._tracking.request("POST", "runs/create", request, answers.RunAnswer).run)

    def get_run(self, run_id: str) -> Run:
        request = run_requests.GetRun(run_id=run_id)
        return answers.run_of(self._tracking.request("GET", "runs/get", request, answers.RunAnswer).run)

    def get_parent_run(self, run_id: str) -> Run | None:
        """Return the run in which this one is nested, or None."""
        parent = self.get_run(run_id).data.tags.get(context.PARENT_RUN_ID)
        return None if parent is None else self.get_run(parent)

    def search_runs(
        self,
        experiment_ids: list[str],
        filter_string: str = "",
        run_view_type: int = ViewType.ACTIVE_ONLY,
        max_results: int = 1000,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[Run]:
        """Return a page of the runs that match; its ``token`` asks for the next."""
        request = run_requests.SearchRuns(
            experiment_ids=_several(experiment_ids),
            filter=filter_string or None,
            run_view_type=_view(run_view_type),
            max_results=max_results,
            order_by=_several(order_by) if order_by else None,
            page_token=page_token,
        )
        answer = _read(self._tracking, "runs/search", request, answers.RunsAnswer)
        return PagedList([answers.run_of(each) for each in answer.runs], answer.next_page_token)

    def set_terminated(self, run_id: str, status: str | None = None, end_time: int | None = None) -> None:
        """End a run; ``end_time`` is in milliseconds, and now by default."""
        status = status or RunStatus.to_string(RunStatus.FINISHED)
        RunStatus.from_string(status)
        request = run_requests.UpdateRun(run_id=run_id, status=status, end_time=end_time or _now_ms())
        _write(self._tracking, "runs/update", request, answers.RunInfoAnswer)

    def update_run(self, run_id: str, status: str | None = None, name: str | None = None) -> None:
        request = run_requests.UpdateRun(run_id=run_id, status=status, run_name=name)
        _write(self._tracking, "runs/update", request, answers.RunInfoAnswer)

    def delete_run(self, run_id: str) -> None:
        _write(self._tracking, "runs/delete", run_requests.DeleteRun(run_id=run_id))

    def restore_run(self, run_id: str) -> None:
        _write(self._tracking, "runs/restore", run_requests.RestoreRun(run_id=run_id))

    # What is logged to a run

    def log_metric(
        self,
        run_id: str,
        key: str,
        value: float,
        timestamp: int | None = None,
        step: int | None = None,
        synchronous: bool | None = None,
        dataset_name: str | None = None,
        dataset_digest: str | None = None,
        model_id: str | None = None,
    ) -> RunOperations | None:
        """Log one point of a metric; ``timestamp`` is in milliseconds, and now by default."""
        point = metric_point(
            Metric(
                key,
                value,
                _now_ms() if timestamp is None else timestamp,
                step or 0,
                model_id,
                dataset_name,
                dataset_digest,
            )
        )
        if not _is_synchronous(synchronous):
            return self._later(run_id, batches.single(point, "metrics"))
        request = run_requests.LogMetric(
            run_id=run_id,
            key=point.key,
            value=point.value,
            timestamp=point.timestamp,
            step=point.step,
            model_id=model_id,
            dataset_name=dataset_name,
            dataset_digest=dataset_digest,
        )
        _write(self._tracking, "runs/log-metric", request)
        return None

    def log_param(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> Any:
        """Log a param, whose text does not change again; return ``value``, or what is done in the background."""
        if not _is_synchronous(synchronous):
            return self._later(run_id, batches.single(TagInput(key, str(value)), "params"))
        _write(self._tracking, "runs/log-parameter", run_requests.LogParam(run_id=run_id, key=key, value=str(value)))
        return value

    def set_tag(self, run_id: str, key: str, value: Any, synchronous: bool | None = None) -> RunOperations | None:
        if not _is_synchronous(synchronous):
            return self._later(run_id, batches.single(TagInput(key, str(value)), "tags"))
        _write(self._tracking, "runs/set-tag", run_requests.SetRunTag(run_id=run_id, key=key, value=str(value)))
        return None

    def delete_tag(self, run_id: str, key: str) -> None:
        self._tracking.request("POST", "runs/delete-tag", run_requests.DeleteRunTag(run_id=run_id, key=key), Empty)

    def log_batch(
        self,
        run_id: str,
        metrics: Sequence[Metric] = (),
        params: Sequence[Param] = (),
        tags: Sequence[RunTag] = (),
        synchronous: bool | None = None,
    ) -> RunOperations | None:
        """Log many things in as few requests as their limits allow."""
        packed = batches.packed(
            map(metric_point, metrics),
            [TagInput(param.key, str(param.value)) for param in params],
            [TagInput(tag.key, str(tag.value)) for tag in tags],
        )
        if not _is_synchronous(synchronous):
            return self._later(run_id, *packed)
        for batch in packed:
            batches.send(self._tracking, run_id, batch)
        return None

    def log_inputs(
        self,
        run_id: str,
        datasets: Sequence[DatasetInput] | None = None,
        models: Sequence[LoggedModelInput] | None = None,
    ) -> None:
        """Record what a run reads: datasets, and models that others made."""
        specs = [
            run_requests.DatasetInputSpec(
                run_requests.DatasetSpec(
                    name=given.dataset.name,
                    digest=given.dataset.digest,
                    source_type=given.dataset.source_type,
                    source=given.dataset.source,
                    schema=given.dataset.schema,
                    profile=given.dataset.profile,
                ),
                [run_requests.InputTag(tag.key, tag.value) for tag in given.tags],
            )
            for given in datasets or ()
        ]
        request = run_requests.LogInputs(
            run_id=run_id,
            datasets=specs or None,
            models=[run_requests.ModelInputSpec(model.model_id) for model in models or ()] or None,
        )
        _write(self._tracking, "runs/log-inputs", request)

    def log_outputs(self, run_id: str, models: list[LoggedModelOutput]) -> None:
        """Record the models that a run made, each with the step at which it did."""
        made = [run_requests.ModelOutputSpec(model.model_id, model.step) for model in models]
        _write(self._tracking, "runs/outputs", run_requests.LogOutputs(run_id=run_id, models=made))

    def get_metric_history(self, run_id: str, key: str) -> list[Metric]:
        """Return every point of a metric, by time, step and value."""
        points: list[Metric] = []
        token: str | None = None
        while True:
            request = GetMetricHistory(
                run_id=run_id, run_uuid=run_id, metric_key=key, max_results=_HISTORY_PAGE, page_token=token
            )
            answer = self._tracking.request("GET", "metrics/get-history", request, answers.MetricsAnswer)
            points += map(answers.metric_of, answer.metrics)
            token = answer.next_page_token
            if not token:
                return points

    def _later(self, run_id: str, *given: batches.Batch) -> RunOperations:
        return sender_of(self._tracking).submit(run_id, given)

    # Artifacts

    def log_artifact(self, run_id: str, local_path: str, artifact_path: str | None = None) -> None:
        """Send a file, or a folder with all that is in it, into a folder of the run's artifacts."""
        send_files(self._folder(run_id), Path(local_path), artifact_path)

    def log_artifacts(self, run_id: str, local_dir: str, artifact_path: str | None = None) -> None:
        """Send what is in a folder into a folder of the run's artifacts."""
        send_folder(self._folder(run_id), Path(local_dir), artifact_path)

    def log_text(self, run_id: str, text: str, artifact_file: str) -> None:
        with self._written(run_id, artifact_file) as path:
            path.write_text(text, encoding="utf-8")

    def log_dict(self, run_id: str, dictionary: dict[str, Any], artifact_file: str) -> None:
        """Log a dict, or a list, as YAML where the file is named so, else as JSON."""
        from runyard.client.shapes import write_dict

        with self._written(run_id, artifact_file) as path:
            write_dict(dictionary, path)

    def log_stream(self, run_id: str, stream: io.BufferedIOBase | io.RawIOBase, artifact_file: str) -> None:
        """Log what a binary stream holds; it is read in pieces."""
        with self._written(run_id, artifact_file) as path, path.open("wb") as file:
            shutil.copyfileobj(cast("io.BufferedIOBase", stream), file)

    def log_figure(
        self, run_id: str, figure: Any, artifact_file: str, *, save_kwargs: dict[str, Any] | None = None
    ) -> None:
        """Log a matplotlib or plotly figure in the format that the file's name says."""
        from runyard.client.shapes import write_figure

        with self._written(run_id, artifact_file) as path:
            write_figure(figure, path, save_kwargs or {})

    def log_image(
        self,
        run_id: str,
        image: np.ndarray | PIL.Image.Image | Image,
        artifact_file: str | None = None,
        key: str | None = None,
        step: int | None = None,
        timestamp: int | None = None,
        synchronous: bool | None = None,
    ) -> None:
        """Log a picture as a file or, with ``key``, as one of a series over steps, in the background by default.

        Raises:
            InvalidParameter: both a file and a key are named, or neither, or the array is no picture.
        """
        from runyard.client.shapes import image_name, picture, preview

        if (artifact_file is None) == (key is None):
            raise InvalidParameter("a picture is logged as a file or in a series: name one of artifact_file and key")
        drawn = picture(image)
        if artifact_file is not None:
            if step is not None or timestamp is not None:
                raise InvalidParameter("step and timestamp go with key, not with artifact_file")
            with self._written(run_id, artifact_file) as path:
                drawn.save(path)
            return
        assert key is not None
        name = image_name(key, step or 0, _now_ms() if timestamp is None else timestamp)
        # The caller may draw on it again before it is sent.
        drawn, small = drawn.copy(), preview(drawn)

        def save() -> None:
            with self._written(run_id, f"{name}.png") as path:
                drawn.save(path)
            with self._written(run_id, f"{name}+compressed.webp") as path:
                small.save(path)
            self.set_tag(run_id, "mlflow.loggedImages", value=True, synchronous=True)

        if synchronous is True:
            save()
        else:
            _in_background(save)

    def log_table(self, run_id: str, data: dict[str, Any] | pd.DataFrame, artifact_file: str) -> None:
        """Log a table as JSON, or as Parquet where the file is named so; to one that is there, rows are added."""
        from runyard.client.shapes import frame_of

        if Path(artifact_file).suffix not in {".json", ".parquet"}:
            raise InvalidValue(f"artifact_file of a table must end with .json or .parquet, got {artifact_file!r}")
        table = frame_of(data)
        parent = artifact_file.rpartition("/")[0]
        if any(file.path == artifact_file for file in self.list_artifacts(run_id, parent or None)):
            import pandas as pd

            table = pd.concat([self._table(run_id, artifact_file), table], ignore_index=True)
        with self._written(run_id, artifact_file) as path:
            if path.suffix == ".json":
                table.to_json(path, orient="split", index=False, date_format="iso", date_unit="ms")
            else:
                table.to_parquet(path)
        tag = "mlflow.loggedArtifacts"
        logged = json.loads(self.get_run(run_id).data.tags.get(tag, "[]"))
        entry = {"path": artifact_file, "type": "table"}
        if entry not in logged:
            self.set_tag(run_id, tag, json.dumps([*logged, entry]), synchronous=True)

    def load_table(
        self,
        experiment_id: str,
        artifact_file: str,
        run_ids: list[str] | None = None,
        extra_columns: list[str] | None = None,
    ) -> pd.DataFrame:
        """Return the rows of a table of several runs, by default of all of an experiment that have it.

        Args:
            extra_columns: what else to tell of each row's run: run_id, or an attribute, metric, param or tag of it.
        """
        import pandas as pd

        tables = []
        for run in self._runs_with_table(experiment_id, artifact_file, run_ids):
            table = self._table(run.info.run_id, artifact_file)
            for column in extra_columns or ():
                table[column] = _told_of(run, column)
            tables.append(table)
        if not tables:
            raise NotFound(f"No runs found with the corresponding table artifact {artifact_file}.")
        return pd.concat(tables, ignore_index=True)

    def list_artifacts(self, run_id: str, path: str | None = None) -> list[FileInfo]:
        """Return what is directly below a folder of the run's artifacts."""
        files: list[FileInfo] = []
        token: str | None = None
        while True:
            request = ListArtifacts(run_id=run_id, path=path or None, page_token=token)
            answer = self._tracking.request("GET", "artifacts/list", request, answers.FilesAnswer)
            files += map(answers.file_of, answer.files)
            token = answer.next_page_token
            if not token:
                return files

    def download_artifacts(self, run_id: str, path: str, dst_path: str | None = None) -> str:
        """Fetch a file or a folder of a run's artifacts; return where it is now."""
        return fetch(self._folder(run_id), path, dst_path)

    def _folder(self, run_id: str) -> ArtifactFolder:
        from runyard.client.artifacts import open_folder

        folder = self._tracking.folder_of(run_id)
        if folder is not None:
            return folder
        uri = self._folders.get(run_id)
        if uri is None:
            if len(self._folders) >= _KNOWN_FOLDERS:
                self._folders.clear()
            uri = self._folders[run_id] = self.get_run(run_id).info.artifact_uri or ""
        return open_folder(self._tracking, uri)

    @contextmanager
    def _written(self, run_id: str, artifact_file: str) -> Iterator[Path]:
        """Give the path of a new local file, which is then sent to where ``artifact_file`` says."""
        from runyard.artifacts.uris import check_artifact_path

        path = check_artifact_path(artifact_file, "artifact_file")
        if not path:
            raise InvalidParameter("artifact_file must name a file, got nothing")
        with tempfile.TemporaryDirectory(prefix="runyard-") as folder:
            local = Path(folder, path.rpartition("/")[2])
            yield local
            self._folder(run_id).upload(local, path, _silent)

    def _table(self, run_id: str, artifact_file: str) -> pd.DataFrame:
        import pandas as pd

        with tempfile.TemporaryDirectory(prefix="runyard-") as folder:
            local = self.download_artifacts(run_id, artifact_file, folder)
            if local.endswith(".parquet"):
                return pd.read_parquet(local)
            return pd.read_json(local, orient="split")

    def _runs_with_table(self, experiment_id: str, artifact_file: str, run_ids: list[str] | None) -> Iterator[Run]:
        name = artifact_file.replace("'", "''")
        found = f'tags.`mlflow.loggedArtifacts` LIKE \'%"path": "{name}"%\''
        token: str | None = None
        while True:
            page = self.search_runs([experiment_id], found, page_token=token)
            yield from (run for run in page if run_ids is None or run.info.run_id in run_ids)
            token = page.token
            if not token:
                return

    # Registered models

    def create_registered_model(
        self,
        name: str,
        tags: dict[str, Any] | None = None,
        description: str | None = None,
        deployment_job_id: str | None = None,
    ) -> RegisteredModel:
        _refuse_jobs(deployment_job_id)
        request = model_requests.CreateRegisteredModel(name=name, tags=_tag_inputs(tags), description=description)
        answer = self._registry.request("POST", "registered-models/create", request, answers.ModelAnswer)
        return answers.registered_model_of(answer.registered_model)

    def rename_registered_model(self, name: str, new_name: str) -> RegisteredModel:
        request = model_requests.RenameRegisteredModel(name=name, new_name=new_name)
        answer = self._registry.request("POST", "registered-models/rename", request, answers.ModelAnswer)
        return answers.registered_model_of(answer.registered_model)

    def update_registered_model(
        self, name: str, description: str | None = None, deployment_job_id: str | None = None
    ) -> RegisteredModel:
        _refuse_jobs(deployment_job_id)
        request = model_requests.UpdateRegisteredModel(name=name, description=description)
        answer = self._registry.request("PATCH", "registered-models/update", request, answers.ModelAnswer)
        return answers.registered_model_of(answer.registered_model)

    def delete_registered_model(self, name: str) -> None:
        request = model_requests.RegisteredModelName(name=name)
        self._registry.request("DELETE", "registered-models/delete", request, Empty, is_idempotent=False)

    def get_registered_model(self, name: str) -> RegisteredModel:
        request = model_requests.RegisteredModelName(name=name)
        answer = self._registry.request("GET", "registered-models/get", request, answers.ModelAnswer)
        return answers.registered_model_of(answer.registered_model)

    def search_registered_models(
        self,
        filter_string: str | None = None,
        max_results: int = 100,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[RegisteredModel]:
        """Return a page of the models that match; its ``token`` asks for the next."""
        request = model_requests.SearchRegisteredModels(
            filter=filter_string, max_results=max_results, order_by=order_by, page_token=page_token
        )
        answer = self._registry.request("GET", "registered-models/search", request, answers.ModelsAnswer)
        return PagedList(
            [answers.registered_model_of(each) for each in answer.registered_models], answer.next_page_token
        )

    def set_registered_model_tag(self, name: str, key: str, value: Any) -> None:
        request = model_requests.SetRegisteredModelTag(name=name, key=key, value=str(value))
        _write(self._registry, "registered-models/set-tag", request)

    def delete_registered_model_tag(self, name: str, key: str) -> None:
        request = model_requests.DeleteRegisteredModelTag(name=name, key=key)
        self._registry.request("DELETE", "registered-models/delete-tag", request, Empty)

    def set_registered_model_alias(self, name: str, alias: str, version: str) -> None:
        request = model_requests.SetAlias(name=name, alias=alias, version=str(version))
        _write(self._registry, "registered-models/alias", request)

    def delete_registered_model_alias(self, name: str, alias: str) -> None:
        request = model_requests.AliasName(name=name, alias=alias)
        self._registry.request("DELETE", "registered-models/alias", request, Empty)

    # Model versions

    def create_model_version(
        self,
        name: str,
        source: str,
        run_id: str | None = None,
        tags: dict[str, Any] | None = None,
        run_link: str | None = None,
        description: str | None = None,
        await_creation_for: int = 300,
        model_id: str | None = None,
    ) -> ModelVersion:
        """Return a new version of the model whose files are at ``source``; it is ready at once."""
        request = version_requests.CreateModelVersion(
            name=name,
            source=str(source),
            run_id=run_id,
            tags=_tag_inputs(tags),
            run_link=run_link,
            description=description,
            model_id=model_id,
        )
        answer = self._registry.request("POST", "model-versions/create", request, answers.VersionAnswer)
        return answers.version_of(answer.model_version)

    def copy_model_version(self, src_model_uri: str, dst_name: str) -> ModelVersion:
        """Return a new version of another model, with the files of the version that a models:/ URI names."""
        version = self._version_of(src_model_uri)
        try:
            self.create_registered_model(dst_name)
        except RunyardError as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
        return self.create_model_version(
            dst_name,
            f"models:/{version.name}/{version.version}",
            run_id=version.run_id or None,
            tags=version.tags,
            run_link=version.run_link or None,
            description=version.description or None,
        )

    def get_model_version(self, name: str, version: str) -> ModelVersion:
        request = version_requests.VersionRequest(name=name, version=str(version))
        answer = self._registry.request("GET", "model-versions/get", request, answers.VersionAnswer)
        return answers.version_of(answer.model_version)

    def get_model_version_by_alias(self, name: str, alias: str) -> ModelVersion:
        request = model_requests.AliasName(name=name, alias=alias)
        answer = self._registry.request("GET", "registered-models/alias", request, answers.VersionAnswer)
        return answers.version_of(answer.model_version)

    def get_model_version_download_uri(self, name: str, version: str) -> str:
        """Return where the files of a version are."""
        from runyard.client.registry import get_download_uri

        return get_download_uri(self._registry, name, str(version))

    def get_model_version_stages(self, name: str, version: str) -> list[str]:
        """Return the stages that a version may be in."""
        return list(_STAGES)

    def get_latest_versions(self, name: str, stages: list[str] | None = None) -> list[ModelVersion]:
        """Return the newest version of each stage, or of those that are named."""
        _deprecated("get_latest_versions")
        request = model_requests.GetLatestVersions(name=name, stages=stages)
        answer = _read(self._registry, "registered-models/get-latest-versions", request, answers.VersionsAnswer)
        return [answers.version_of(each) for each in answer.model_versions]

    def search_model_versions(
        self,
        filter_string: str | None = None,
        max_results: int = 10_000,
        order_by: list[str] | None = None,
        page_token: str | None = None,
    ) -> PagedList[ModelVersion]:
        """Return a page of the versions that match; its ``token`` asks for the next."""
        request = version_requests.SearchModelVersions(
            filter=filter_string, max_results=max_results, order_by=order_by, page_token=page_token
        )
        answer = self._registry.request("GET", "model-versions/search", request, answers.VersionsAnswer)
        return PagedList([answers.version_of(each) for each in answer.model_versions], answer.next_page_token)

    def update_model_version(self, name: str, version: str, description: str | None = None) -> ModelVersion:
        request = version_requests.UpdateModelVersion(name=name, version=str(version), description=description)
        answer = self._registry.request("PATCH", "model-versions/update", request, answers.VersionAnswer)
        return answers.version_of(answer.model_version)

    def transition_model_version_stage(
        self, name: str, version: str, stage: str, archive_existing_versions: bool = False
    ) -> ModelVersion:
        """Put a version in a stage; the others that are in it are archived on request."""
        _deprecated("transition_model_version_stage")
        request = version_requests.TransitionStage(
            name=name, version=str(version), stage=stage, archive_existing_versions=archive_existing_versions
        )
        answer = self._registry.request("POST", "model-versions/transition-stage", request, answers.VersionAnswer)
        return answers.version_of(answer.model_version)

    def delete_model_version(self, name: str, version: str) -> None:
        request = version_requests.VersionRequest(name=name, version=str(version))
        self._registry.request("DELETE", "model-versions/delete", request, Empty, is_idempotent=False)

    def set_model_version_tag(
        self,
        name: str,
        version: str | None = None,
        key: str | None = None,
        value: Any = None,
        stage: str | None = None,
    ) -> None:
        version = self._version_or_newest(name, version, stage)
        request = version_requests.SetModelVersionTag(name=name, version=version, key=key or "", value=str(value))
        _write(self._registry, "model-versions/set-tag", request)

    def delete_model_version_tag(
        self, name: str, version: str | None = None, key: str | None = None, stage: str | None = None
    ) -> None:
        version = self._version_or_newest(name, version, stage)
        request = version_requests.DeleteModelVersionTag(name=name, version=version, key=key or "")
        self._registry.request("DELETE", "model-versions/delete-tag", request, Empty)

    def _version_or_newest(self, name: str, version: str | None, stage: str | None) -> str:
        if (version is None) == (stage is None):
            raise InvalidParameter("a model version is named by version or by stage: give one of them")
        if version is not None:
            return str(version)
        request = model_requests.GetLatestVersions(name=name, stages=[str(stage)])
        answer = _read(self._registry, "registered-models/get-latest-versions", request, answers.VersionsAnswer)
        if not answer.model_versions:
            raise NotFound(f"Could not find any model version for {stage} stage")
        return str(answer.model_versions[0]["version"])

    def _version_of(self, uri: str) -> ModelVersion:
        scheme, _, rest = uri.partition(":/")
        name, alias_mark, alias = rest.strip("/").partition("@")
        if scheme == "models" and alias_mark:
            return self.get_model_version_by_alias(name, alias)
        name, _, version = rest.strip("/").partition("/")
        if scheme != "models" or not name or not version:
            raise InvalidParameter(
                f"src_model_uri must be models:/NAME/VERSION or models:/NAME@ALIAS, got {shown(uri)}"
            )
        if version.isdecimal():
            return self.get_model_version(name, version)
        stages = None if version.lower() == "latest" else [version]
        request = model_requests.GetLatestVersions(name=name, stages=stages)
        answer = _read(self._registry, "registered-models/get-latest-versions", request, answers.VersionsAnswer)
        found = [answers.version_of(each) for each in answer.model_versions]
        if not found:
            raise NotFound(f"Registered Model {name} has no version {shown(version)}")
        return max(found, key=lambda each: int(each.version))

    # Logged models

    def create_logged_model(
        self,
        experiment_id: str,
        name: str | None = None,
        source_run_id: str | None = None,
        tags: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
        model_type: str | None = None,
    ) -> LoggedModel:
        request = logged_model_requests.CreateLoggedModel(
            experiment_id=str(experiment_id),
            name=name,
            model_type=model_type,
            source_run_id=source_run_id,
            params=_tag_inputs(params),
            tags=_tag_inputs(tags),
        )
        answer = self._tracking.request("POST", "logged-models", request, answers.LoggedModelAnswer)
        return answers.logged_model_of(answer.model)

    def get_logged_model(self, model_id: str) -> LoggedModel:
        request = logged_model_requests.LoggedModelId(model_id=_checked_model_id(model_id))
        answer = self._tracking.request("GET", f"logged-models/{model_id}", request, answers.LoggedModelAnswer)
        return answers.logged_model_of(answer.model)

    def finalize_logged_model(self, model_id: str, status: str | LoggedModelStatus) -> LoggedModel:
        """Say that a model is whole (READY), or will not be (FAILED)."""
        name = LoggedModelStatus(status)
        request = logged_model_requests.FinalizeLoggedModel(
            model_id=_checked_model_id(model_id), status=answers.LOGGED_MODEL_STATUSES[name]
        )
        answer = self._tracking.request("PATCH", f"logged-models/{model_id}", request, answers.LoggedModelAnswer)
        return answers.logged_model_of(answer.model)

    def delete_logged_model(self, model_id: str) -> None:
        request = logged_model_requests.LoggedModelId(model_id=_checked_model_id(model_id))
        self._tracking.request("DELETE", f"logged-models/{model_id}", request, Empty)

    def log_model_params(self, model_id: str, params: dict[str, str]) -> None:
        request = logged_model_requests.LogLoggedModelParams(
            model_id=_checked_model_id(model_id), params=_tag_inputs(params)
        )
        _write(self._tracking, f"logged-models/{model_id}/params", request)

    def set_logged_model_tags(self, model_id: str, tags: dict[str, Any]) -> None:
        request = logged_model_requests.SetLoggedModelTags(model_id=_checked_model_id(model_id), tags=_tag_inputs(tags))
        self._tracking.request("PATCH", f"logged-models/{model_id}/tags", request, Empty)

    def delete_logged_model_tag(self, model_id: str, key: str) -> None:
        request = logged_model_requests.DeleteLoggedModelTag(model_id=_checked_model_id(model_id), tag_key=key)
        path = f"logged-models/{model_id}/tags/{quote(key, safe='')}"
        self._tracking.request("DELETE", path, request, Empty)

    def search_logged_models(
        self,
        experiment_ids: list[str],
        filter_string: str | None = None,
        datasets: list[dict[str, Any]] | None = None,
        max_results: int | None = None,
        order_by: list[dict[str, Any]] | None = None,
        page_token: str | None = None,
    ) -> PagedList[LoggedModel]:
        """Return a page of the logged models that match; its ``token`` asks for the next."""
        request = logged_model_requests.SearchLoggedModels(
            experiment_ids=[str(each) for each in experiment_ids],
            filter=filter_string,
            datasets=[logged_model_requests.SearchedDataset(**each) for each in datasets or ()] or None,
            max_results=max_results,
            order_by=[logged_model_requests.SearchOrder(**each) for each in order_by or ()] or None,
            page_token=page_token,
        )
        answer = _read(self._tracking, "logged-models/search", request, answers.LoggedModelsAnswer)
        return PagedList([answers.logged_model_of(each) for each in answer.models], answer.next_page_token)

    def log_model_artifact(self, model_id: str, local_path: str, artifact_path: str | None = None) -> None:
        send_files(self._model_folder(model_id), Path(local_path), artifact_path)

    def log_model_artifacts(self, model_id: str, local_dir: str, artifact_path: str | None = None) -> None:
        send_folder(self._model_folder(model_id), Path(local_dir), artifact_path)

    def list_logged_model_artifacts(self, model_id: str, path: str | None = None) -> list[FileInfo]:
        request = logged_model_requests.ListLoggedModelArtifacts(
            model_id=_checked_model_id(model_id), artifact_directory_path=path or None
        )
        answer = self._tracking.request(
            "GET", f"logged-models/{model_id}/artifacts/directories", request, answers.FilesAnswer
        )
        return [answers.file_of(each) for each in answer.files]

    def _model_folder(self, model_id: str) -> ArtifactFolder:
        from runyard.client.artifacts import open_folder

        return open_folder(self._tracking, self.get_logged_model(model_id).artifact_location)


def metric_point(metric: Metric) -> run_requests.MetricPoint:
    value = json_float(number_of(metric.key, metric.value))
    return run_requests.MetricPoint(
        key=metric.key,
        # JSON has no number for NaN and infinity; as text they arrive.
        value=cast("float", value),
        timestamp=int(metric.timestamp),
        step=int(metric.step or 0),
        model_id=metric.model_id,
        dataset_name=metric.dataset_name,
        dataset_digest=metric.dataset_digest,
    )


def number_of(key: str, value: Any) -> float:
    """Return a metric's value as a float: a number, or an array or tensor of one."""
    try:
        return float(value.item() if hasattr(value, "item") else value)
    except (TypeError, ValueError, RuntimeError) as error:
        kind = InvalidType if isinstance(error, TypeError) else InvalidParameter
        raise kind(
            f"Invalid value {shown(value)} for metric {shown(key)}: it must be a number, or an array or tensor of one"
        ) from None


def send_files(folder: ArtifactFolder, source: Path, artifact_path: str | None) -> None:
    """Send a file under its name, or a folder under its name with all that is in it."""
    if source.is_dir():
        send_folder(folder, source, "/".join(filter(None, (artifact_path, source.name))))
    else:
        with shown_progress("Sending", 1, source.stat().st_size if source.is_file() else None) as progress:
            folder.upload(source, _below(artifact_path, source.name), progress)


def send_folder(folder: ArtifactFolder, source: Path, artifact_path: str | None) -> None:
    from runyard.client.artifacts import files_below

    if not source.is_dir():
        # Said and not raised: a training that sometimes leaves nothing there is not to fail by it.
        _log.warning("there is no folder %s, so nothing of it was logged", source)
        return
    files = list(files_below(source))
    with shown_progress("Sending", len(files), sum(file.stat().st_size for file, _ in files)) as progress:
        for file, path in files:
            folder.upload(file, _below(artifact_path, path), progress)


def fetch(folder: ArtifactFolder, path: str, dst_path: str | None) -> str:
    """Fetch what is at ``path`` of a folder into ``dst_path``, by default a new temporary one; return where it is."""
    from runyard.artifacts.uris import check_artifact_path
    from runyard.client.artifacts import download, find_files, make_folder

    path = check_artifact_path(path or "")
    files = find_files(folder, path)
    target = Path(dst_path or tempfile.mkdtemp(prefix="runyard-"))
    try:
        sizes = [file.file_size for file in files]
        with shown_progress("Fetching", len(files), None if None in sizes else sum(filter(None, sizes))) as progress:
            download(folder, files, target, progress)
        if not files:
            make_folder(target / path)
    except BaseException:
        if dst_path is None:
            shutil.rmtree(target, ignore_errors=True)
        raise
    place = str((target / path).absolute())
    return f"{place}{os.sep}" if not path else place


_executor: ThreadPoolExecutor | None = None
_sending: set[Future[None]] = set()
_lock = threading.Lock()


def _in_background(task: Callable[[], None]) -> None:
    global _executor  # noqa: PLW0603 - one for the process
    with _lock:
        if _executor is None:
            _executor = ThreadPoolExecutor(_ARTIFACT_THREADS, "runyard-artifacts-sender")
        future = _executor.submit(task)
        _sending.add(future)
    future.add_done_callback(_sent)


def _sent(future: Future[None]) -> None:
    _sending.discard(future)
    error = future.exception()
    if error is not None:
        warnings.warn(f"a picture that was logged in the background was lost: {error}", stacklevel=2)


def flush_artifact_async_logging() -> None:
    """Wait until every picture that is logged in the background has been sent."""
    for future in list(_sending):
        future.exception()


at_exit(flush_artifact_async_logging)


def _read(transport: Transport, path: str, request: Request, answer: type[T]) -> T:
    return cast("T", transport.request("POST", path, request, cast("Any", answer), is_idempotent=True))


def _write(transport: Transport, path: str, request: Request, answer: Any = Empty) -> None:
    """Send a request that may be sent again: said twice, it is as if said once."""
    transport.request("POST", path, request, answer, is_idempotent=True)


def _is_synchronous(chosen: bool | None) -> bool:
    return not settings.async_logging() if chosen is None else chosen


def _view(view_type: int) -> str:
    return ViewType.to_string(view_type).upper()


def _tag_inputs(tags: Mapping[str, Any] | None) -> list[TagInput] | None:
    return [TagInput(key, str(value)) for key, value in tags.items()] if tags else None


def _several(given: Any) -> list[str]:
    """Return a list also where one is given by itself, as programs do."""
    return [str(given)] if isinstance(given, (str, int)) else [str(each) for each in given]


def _told_of(run: Run, column: str) -> Any:
    for told in (dict(run.info), run.data.tags, run.data.params, run.data.metrics):
        if column in told:
            return told[column]
    return None


def _checked_model_id(model_id: str) -> str:
    # It becomes a step of a path.
    if not model_id or not all(character.isalnum() or character in "-_" for character in model_id):
        raise InvalidParameter(f"Invalid model_id {shown(model_id)}: expected m- and 32 hexadecimal digits")
    return model_id


def _refuse_jobs(deployment_job_id: str | None) -> None:
    if deployment_job_id is not None:
        raise InvalidParameter(f"deployment_job_id: there are no such jobs here, got {shown(deployment_job_id)}")


def _deprecated(name: str) -> None:
    warnings.warn(
        f"{name}: stages of the model registry are deprecated in favour of aliases and tags",
        FutureWarning,
        stacklevel=3,
    )


def _below(artifact_path: str | None, name: str) -> str:
    from runyard.artifacts.uris import check_artifact_path

    return "/".join(filter(None, (check_artifact_path(artifact_path or "", "artifact_path"), name)))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _silent(_bytes: int) -> None:
    """Tell nobody how far it is."""
