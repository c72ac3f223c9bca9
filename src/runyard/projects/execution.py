"""What every backend does: fetch the project, check what is asked of it, record the run, fill in the command."""

from __future__ import annotations

import os
import re
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from runyard.artifacts.uris import scheme_of
from runyard.client.client import MlflowClient
from runyard.client.connections import get_tracking_uri
from runyard.entities import Run
from runyard.projects import records, sources
from runyard.projects.mlproject import Parameter, Project, load_project, resolve_path
from runyard.projects.telling import tell

# Keys under which `projects.run` tells a backend what is no configuration of its own; MLflow's, as others read them.
ENV_MANAGER: Final = "ENV_MANAGER"
SYNCHRONOUS: Final = "SYNCHRONOUS"
DOCKER_ARGS: Final = "DOCKER_ARGS"
STORAGE_DIR: Final = "STORAGE_DIR"
BUILD_IMAGE: Final = "build_image"
DOCKER_AUTH: Final = "docker_auth"
RUN_ID: Final = "_mlflow_local_backend_run_id"

# What means something to a shell outside of single quotes.
_OF_A_SHELL: Final = re.compile(r"[$`|&;<>()*?\[\]{}~#!\\\n]|^\s*\w+=")


def fetch_and_check(
    uri: str, version: str | None, entry_point: str, params: Mapping[str, Any] | None
) -> tuple[Path, Project]:
    """Return the project's folder and what it says; entry point and parameters are checked before a run is made."""
    folder = sources.fetch_project(uri, version)
    project = load_project(folder)
    project.get_entry_point(entry_point).check(params or {})
    return folder, project


def get_or_create_run(
    run_id: str | None,
    uri: str,
    experiment_id: str,
    project: Project,
    version: str | None,
    entry_point: str,
    params: Mapping[str, Any] | None,
) -> Run:
    """Return the run of that id, or a new one that says what is executed."""
    if run_id is not None:
        return MlflowClient().get_run(run_id)
    values = project.get_entry_point(entry_point).values(params or {})
    return records.create_run(uri, experiment_id, project.folder, version, entry_point, values)


class Downloads:
    """Where parameters of type path are fetched to: a folder of the execution's own, made when it is needed."""

    def __init__(self, storage_dir: str | None) -> None:
        self._storage_dir = storage_dir
        self._folder: Path | None = None
        self._count = 0

    @property
    def to_remove(self) -> list[str]:
        """What goes when the execution is over: what nobody said where to keep."""
        return [] if self._folder is None or self._storage_dir is not None else [str(self._folder)]

    def fetch(self, uri: str) -> str:
        """Return the local path of what is at a URI."""
        if self._folder is None:
            if self._storage_dir is not None:
                os.makedirs(self._storage_dir, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix="runyard-paths-", dir=self._storage_dir))
        target = self._folder / f"param_{self._count}"
        target.mkdir()
        self._count += 1
        tell(f"fetching {uri} into {target}")
        if uri.startswith(("http://", "https://")):
            from runyard.data.http_dataset_source import HTTPDatasetSource

            return HTTPDatasetSource(uri).load(str(target))
        from runyard.client.artifact_calls import download_artifacts

        return download_artifacts(uri, dst_path=str(target))


def command_line(project: Project, entry_point: str, params: Mapping[str, Any] | None, downloads: Downloads) -> str:
    """Return the shell's command of an entry point."""

    def resolve(parameter: Parameter, value: str) -> str:
        return resolve_path(parameter, value, project, downloads.fetch)

    return project.get_entry_point(entry_point).command_line(params or {}, resolve)


def words_of(command: str) -> list[str]:
    """Return a shell's command as the words to run in a container: without a shell, where it needs none."""
    if _OF_A_SHELL.search(re.sub(r"'[^']*'", "", command)):
        return ["sh", "-c", command]
    return shlex.split(command)


def run_variables(run: Run) -> dict[str, str]:
    """Return what tells the project's program which run it is, and where that is kept."""
    return {
        "MLFLOW_RUN_ID": run.info.run_id,
        "MLFLOW_TRACKING_URI": _absolute(get_tracking_uri()),
        "MLFLOW_EXPERIMENT_ID": run.info.experiment_id,
    }


def program_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a program that runs on this machine: this one, with these variables."""
    # Spelled otherwise they would count before what the run is told; and its experiment is settled.
    hidden = {"RUNYARD_RUN_ID", "RUNYARD_TRACKING_URI", "RUNYARD_EXPERIMENT_ID"}
    hidden |= {"RUNYARD_EXPERIMENT_NAME", "MLFLOW_EXPERIMENT_NAME"}
    return {**{name: value for name, value in os.environ.items() if name not in hidden}, **variables}


def _absolute(uri: str) -> str:
    """Return a tracking URI that means the same in another folder."""
    if not scheme_of(uri):
        return os.path.abspath(uri)
    path = uri.removeprefix("sqlite:///")
    is_relative = path != uri and path != ":memory:" and not os.path.isabs(path)
    return f"sqlite:///{os.path.abspath(path)}" if is_relative else uri
