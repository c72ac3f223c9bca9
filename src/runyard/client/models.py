"""Models between a folder and where they are kept: logged with a run, fetched by any URI that names one."""

from __future__ import annotations

import atexit
import functools
import inspect
import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, Protocol

from runyard.artifacts.uris import local_path
from runyard.client import fluent
from runyard.client.artifact_calls import download_artifacts
from runyard.client.artifacts import open_folder
from runyard.client.client import MlflowClient
from runyard.client.connections import connect, get_tracking_uri
from runyard.entities import LoggedModel, LoggedModelOutput, Metric, Param
from runyard.errors import InvalidParameter
from runyard.models import environment
from runyard.models.enforcement import enforce_schema
from runyard.models.environment import CONDA_FILE, REQUIREMENTS_FILE, conda_form, infer_requirements, pinned
from runyard.models.examples import serving_request
from runyard.models.model import Model
from runyard.models.signature import ModelSignature, Schema

# What logging takes; everything else is the flavor's, and goes to its ``save_model``.
LOG_OPTIONS: Final = {
    "registered_model_name": None,
    "await_registration_for": 300,
    "params": None,
    "tags": None,
    "model_type": None,
    "step": 0,
    "model_id": None,
    "name": None,
    "run_id": None,
}

_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True)
class ModelInfo:
    """What is known of a model that was logged: its MLmodel file, and where it is."""

    artifact_path: str | None
    flavors: dict[str, Any]
    model_uri: str
    model_uuid: str
    run_id: str | None
    saved_input_example_info: dict[str, Any] | None
    signature: ModelSignature | None
    utc_time_created: str
    mlflow_version: str | None
    metadata: dict[str, Any] | None = None
    registered_model_version: int | None = None
    env_vars: list[str] | None = None
    prompts: list[str] | None = None
    logged_model: LoggedModel | None = None

    @property
    def signature_dict(self) -> dict[str, Any] | None:
        return None if self.signature is None else self.signature.to_dict()

    @property
    def model_id(self) -> str | None:
        return None if self.logged_model is None else self.logged_model.model_id

    @property
    def name(self) -> str | None:
        return None if self.logged_model is None else self.logged_model.name

    @property
    def model_type(self) -> str | None:
        return None if self.logged_model is None else self.logged_model.model_type

    @property
    def params(self) -> dict[str, str] | None:
        return None if self.logged_model is None else self.logged_model.params

    @property
    def tags(self) -> dict[str, str] | None:
        return None if self.logged_model is None else self.logged_model.tags

    @property
    def creation_timestamp(self) -> int | None:
        return None if self.logged_model is None else self.logged_model.creation_timestamp


class Flavor(Protocol):
    """A module of `runyard.models.flavors`: it writes and reads one library's models in a folder."""

    @property
    def save_model(self) -> Callable[..., Model]: ...

    @property
    def load_model(self) -> Callable[..., Any]: ...


def public(flavor: Flavor) -> tuple[Callable[..., ModelInfo], Callable[..., Any]]:
    """Return a flavor's ``log_model`` and its ``load_model``, which takes the URI of a model."""
    save, load = flavor.save_model, flavor.load_model
    parameters = list(inspect.signature(save).parameters.values())
    model = parameters[0]

    def log_model(*args: Any, **options: Any) -> ModelInfo:
        given = taken.bind(*args, **options)
        artifact_path = given.arguments.get("artifact_path")
        return log(functools.partial(save, given.arguments[model.name]), artifact_path, given.kwargs)

    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    taken = inspect.Signature(
        [
            model.replace(kind=positional),
            inspect.Parameter("artifact_path", positional, default=None),
            *(each for each in parameters[2:] if each.kind is each.KEYWORD_ONLY),
            *(
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default)
                for name, default in LOG_OPTIONS.items()
            ),
            *(each for each in parameters if each.kind is each.VAR_KEYWORD),
        ]
    )
    log_model.__signature__ = taken  # type: ignore[attr-defined]
    log_model.__doc__ = f"{_LOG_DOC}\n{(save.__doc__ or '').partition('Args:')[2]}"

    def load_model(model_uri: str | Path, dst_path: str | None = None, **options: Any) -> Any:
        return load(downloaded(model_uri, dst_path), **options)

    load_model.__doc__ = f"{load.__doc__}\n    ``model_uri`` may be of any form; what is not local is fetched first."
    return log_model, load_model


