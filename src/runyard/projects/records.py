"""The run that a project's execution is recorded in: its tags and params, and how it ends."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from runyard.client import context, fluent
from runyard.client.client import MlflowClient
from runyard.entities import Param, Run, RunStatus
from runyard.errors import RunyardError
from runyard.projects import git, sources
from runyard.projects.interruption import Terminated
from runyard.projects.telling import tell

ENTRY_POINT: Final = "mlflow.project.entryPoint"
ENVIRONMENT: Final = "mlflow.project.env"
BACKEND: Final = "mlflow.project.backend"
IMAGE_URI: Final = "mlflow.docker.image.uri"
IMAGE_ID: Final = "mlflow.docker.image.id"

FINISHED: Final = "FINISHED"
FAILED: Final = "FAILED"
KILLED: Final = "KILLED"
RUNNING: Final = "RUNNING"


def create_run(
    uri: str, experiment_id: str, folder: Path, version: str | None, entry_point: str, params: Mapping[str, str]
) -> Run:
    """Return a new run that says what is executed; where a run is active here, the new one is nested in it."""
    active = fluent.active_run()
    commit, origin = git.commit(folder), git.origin(folder)
    tags = {
        context.USER: context.user(),
        context.SOURCE_NAME: sources.source_name(uri),
        context.SOURCE_TYPE: "PROJECT",
        ENTRY_POINT: entry_point,
        context.GIT_COMMIT: commit,
        context.GIT_REPOSITORY: origin,
        context.GIT_BRANCH: version if version is not None and git.is_branch(folder, version) else None,
        context.PARENT_RUN_ID: None if active is None else active.info.run_id,
    }
    client = MlflowClient()
    run = client.create_run(experiment_id, tags={key: value for key, value in tags.items() if value is not None})
    with ended_when_interrupted(run.info.run_id):
        if params:
            client.log_batch(run.info.run_id, params=[Param(*each) for each in params.items()], synchronous=True)
    return run


def set_tags(run_id: str, tags: Mapping[str, Any]) -> None:
    client = MlflowClient()
    for key, value in tags.items():
        client.set_tag(run_id, key, value, synchronous=True)


def rename(run_id: str, name: str) -> None:
    MlflowClient().update_run(run_id, name=name)


def end(run_id: str, status: str) -> None:
    """Record how the execution ended. A program that was killed, or failed, may have said before that it was done."""
    client = MlflowClient()
    recorded = client.get_run(run_id).info.status
    if recorded == status or (status == FINISHED and RunStatus.is_terminated(RunStatus.from_string(recorded))):
        return
    client.set_terminated(run_id, status)


def try_to_end(run_id: str, status: str) -> None:
    """Do the same where there is another error to tell of already."""
    try:
        end(run_id, status)
    except RunyardError as error:
        tell(f"the server could not be told that run {run_id} is {status}: {error}")


@contextlib.contextmanager
def ended_when_interrupted(run_id: str) -> Iterator[None]:
    """End the run where the block does not come to its end: KILLED by who interrupts it, FAILED by an error."""
    try:
        yield
    except (KeyboardInterrupt, Terminated):
        try_to_end(run_id, KILLED)
        raise
    except BaseException:
        try_to_end(run_id, FAILED)
        raise
