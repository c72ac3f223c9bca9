"""A backend of another package, as those written for MLflow are: by an entry point, and with upstream's names."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import runyard as mlflow
from runyard import projects
from runyard.exceptions import ExecutionException
from tests.projects.conftest import write

BACKEND = """
from runyard.projects import SubmittedRun
from runyard.projects.backend.abstract_backend import AbstractBackend
from runyard.projects.utils import (
    PROJECT_SYNCHRONOUS, fetch_and_validate_project, get_entry_point_command, get_or_create_run, get_run_env_vars,
    load_project,
)

class Submitted(SubmittedRun):
    def __init__(self, run_id, answer):
        self._run_id, self.answer, self.was_cancelled = run_id, answer, False
    run_id = property(lambda self: self._run_id)
    def wait(self):
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer
    def get_status(self):
        return "FINISHED" if self.answer else "FAILED"
    def cancel(self):
        self.was_cancelled = True

class Moon(AbstractBackend):
    def run(self, project_uri, entry_point, params, version, backend_config, tracking_uri, experiment_id):
        folder = fetch_and_validate_project(project_uri, version, entry_point, params)
        project = load_project(folder)
        run = get_or_create_run(None, project_uri, experiment_id, folder, version, entry_point, params)
        self.command = get_entry_point_command(project, entry_point, params, None)
        self.variables = get_run_env_vars(run.info.run_id, experiment_id)
        Moon.last = self
        self.submitted = Submitted(run.info.run_id, backend_config["answer"])
        return self.submitted
"""


@pytest.fixture
def moon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed package that offers the backends `moon` and `broken`."""
    folder = write(tmp_path / "site", a_backend_of_ours_py=BACKEND)
    information = folder / "moon-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: moon\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        "[mlflow.project_backend]\nmoon = a_backend_of_ours:Moon\n"
        "[runyard.project_backend]\nbroken = a_backend_of_ours:X\n"
    )
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, "a_backend_of_ours", raising=False)


@pytest.fixture
def project(tmp_path: Path) -> str:
    return str(
        write(
            tmp_path / "project",
            MLproject="entry_points: {main: {parameters: {a: {default: x y}}, command: 'run {a}'}}",
        )
    )


def test_a_backend_of_another_package_runs_projects(place, project, moon):
    submitted = projects.run(project, backend="moon", backend_config={"answer": True}, run_name="there")
    run = mlflow.get_run(submitted.run_id)
    assert (run.info.status, run.info.run_name, run.data.params) == ("FINISHED", "there", {"a": "x y"})
    assert run.data.tags["mlflow.project.backend"] == "moon"
    backend = sys.modules["a_backend_of_ours"].Moon.last
    assert backend.command == ["run 'x y'"]
    assert backend.variables == {
        "MLFLOW_RUN_ID": submitted.run_id,
        "MLFLOW_TRACKING_URI": mlflow.get_tracking_uri(),
        "MLFLOW_EXPERIMENT_ID": run.info.experiment_id,
    }


def test_its_failure_and_an_interrupt_end_the_run(place, project, moon):
    def last() -> str:
        return mlflow.get_run(sys.modules["a_backend_of_ours"].Moon.last.submitted.run_id).info.status

    with pytest.raises(ExecutionException, match="failed"):
        projects.run(project, backend="moon", backend_config={"answer": False})
    assert last() == "FAILED"
    with pytest.raises(KeyboardInterrupt):
        projects.run(project, backend="moon", backend_config={"answer": KeyboardInterrupt()})
    assert last() == "KILLED"
    assert sys.modules["a_backend_of_ours"].Moon.last.submitted.was_cancelled


def test_a_backend_that_cannot_be_loaded_is_told(place, project, moon):
    with pytest.raises(ExecutionException, match="the backend broken of a_backend_of_ours:X cannot be loaded"):
        projects.run(project, backend="broken")
    with pytest.raises(ExecutionException, match="Supported values: local, kubernetes, broken, moon;"):
        projects.run(project, backend="mars")