def defaults(*modules: str) -> tuple[Callable[..., list[str]], Callable[..., dict[str, Any]]]:
    """Return a flavor's ``get_default_pip_requirements`` and ``get_default_conda_env``: what it needs at least.

    MLflow's take arguments for some flavors; these take them too, and they change nothing.
    """

    def get_default_pip_requirements(*args: Any, **options: Any) -> list[str]:
        """Return what a model of this flavor needs at least, pinned to what is installed here."""
        return pinned(modules)

    def get_default_conda_env(*args: Any, **options: Any) -> dict[str, Any]:
        """Return a conda environment for a model of this flavor."""
        return conda_form(pinned(modules))

    return get_default_pip_requirements, get_default_conda_env


_LOG_DOC: Final = """Save a model as a logged model, of the active run if there is one; return what is known of it.

    Args:
        artifact_path: an earlier spelling of ``name``.
        name: of the logged model.
        registered_model_name: also make it a new version of that registered model.
        await_registration_for: seconds to wait at most until the version is ready; None does not wait.
        params, tags: of the logged model; the run's params are its params too.
        model_type: such as "agent".
        step: of the run, that the model was made in: the run's metrics of it become the model's.
        model_id: a logged model that was initialized before, in place of a new one.
        run_id: a run in place of the active one.
"""


def log(save: Callable[..., Model], artifact_path: str | None, options: Mapping[str, Any]) -> ModelInfo:
    """Save a model and keep it as a logged model.

    Args:
        save: writes a model to a new folder, given as ``path``, and takes what of ``options`` is not in LOG_OPTIONS.
    Raises:
        InvalidParameter: an option is not what it must be; then nothing is left, but the logged model as FAILED.
    """
    given = {name: options.get(name, default) for name, default in LOG_OPTIONS.items()}
    if given["name"] is not None and artifact_path is not None:
        raise InvalidParameter("name and artifact_path are both given: they mean the same, give name alone")
    client = MlflowClient()
    run_id = given["run_id"]
    if run_id is None and (run := fluent.active_run()) is not None:
        run_id = run.info.run_id
    logged = _logged_model(client, given, given["name"] or artifact_path, run_id)
    try:
        with tempfile.TemporaryDirectory(prefix="runyard-") as folder:
            path = Path(folder) / "model"
            meta = Model(
                artifact_path=logged.artifact_location,
                model_uuid=logged.model_id,
                run_id=run_id,
                model_id=logged.model_id,
            )
            saved: Model | None = save(
                path=str(path),
                mlflow_model=meta,
                **{name: value for name, value in options.items() if name not in LOG_OPTIONS},
            )
            # A program's own flavor may return nothing.
            meta = saved or Model.load(path)
            client.log_model_artifacts(logged.model_id, str(path))
        if run_id is not None:
            client.log_outputs(run_id, [LoggedModelOutput(logged.model_id, given["step"])])
            _log_metrics(client, run_id, logged.model_id, given["step"])
            if isinstance(config := options.get("model_config"), Mapping):
                client.log_batch(run_id, params=[Param(key, str(value)) for key, value in _flat(config)])
    except BaseException:
        client.finalize_logged_model(logged.model_id, "FAILED")
        raise
    logged = client.finalize_logged_model(logged.model_id, "READY")
    version = None
    if (registered := given["registered_model_name"]) is not None:
        version = fluent.register_model(
            logged.model_uri, registered, given["await_registration_for"], tags=given["tags"]
        ).version
    return _info(meta, logged.model_uri, logged, version)


