"""Projects laid out as MLflow's public examples are: run by our client under its name, and by upstream's own, alike."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import runyard as mlflow
from runyard.entities import Run
from tests.compat.conftest import QUIET, client_path, client_python
from tests.ports import free_port
from tests.projects.conftest import commit
from tests.servers import clean_environment

EXAMPLES = Path(__file__).parent / "examples"
CLIENTS = ("client", "mlflow-3")
TIMEOUT_S = 300

pytestmark = pytest.mark.compat


def run_as(client: str, project: str | Path, *options: str) -> list[Run]:
    """Run a project by a client's command in an experiment of its own, and return its runs, the first one first."""
    name = f"{client} {project}"
    python = client_python(client)
    command = [str(python.with_name("mlflow"))] if client == "mlflow-3" else [str(python), "-m", "runyard"]
    done = subprocess.run(
        [*command, "run", str(project), "--env-manager", "local", "--experiment-name", name, *options],
        env=clean_environment(
            {
                **QUIET,
                "MLFLOW_TRACKING_URI": os.environ["MLFLOW_TRACKING_URI"],
                "PYTHONPATH": client_path(client),
                "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}",
            }
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return mlflow.search_runs(experiment_names=[name], order_by=["attributes.start_time ASC"], output_format="list")


def recorded(runs: list[Run]) -> list[dict[str, Any]]:
    """Return what was recorded, without what differs from one time to the next."""
    numbers = {run.info.run_id: number for number, run in enumerate(runs)}
    found = []
    for run in runs:
        tags = {key: value for key, value in run.data.tags.items() if key not in {"mlflow.runName", "mlflow.user"}}
        if "mlflow.parentRunId" in tags:
            tags["mlflow.parentRunId"] = f"run {numbers[tags['mlflow.parentRunId']]}"
        params = {key: value for key, value in run.data.params.items() if not value.startswith("mlflow-artifacts:")}
        found.append({"status": run.info.status, "tags": tags, "params": params, "metrics": run.data.metrics})
    return found


@pytest.fixture
def example(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of an example, which both clients run at the same place."""
    return Path(shutil.copytree(EXAMPLES / request.param, tmp_path / request.param))


@pytest.fixture
def git_server(tmp_path: Path) -> Iterator[str]:
    """The address of a git server of the repositories below tmp_path."""
    with contextlib.ExitStack() as stack:
        while True:
            port = free_port()
            daemon = subprocess.Popen(
                ["git", "daemon", f"--base-path={tmp_path}", "--export-all", "--listen=127.0.0.1", f"--port={port}"],
                start_new_session=True,
            )
            stack.callback(_end_group, daemon)
            # Where somebody else took the port meanwhile it ends, and there is another.
            if _answers(daemon, port):
                break
        yield f"git://127.0.0.1:{port}"


def _answers(daemon: subprocess.Popen[bytes], port: int) -> bool:
    """Return whether it does, or False if it ended."""
    deadline = time.monotonic() + TIMEOUT_S
    while daemon.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        assert time.monotonic() < deadline, "git daemon does not answer"
        time.sleep(0.05)
    return False


def _end_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    process.wait(TIMEOUT_S)


@pytest.mark.parametrize("example", ["elasticnet"], indirect=True)
def test_a_training_from_a_branch_in_git_is_recorded_as_upstream_records_it(place, example, tmp_path, git_server):
    made = commit(example)
    subprocess.run(["git", "clone", "--quiet", "--bare", str(example), str(tmp_path / "models.git")], check=True)
    uri = f"{git_server}/models.git"
    ours, theirs = (recorded(run_as(client, uri, "-v", "trunk", "-P", "alpha=0.4")) for client in CLIENTS)
    assert ours == theirs
    (run,) = ours
    assert run["status"] == "FINISHED"
    assert run["params"] == {"alpha": "0.4", "l1_ratio": "0.1"}
    assert run["tags"]["mlflow.source.type"] == "PROJECT"
    assert run["tags"]["mlflow.source.name"] == run["tags"]["mlflow.source.git.repoURL"] == uri
    assert run["tags"]["mlflow.source.git.commit"] == made
    assert run["tags"]["mlflow.source.git.branch"] == "trunk"


@pytest.mark.parametrize("example", ["workflow"], indirect=True)
def test_a_workflow_of_several_steps_is_recorded_as_upstream_records_it(place, example):
    ours, theirs = (recorded(run_as(client, example, "-P", "rows=20")) for client in CLIENTS)
    assert ours == theirs
    main, load, train = ours
    assert [run["tags"]["mlflow.project.entryPoint"] for run in ours] == ["main", "load", "train"]
    assert load["tags"]["mlflow.parentRunId"] == train["tags"]["mlflow.parentRunId"] == "run 0"
    assert main["metrics"] == train["metrics"] == {"error": 0.0}


@pytest.mark.parametrize("example", ["search"], indirect=True)
def test_a_search_of_several_runs_at_once_is_recorded_as_upstream_records_it(place, example):
    ours, theirs = (
        sorted(recorded(run_as(client, example, "-P", "tries=2")), key=lambda run: sorted(run["params"].items()))
        for client in CLIENTS
    )
    assert ours == theirs
    assert [run["status"] for run in ours] == ["FINISHED"] * 3
    assert sorted(run["metrics"].get("loss", -1) for run in ours) == [-1, 0.01, 0.01]
