"""Run projects: programs with an MLproject that says what they need, how they are called and with which parameters."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runyard.client import fluent
from runyard.client.client import MlflowClient
from runyard.client.connections import get_tracking_uri
from runyard.environments import MANAGERS
from runyard.errors import InvalidParameter
from runyard.exceptions import ExecutionException
from runyard.projects import execution, records
from runyard.projects.backend.loader import load_backend
from runyard.projects.interruption import Terminated, told_to_end
from runyard.projects.submitted_run import SubmittedRun
from runyard.projects.telling import tell

__all__ = ["ExecutionException", "SubmittedRun", "run"]


def run(
    uri: str,
    entry_point: str = "main",
    version: str | None = None,
    parameters: dict[str, Any] | None = None,
    docker_args: dict[str, Any] | None = None,
    experiment_name: str | None = None,
    experiment_id: str | None = None,
    backend: str = "local",
    backend_config: dict[str, Any] | str | os.PathLike[str] | None = None,
    storage_dir: str | None = None,
    synchronous: bool = True,
    run_id: str | None = None,
    run_name: str | None = None,
    env_manager: str | None = None,
    build_image: bool = False,
    docker_auth: dict[str, Any] | None = None,
) -> SubmittedRun:
    """Run a project, and record it in a run of its own: what was run, with which parameters, and how it ended.

    Args:
        uri: a folder, a zip file or a git repository, here or elsewhere; after ``#`` the folder in it.
        entry_point: one of the MLproject's, or a script of the project.
        version: a branch, a tag or a commit, of a project in git.
        parameters: of the entry point; others are given to its command as ``--NAME VALUE``.
        docker_args: options of ``docker run`` by name; True for one without a value.
        experiment_name: the experiment to record the run in, made where there is none; or ``experiment_id``.
        backend: ``local``, ``kubernetes``, or one that an installed package offers.
        backend_config: what that backend needs to know, or a JSON file that holds it.
        storage_dir: where parameters of type path are fetched to; by default for as long as the project runs.
        synchronous: whether to wait for the end. If not, this process ends no sooner than the project.
        run_id: a run that is there, to use instead of a new one.
        env_manager: ``virtualenv``, ``uv`` or ``conda`` make an environment, ``local`` takes the one that is there; by
            default what the project says.
        build_image: whether to build an image with the project's files on the one it names.
        docker_auth: username, password and registry to log in to.
    Raises:
        ExecutionException: the project cannot be run, or, where it is waited for, it failed or was killed.
        InvalidParameter: an argument is none that there is.
    """
    if env_manager is not None and env_manager not in MANAGERS:
        raise InvalidParameter(f"Invalid value for `env_manager`: {env_manager}. Must be one of {', '.join(MANAGERS)}")
    config = _read_config(backend_config)
    config.update(
        {
            execution.ENV_MANAGER: env_manager,
            execution.SYNCHRONOUS: synchronous,
            execution.DOCKER_ARGS: docker_args,
            execution.STORAGE_DIR: storage_dir,
            execution.BUILD_IMAGE: build_image,
            execution.DOCKER_AUTH: docker_auth,
        }
    )
    if run_id is not None:
        config[execution.RUN_ID] = run_id
    chosen = load_backend(backend)
    experiment = _experiment(experiment_name, experiment_id)
    with told_to_end():
        submitted = chosen.run(uri, entry_point, parameters, version, config, get_tracking_uri(), experiment)
        try:
            if submitted.run_id:
                records.set_tags(submitted.run_id, {records.BACKEND: backend})
                if run_name is not None:
                    records.rename(submitted.run_id, run_name)
            if synchronous:
                _wait_for(submitted)
        except (KeyboardInterrupt, Terminated):
            tell(f"interrupted: ending run {submitted.run_id}")
            submitted.cancel()
            if submitted.run_id:
                records.try_to_end(submitted.run_id, records.KILLED)
            raise
    return submitted


def _wait_for(submitted: SubmittedRun) -> None:
    run_id = submitted.run_id
    succeeded = submitted.wait()
    status = records.FINISHED if succeeded else records.FAILED
    if not succeeded and submitted.get_status() == records.KILLED:
        status = records.KILLED
    # Those of other packages leave it to us.
    if run_id:
        records.end(run_id, status)
    if not succeeded:
        raise ExecutionException(f"Run (ID '{run_id}') {'was killed' if status == records.KILLED else 'failed'}")
    tell(f"run {run_id} succeeded")


def _experiment(name: str | None, experiment_id: str | None) -> str:
    if name and experiment_id:
        raise ExecutionException("Specify only one of 'experiment_name' or 'experiment_id'.")
    if experiment_id:
        return str(experiment_id)
    return fluent.named_experiment(MlflowClient(), name).experiment_id if name else fluent.experiment_id_now()


def _read_config(given: Mapping[str, Any] | str | os.PathLike[str] | None) -> dict[str, Any]:
    if given is None or isinstance(given, Mapping):
        return dict(given or {})
    path = Path(given)
    if path.suffix != ".json":
        raise InvalidParameter(f"backend_config must be a mapping, or a file that ends in .json, got {str(given)!r}")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidParameter(f"backend_config {path} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise InvalidParameter(f"backend_config {path} must hold a JSON object")
    return content