def _logged_model(client: MlflowClient, given: dict[str, Any], name: str | None, run_id: str | None) -> LoggedModel:
    if given["model_id"] is not None:
        return client.get_logged_model(given["model_id"])
    run = None if run_id is None else client.get_run(run_id)
    params = {**(given["params"] or {}), **(run.data.params if run else {})}
    return fluent.initialize_logged_model(
        name,
        run_id,
        tags={key: str(value) for key, value in (given["tags"] or {}).items()},
        params={key: str(value) for key, value in params.items()},
        model_type=given["model_type"],
        experiment_id=None if run is None else run.info.experiment_id,
    )


def _log_metrics(client: MlflowClient, run_id: str, model_id: str, step: int) -> None:
    """Make the run's metrics of a step those of the model too."""
    points = [
        Metric(
            each.key,
            each.value,
            each.timestamp,
            each.step,
            model_id=model_id,
            dataset_name=each.dataset_name,
            dataset_digest=each.dataset_digest,
        )
        for key in client.get_run(run_id).data.metrics
        for each in client.get_metric_history(run_id, key)
        if each.step == step and each.model_id is None
    ]
    if points:
        client.log_batch(run_id, metrics=points)


def _flat(config: Mapping[str, Any], parent: str = "") -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for key, value in config.items():
        name = f"{parent}{key}"
        found += _flat(value, f"{name}/") if isinstance(value, Mapping) else [(name, value)]
    return found


def get_model_info(model_uri: str) -> ModelInfo:
    """Return what the MLmodel file of a model says, without fetching the model.

    Raises:
        NotFound: there is no such model.
    """
    meta = read_model(model_uri)
    logged = None
    if meta.model_id and str(model_uri).startswith("models:"):
        logged = MlflowClient().get_logged_model(meta.model_id)
    return _info(meta, str(model_uri), logged)


def read_model(model_uri: str) -> Model:
    """Return what the MLmodel file of a model says; nothing else of it is fetched."""
    if (local := _local(model_uri)) is not None:
        return Model.load(local)
    with tempfile.TemporaryDirectory(prefix="runyard-") as folder:
        download_artifacts(f"{str(model_uri).rstrip('/')}/MLmodel", dst_path=folder)
        return Model.load(Path(folder))


def set_signature(model_uri: str, signature: ModelSignature) -> None:
    """Give a logged model, or the model of a run, another signature.

    Raises:
        InvalidParameter: ``models:/NAME/…``: what is registered does not change; log the model anew.
    """
    _refuse_registered(model_uri, "set its signature")
    with tempfile.TemporaryDirectory(prefix="runyard-") as folder:
        path = Path(folder)
        if (local := _local(model_uri)) is not None:
            path = local
        else:
            download_artifacts(f"{str(model_uri).rstrip('/')}/MLmodel", dst_path=folder)
        meta = Model.load(path)
        meta.signature = signature
        meta.save(path)
        if local is None:
            _put_back(model_uri, [path / "MLmodel"])


def update_model_requirements(
    model_uri: str, operation: Literal["add", "remove"], requirement_list: Sequence[str]
) -> None:
    """Add requirements to a model's requirements.txt and conda.yaml, in place of those of the same packages, or remove
    packages from them.

    Args:
        model_uri: a local folder, a logged model, or the model of a run.
    Raises:
        InvalidParameter: ``models:/NAME/…``, which does not change; another operation; or what is no requirement.
    """
    if operation not in ("add", "remove"):
        raise InvalidParameter(f"operation must be add or remove, got {operation!r}")
    _refuse_registered(model_uri, "update its requirements")
    with tempfile.TemporaryDirectory(prefix="runyard-") as folder:
        local = _local(model_uri)
        path = Path(folder) if local is None else local
        if local is None:
            for name in (REQUIREMENTS_FILE, CONDA_FILE):
                download_artifacts(f"{str(model_uri).rstrip('/')}/{name}", dst_path=folder)
        changed = environment.update_requirements(path, operation, requirement_list)
        if local is None:
            _put_back(model_uri, changed)


