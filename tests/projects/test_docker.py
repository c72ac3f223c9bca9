"""Projects in containers: the engine is a stand-in that writes down what it is asked, and runs it here."""

from __future__ import annotations

import itertools
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

import runyard as mlflow
from runyard import projects
from runyard.exceptions import ExecutionException
from tests.projects.conftest import commit, write

# Of what docker does: it answers, has no image, builds one, and runs the words after the image without a container.
DOCKER = """#!{python}
import json, os, sys
words = sys.argv[1:]
given = None if sys.stdin.isatty() or words[0] in ("run", "info") else sys.stdin.read()
with open({log!r}, "a") as log:
    log.write(json.dumps([words, given]) + "\\n")
if words[0] == "info" and os.environ.get("ENGINE") == "down":
    sys.exit("Cannot connect to the Docker daemon")
if words[:2] == ["image", "inspect"]:
    if "--format" in words:
        print("sha256:1234" if "Id" in words[3] else "other/x@sha256:0\\nregistry.example.com/dock@sha256:5678")
    else:
        sys.exit(1)
if words[0] == "run":
    at = words.index("trainer:1") if "trainer:1" in words else len(words)
    for name, value in zip(words, words[1:]):
        if name == "-e" and "=" in value:
            os.environ.update([value.split("=", 1)])
    os.execvp(words[at + 1], words[at + 1:])
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the stand-in wrote down."""
    log, program = tmp_path / "log", tmp_path / "bin" / "docker"
    program.parent.mkdir()
    program.write_text(DOCKER.format(python=sys.executable, log=str(log)))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("HOME", str(tmp_path))
    return log


def asked(log: Path, *words: str) -> list[Any]:
    """Return each time that docker was asked for this."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line for line in lines if line[0][: len(words)] == list(words)]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write(
        tmp_path / "project",
        MLproject="""
            name: dock
            docker_env:
              image: trainer:1
              volumes: ["/data:/data:ro"]
              environment: [["MODE", "fast"], "TOKEN"]
            entry_points:
              main:
                parameters: {alpha: {type: float, default: 1}}
                command: "sh tell.sh {alpha}"
            """,
        tell_sh="echo $1 $MODE $TOKEN $MLFLOW_RUN_ID > told",
    )


def test_the_container_gets_the_run_its_variables_and_its_volumes(place, project, log, monkeypatch):
    monkeypatch.setenv("TOKEN", "secret")
    submitted = projects.run(str(project), docker_args={"gpus": "all", "t": True, "network": "host"})
    ((words, _),) = asked(log, "run")
    assert words == [
        *("run", "--rm", "--init", "--gpus", "all", "-t", "--network", "host", "-v", "/data:/data:ro"),
        *("-e", "MLFLOW_RUN_ID", "-e", "MLFLOW_TRACKING_URI", "-e", "MLFLOW_EXPERIMENT_ID"),
        *("-e", "MODE=fast", "-e", "TOKEN"),
        *("trainer:1", "sh", "tell.sh", "1"),
    ]
    assert (project / "told").read_text().split() == ["1", "fast", "secret", submitted.run_id]
    assert [given for given, _ in asked(log, "pull")] == [["pull", "--quiet", "trainer:1"]]
    run = mlflow.get_run(submitted.run_id)
    assert run.info.status == "FINISHED"
    found = {key: value for key, value in run.data.tags.items() if "docker" in key or key == "mlflow.project.env"}
    assert found == {
        "mlflow.project.env": "docker",
        "mlflow.docker.image.uri": "trainer:1",
        "mlflow.docker.image.id": "sha256:1234",
    }


def test_a_database_and_artifacts_of_this_machine_are_mounted(place, project, log, monkeypatch):
    monkeypatch.setenv("TOKEN", "x")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{place}/here.db")
    artifacts = place / "artifacts"
    experiment = mlflow.create_experiment("mounted", artifact_location=str(artifacts))
    # The stand-in has no such folder, so what matters is what it was asked.
    submitted = projects.run(str(project), experiment_id=experiment)
    ((words, _),) = asked(log, "run")
    mounts = [value for name, value in itertools.pairwise(words) if name == "-v"]
    artifact_folder = str(mlflow.get_run(submitted.run_id).info.artifact_uri).removeprefix("file://")
    assert mounts == [f"{place}:/mlflow/tmp/tracking", f"{artifact_folder}:{artifact_folder}", "/data:/data:ro"]
    assert "MLFLOW_TRACKING_URI=sqlite:////mlflow/tmp/tracking/here.db" in words


def test_an_image_is_built_with_the_projects_files(place, project, log, monkeypatch):
    monkeypatch.setenv("TOKEN", "x")
    made = commit(project)[:7]
    with pytest.raises(ExecutionException, match="failed"):
        # Nothing runs in the stand-in but the image that it knows.
        projects.run(str(project), build_image=True, docker_auth={"username": "ada", "password": "pw", "registry": "r"})
    ((words, given),) = asked(log, "build")
    assert words == ["build", "--quiet", "--tag", f"dock:{made}", "--file", "-", str(project)]
    assert given == "FROM trainer:1\nCOPY . /mlflow/projects/code/\nWORKDIR /mlflow/projects/code/\n"
    assert asked(log, "login") == [[["login", "--password-stdin", "--username", "ada", "r"], "pw"]]
    assert f"dock:{made}" in asked(log, "run")[0][0]


def test_what_is_missing_is_told_before_a_container_is_started(place, project, log, monkeypatch, tmp_path):
    with pytest.raises(ExecutionException, match="expects the environment variable TOKEN to be set"):
        projects.run(str(project))
    monkeypatch.setenv("ENGINE", "down")
    with pytest.raises(ExecutionException, match="engine does not answer: Cannot connect to the Docker daemon"):
        projects.run(str(project))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ExecutionException, match="there is no docker on PATH"):
        projects.run(str(project))
    assert asked(log, "run") == []


def test_a_project_without_a_name_has_no_image_of_its_own(place, project, log):
    text = (project / "MLproject").read_text().replace("name: dock\n", "")
    (project / "MLproject").write_text(text)
    with pytest.raises(ExecutionException, match="Project name in MLProject must be specified"):
        projects.run(str(project))


def test_a_server_of_this_machine_that_a_container_cannot_reach_is_told_of(place, project, log, monkeypatch, capsys):
    monkeypatch.setenv("TOKEN", "x")
    projects.run(str(project))
    assert "a container reaches with -A network=host only" in capsys.readouterr().err
