"""What backends of other packages import, under the names and with the arguments that they know."""

from __future__ import annotations

from typing import Any

from runyard.client.client import MlflowClient
from runyard.entities import Run
from runyard.projects import execution
from runyard.projects.execution import (
    BUILD_IMAGE as PROJECT_BUILD_IMAGE,
    DOCKER_ARGS as PROJECT_DOCKER_ARGS,
    DOCKER_AUTH as PROJECT_DOCKER_AUTH,
    ENV_MANAGER as PROJECT_ENV_MANAGER,
    RUN_ID as MLFLOW_LOCAL_BACKEND_RUN_ID_CONFIG,
    STORAGE_DIR as PROJECT_STORAGE_DIR,
    SYNCHRONOUS as PROJECT_SYNCHRONOUS,
    Downloads,
)
from runyard.projects.mlproject import Project, load_project

__all__ = [
    "MLFLOW_LOCAL_BACKEND_RUN_ID_CONFIG",
    "PROJECT_BUILD_IMAGE",
    "PROJECT_DOCKER_ARGS",
    "PROJECT_DOCKER_AUTH",
    "PROJECT_ENV_MANAGER",
    "PROJECT_STORAGE_DIR",
    "PROJECT_SYNCHRONOUS",
    "fetch_and_validate_project",
    "get_entry_point_command",
    "get_or_create_run",
    "get_run_env_vars",
    "load_project",
]


def fetch_and_validate_project(
    uri: str, version: str | None, entry_point: str, parameters: dict[str, Any] | None
) -> str:
    """Return the project's folder on this machine, its entry point and parameters checked."""
    return str(execution.fetch_and_check(uri, version, entry_point, parameters)[0])


def get_or_create_run(
    run_id: str | None,
    uri: str,
    experiment_id: str,
    work_dir: str,
    version: str | None,
    entry_point: str,
    parameters: dict[str, Any] | None,
) -> Run:
    """Return the run of that id, or a new one that says what is executed."""
    project = load_project(work_dir)
    return execution.get_or_create_run(run_id, uri, experiment_id, project, version, entry_point, parameters)


def get_entry_point_command(
    project: Project, entry_point: str, parameters: dict[str, Any] | None, storage_dir: str | None
) -> list[str]:
    """Return the shell's command of an entry point, the only one of the list."""
    return [execution.command_line(project, entry_point, parameters, Downloads(storage_dir))]


def get_run_env_vars(run_id: str, experiment_id: str) -> dict[str, str]:
    """Return what tells the project's program which run it is, and where that is kept."""
    return {**execution.run_variables(MlflowClient().get_run(run_id)), "MLFLOW_EXPERIMENT_ID": str(experiment_id)}