def _refuse_registered(model_uri: str, what: str) -> None:
    if str(model_uri).startswith("models:") and not str(model_uri).startswith("models:/m-"):
        raise InvalidParameter(
            f"model_uri {str(model_uri)!r} names a registered model, which does not change: {what} as a "
            "logged model before it is registered, or register another version"
        )


def _put_back(model_uri: str, files: Sequence[Path]) -> None:
    """Write files into the folder of a logged model or of a run's model."""
    client = MlflowClient()
    source, _, model_id = fluent.model_source(client, str(model_uri))
    for file in files:
        if model_id is not None:
            client.log_model_artifact(model_id, str(file))
        else:
            open_folder(connect(get_tracking_uri()), source).upload(file, file.name, lambda _: None)


def convert_input_example_to_serving_input(input_example: Any) -> str | None:
    """Return an input example, which may come with params, as the body of a request to a scoring server."""
    return None if input_example is None else serving_request(input_example)


def validate_schema(data: Any, expected_schema: Schema) -> None:
    """Raise unless data fit a schema.

    Raises:
        InvalidParameter: they do not; the message says where.
    """
    enforce_schema(data, expected_schema)


def infer_pip_requirements(
    model_uri: str | Path,
    flavor: str | None,
    fallback: list[str] | None = None,
    timeout: int | None = None,
    extra_env_vars: Mapping[str, str] | None = None,
    uv_project_dir: str | Path | None = None,
    uv_groups: list[str] | None = None,
    uv_extras: list[str] | None = None,
) -> list[str]:
    """Return what a saved model needs, by its files and its flavor; nothing is run, so nothing takes long.

    Args:
        flavor: of the library; None for the one that the model has beside python_function.
        fallback: returned where nothing is found.
        timeout, extra_env_vars: of MLflow, which loads the model to find out.
    Raises:
        InvalidParameter: a uv project is named, whose lock is not read here.
    """
    if uv_project_dir is not None or uv_groups or uv_extras:
        raise InvalidParameter(
            "uv_project_dir, uv_groups and uv_extras are not read here: give pip_requirements, which uv export writes"
        )
    folder = downloaded(model_uri)
    flavors = [flavor] if flavor else [name for name in Model.load(folder).flavors if name != "python_function"]
    named = {"pytorch": "torch", "python_function": "cloudpickle"}
    return infer_requirements(folder, [named.get(each, each) for each in flavors]) or list(fallback or [])


def downloaded(model_uri: str | Path, dst_path: str | None = None) -> Path:
    """Return the local folder of a model; one that is local already is not copied.

    Args:
        model_uri: models:/NAME/VERSION, models:/NAME@ALIAS, models:/NAME/STAGE, models:/MODEL_ID, runs:/RUN_ID/PATH, a
            path, or where the files are kept.
        dst_path: an existing folder to fetch it into; by default a temporary one, removed when the process ends.
    """
    local = _local(model_uri)
    if local is not None and dst_path is None:
        return local
    if dst_path is None:
        dst_path = tempfile.mkdtemp(prefix="runyard-model-")
        atexit.register(shutil.rmtree, dst_path, ignore_errors=True)
    return Path(download_artifacts(str(model_uri), dst_path=dst_path))


def _local(model_uri: str | Path) -> Path | None:
    found = model_uri if isinstance(model_uri, Path) else local_path(str(model_uri))
    return None if found is None else Path(found)


def _info(meta: Model, uri: str, logged: LoggedModel | None, version: str | None = None) -> ModelInfo:
    return ModelInfo(
        artifact_path=meta.artifact_path,
        flavors=meta.flavors,
        model_uri=uri,
        model_uuid=meta.model_uuid,
        run_id=meta.run_id,
        saved_input_example_info=meta.saved_input_example_info,
        signature=meta.signature,
        utc_time_created=meta.utc_time_created,
        mlflow_version=meta.mlflow_version,
        metadata=meta.metadata,
        registered_model_version=None if version is None else int(version),
        prompts=meta.prompts,
        logged_model=logged,
    )
