"""Executes projects on this machine: in an environment made for them, in the one that is there, or in a container."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import subprocess
import sys
from typing import Any, Final

from runyard.environments import prepare
from runyard.errors import InvalidParameter
from runyard.projects import execution, records, watching
from runyard.projects.backend import docker
from runyard.projects.backend.abstract_backend import AbstractBackend
from runyard.projects.execution import Downloads
from runyard.projects.mlproject import Project
from runyard.projects.submitted_run import SubmittedRun
from runyard.projects.telling import tell

_MANAGERS: Final = {"python_env": "virtualenv", "conda_env": "conda"}
_STATUSES: Final = {code: status for status, code in watching.EXIT_STATUSES.items()}


class LocalBackend(AbstractBackend):
    def run(
        self,
        project_uri: str,
        entry_point: str,
        params: dict[str, Any] | None,
        version: str | None,
        backend_config: dict[str, Any],
        tracking_uri: str,
        experiment_id: str,
    ) -> SubmittedRun:
        _, project = execution.fetch_and_check(project_uri, version, entry_point, params)
        manager = _manager(project, backend_config.get(execution.ENV_MANAGER))
        if project.docker is not None:
            docker.check(project)
        run = execution.get_or_create_run(
            backend_config.get(execution.RUN_ID), project_uri, experiment_id, project, version, entry_point, params
        )
        with records.ended_when_interrupted(run.info.run_id):
            downloads = Downloads(backend_config.get(execution.STORAGE_DIR))
            command = execution.command_line(project, entry_point, params, downloads)
            variables = execution.run_variables(run)
            if project.docker is not None:
                records.set_tags(run.info.run_id, {records.ENVIRONMENT: "docker"})
                image = docker.image_for(project, run, backend_config, repository=project.name)
                words = docker.run_command(
                    project.docker, image, command, variables, run, backend_config.get(execution.DOCKER_ARGS)
                )
            else:
                if manager != "local":
                    records.set_tags(run.info.run_id, {records.ENVIRONMENT: manager})
                environment = prepare(project.environment_spec(), manager=manager)
                variables.update(environment.variables())
                words = ["bash", "-c", command] if os.name != "nt" else ["cmd", "/c", command]
            tell(f"running {command!r} in run {run.info.run_id}")
            return LocalSubmittedRun(run.info.run_id, words, project, variables, downloads.to_remove)


class LocalSubmittedRun(SubmittedRun):
    """A command that runs in a process group of its own, and the watcher that records how it ends."""

    def __init__(
        self, run_id: str, command: list[str], project: Project, variables: dict[str, str], to_remove: list[str]
    ) -> None:
        self._run_id = run_id
        self._status: str | None = None
        pipe, end = os.pipe()
        task = {
            "command": command,
            "folder": str(project.folder),
            "run_id": run_id,
            "parent": os.getpid(),
            "pipe": end,
            "remove": to_remove,
        }
        try:
            self._watcher = subprocess.Popen(
                watching.watcher_command(task),
                env=execution.program_environment(variables),
                pass_fds=(end,),
                start_new_session=True,
            )
        finally:
            os.close(end)
        # The command's process, needed where the watcher is killed; empty where it could not be started.
        with os.fdopen(pipe) as told:
            self._pid = told.read()
        _running.append(self)

    @property
    def run_id(self) -> str:
        return self._run_id

    def wait(self) -> bool:
        return self._ended(self._watcher.wait()) == records.FINISHED

    def get_status(self) -> str:
        code = self._watcher.poll()
        return records.RUNNING if code is None else self._ended(code)

    def cancel(self, number: int = signal.SIGTERM) -> None:
        if self._watcher.poll() is None:
            # It ends the command, at last by force, and records that it did.
            with contextlib.suppress(ProcessLookupError):
                self._watcher.send_signal(number)
        self.wait()

    def _ended(self, code: int) -> str:
        if self._status is None:
            self._status = _STATUSES.get(code, records.KILLED)
            if code not in _STATUSES:
                tell(f"the process that watched run {self._run_id} ended with {code}, and so is its command")
                if self._pid:
                    watching.signal_group(int(self._pid), signal.SIGKILL)
                records.try_to_end(self._run_id, records.KILLED)
            _running.remove(self)
        return self._status


# Those that nobody has waited for to the end.
_running: list[LocalSubmittedRun] = []


def _manager(project: Project, asked: str | None) -> str:
    if asked is None:
        return _MANAGERS.get(project.environment, "local")
    if asked == "conda" and project.environment == "python_env":
        raise InvalidParameter(
            "python_env project cannot be executed using conda. Set `--env-manager` to 'virtualenv', 'uv' or 'local' "
            "to execute this project."
        )
    return asked


def _wait_for_all() -> None:
    """Let this process end after the executions that it began and did not wait for; an interrupt ends them too."""
    was_interrupted = getattr(sys, "last_type", None) is KeyboardInterrupt
    # Each goes from the list when it has ended.
    while _running:
        if was_interrupted:
            _running[-1].cancel()
        else:
            _running[-1].wait()


atexit.register(_wait_for_all)
