"""Projects run on this machine, and are recorded on a real server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import runyard as mlflow
from runyard import projects
from runyard.errors import InvalidParameter
from runyard.exceptions import ExecutionException
from tests.projects.conftest import UV, commit, write
from tests.wheels import make_wheel

# Writes down what it was given, for the test to look at.
TOLD = """
import json, os, sys
told = {
    "arguments": sys.argv[1:],
    "folder": os.getcwd(),
    "variables": {name: value for name, value in os.environ.items() if name.startswith(("MLFLOW_", "RUNYARD_"))},
    "python": sys.executable,
}
open("told.json", "w").write(json.dumps(told))
"""


def told(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "told.json").read_text())
    return content


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(
        tmp_path / "project",
        MLproject="""
            name: tell
            entry_points:
              main:
                parameters:
                  alpha: {type: float, default: 0.5}
                  data: {type: path, default: told.py}
                command: "python told.py {alpha} {data}"
              fail:
                command: "exit 3"
            """,
        told_py=TOLD,
    )


def test_a_run_says_what_was_run_and_how_it_ended(place, project):
    submitted = mlflow.run(str(project), parameters={"alpha": "0.25", "more": "a b"}, env_manager="local")
    assert submitted.get_status() == "FINISHED"
    assert submitted.wait()
    run = mlflow.get_run(submitted.run_id)
    assert run.info.status == "FINISHED"
    assert run.info.end_time is not None
    assert run.data.params == {"alpha": "0.25", "data": "told.py", "more": "a b"}
    tags = {key: value for key, value in run.data.tags.items() if key not in {"mlflow.runName", "mlflow.user"}}
    assert tags == {
        "mlflow.source.name": str(project),
        "mlflow.source.type": "PROJECT",
        "mlflow.project.entryPoint": "main",
        "mlflow.project.backend": "local",
    }
    found = told(project)
    assert found["arguments"] == ["0.25", str(project / "told.py"), "--more", "a b"]
    assert found["folder"] == str(project)
    assert found["variables"]["MLFLOW_RUN_ID"] == run.info.run_id
    assert found["variables"]["MLFLOW_EXPERIMENT_ID"] == run.info.experiment_id
    assert found["variables"]["MLFLOW_TRACKING_URI"] == mlflow.get_tracking_uri()


def test_the_experiment_and_the_name_are_those_that_were_asked_for(place, project, monkeypatch):
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", "another")
    submitted = projects.run(
        str(project), experiment_name="projects here", run_name="nightly", env_manager="local", synchronous=True
    )
    run = mlflow.get_run(submitted.run_id)
    assert mlflow.get_experiment(run.info.experiment_id).name == "projects here"
    assert run.info.run_name == run.data.tags["mlflow.runName"] == "nightly"
    # It would not agree with the experiment that the program is in.
    assert "MLFLOW_EXPERIMENT_NAME" not in told(project)["variables"]
    with pytest.raises(ExecutionException, match="Specify only one"):
        projects.run(str(project), experiment_name="a", experiment_id="0")


def test_a_project_in_git_is_recorded_with_its_commit_and_branch(place, project):
    made = commit(project)
    by_folder = mlflow.get_run(projects.run(str(project), env_manager="local").run_id)
    assert by_folder.data.tags["mlflow.source.git.commit"] == made
    assert by_folder.data.tags["mlflow.source.name"] == f"file://{project}"
    assert "mlflow.source.git.branch" not in by_folder.data.tags
    by_branch = mlflow.get_run(projects.run(project.as_uri(), version="trunk", env_manager="local").run_id)
    assert by_branch.data.tags["mlflow.source.git.commit"] == made
    assert by_branch.data.tags["mlflow.source.git.branch"] == "trunk"
    assert by_branch.data.tags["mlflow.source.git.repoURL"] == project.as_uri()


def test_what_fails_is_failed_whatever_it_said_before(place, project):
    write(
        project,
        liar_py="""
            import runyard as mlflow
            with mlflow.start_run():
                mlflow.log_metric("m", 1)
            raise SystemExit(1)
            """,
    )
    for entry_point in ("fail", "liar.py"):
        with pytest.raises(ExecutionException, match=r"Run \(ID '[0-9a-f]{32}'\) failed") as failed:
            projects.run(str(project), entry_point, env_manager="local")
        run = mlflow.get_run(failed.value.message.split("'")[1])
        assert run.info.status == "FAILED"
    assert run.data.metrics == {"m": 1.0}


def test_nothing_is_recorded_of_what_cannot_be_run(place, project):
    experiment = mlflow.set_experiment("nothing here").experiment_id
    for arguments, what in (
        ({"parameters": {"alpha": "fast"}}, "must be a number"),
        ({"entry_point": "other"}, "Could not find other"),
        ({"backend": "moon"}, "Got unsupported execution mode moon. Supported values: local, kubernetes"),
        ({"uri": "gone.zip"}, "cannot be unpacked"),
    ):
        with pytest.raises(ExecutionException, match=what):
            projects.run(**{"uri": str(project), "env_manager": "local", **arguments})  # type: ignore[arg-type]
    with pytest.raises(InvalidParameter, match="Invalid value for `env_manager`: system"):
        projects.run(str(project), env_manager="system")
    with pytest.raises(InvalidParameter, match="cannot be executed using conda"):
        projects.run(str(project), env_manager="conda")
    assert mlflow.search_runs([experiment], output_format="list") == []


def test_a_project_gets_the_environment_that_it_describes(place, project, monkeypatch):
    monkeypatch.setenv("PATH", f"{UV}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("UV_OFFLINE", "1")
    wheel = make_wheel(project, "tiny", "1.0", "VALUE = 7")
    write(
        project,
        python_env_yaml=f"dependencies: [-r requirements.txt]\n# {wheel.name}",
        train_py="import sys, tiny\nopen('value', 'w').write(f'{tiny.VALUE} {sys.prefix}')",
    )
    (project / "requirements.txt").write_text(f"./{wheel.name}\n")
    run = mlflow.get_run(projects.run(str(project), "train.py").run_id)
    assert run.data.tags["mlflow.project.env"] == "virtualenv"
    value, prefix = (project / "value").read_text().split()
    assert value == "7"
    assert Path(prefix).parent == Path(os.environ["MLFLOW_ENV_ROOT"])

    (project / "requirements.txt").write_text("./nonesuch.whl\n")
    with pytest.raises(Exception, match=r"nonesuch\.whl"):
        projects.run(str(project), "train.py", env_manager="uv", run_name="broken")
    (broken,) = mlflow.search_runs(filter_string="attributes.run_name = 'broken'", output_format="list") or [None]
    # The name is given to what runs; the run of what never did is FAILED.
    assert broken is None
    (last,) = mlflow.search_runs(max_results=1, output_format="list")
    assert (last.info.status, last.data.tags["mlflow.project.env"]) == ("FAILED", "uv")


def test_a_run_of_ones_own_is_used_and_a_run_that_is_active_is_the_parent(place, project):
    with mlflow.start_run() as outer:
        inner = projects.run(str(project), env_manager="local")
    assert mlflow.get_run(inner.run_id).data.tags["mlflow.parentRunId"] == outer.info.run_id
    mine = mlflow.MlflowClient().create_run("0")
    used = projects.run(str(project), run_id=mine.info.run_id, run_name="mine", env_manager="local")
    assert used.run_id == mine.info.run_id
    run = mlflow.get_run(mine.info.run_id)
    assert (run.info.status, run.info.run_name, run.data.params) == ("FINISHED", "mine", {})


def test_a_path_elsewhere_is_fetched_for_as_long_as_the_project_runs(place, project, temporary):
    with mlflow.start_run() as run:
        mlflow.log_text("1,2,3", "data.csv")
    write(project, read_py="import sys, os\nopen('read', 'w').write(sys.argv[1] + ' ' + open(sys.argv[1]).read())")
    (project / "MLproject").write_text(
        "entry_points: {main: {parameters: {data: path}, command: 'python read.py {data}'}}"
    )
    uri = f"runs:/{run.info.run_id}/data.csv"
    submitted = projects.run(str(project), parameters={"data": uri}, env_manager="local")
    path, content = (project / "read").read_text().split()
    assert content == "1,2,3"
    assert temporary in Path(path).parents
    assert not Path(path).exists()
    assert mlflow.get_run(submitted.run_id).data.params == {"data": uri}
    projects.run(str(project), parameters={"data": uri}, env_manager="local", storage_dir="kept/here")
    assert list((place / "kept" / "here").rglob("data.csv"))


def test_a_database_named_relatively_is_the_same_one_for_the_project(place, project, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "sqlite:///here.db")
    submitted = projects.run(str(project), env_manager="local")
    assert told(project)["variables"]["MLFLOW_TRACKING_URI"] == f"sqlite:///{place / 'here.db'}"
    assert mlflow.get_run(submitted.run_id).info.status == "FINISHED"


def test_a_program_ends_after_what_it_began_and_did_not_wait_for(place, project):
    write(project, slow_py="import time\ntime.sleep(1)\nopen('done', 'w').close()")
    program = (
        "from runyard import projects\n"
        f"run = projects.run({str(project)!r}, 'slow.py', env_manager='local', synchronous=False)\n"
        "print(run.run_id, run.get_status())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    run_id, status = done.stdout.split()
    assert status == "RUNNING"
    assert (project / "done").exists()
    assert mlflow.get_run(run_id).info.status == "FINISHED"


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], Path]:
    def written(text: str) -> Path:
        path = tmp_path / f"config-{len(text)}.json"
        path.write_text(text)
        return path

    return written


def test_a_backends_configuration_is_a_mapping_or_a_json_file(place, project, config):
    projects.run(str(project), env_manager="local", backend_config=config('{"a": 1}'))
    projects.run(str(project), env_manager="local", backend_config={"a": 1})
    for given, what in (
        ("config.yaml", "ends in .json"),
        (config("["), "cannot be read"),
        (config("[]"), "JSON object"),
    ):
        with pytest.raises(InvalidParameter, match=what):
            projects.run(str(project), env_manager="local", backend_config=given)
