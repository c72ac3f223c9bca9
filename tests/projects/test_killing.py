"""Whatever is killed, with whichever signal: the project is ended, and its run KILLED."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import runyard as mlflow
from runyard import projects
from runyard.exceptions import ExecutionException
from tests.projects.conftest import write

WAIT_S = 30

# Says that it runs, and which process it is; a second process of its own goes with it.
SLEEP = """
import os, subprocess, sys, time
below = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
open("pids.new", "w").write(f"{os.getpid()} {below.pid} {os.environ['MLFLOW_RUN_ID']}")
os.rename("pids.new", "pids")
time.sleep(100)
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    folder = write(
        tmp_path / "project",
        MLproject="""
            entry_points:
              main: {command: "python sleep.py"}
              shell: {command: "python sleep.py && true"}
              stubborn: {command: "python stubborn.py"}
              crash: {command: "kill -SEGV $$"}
            """,
        sleep_py=SLEEP,
        stubborn_py=f"import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n{SLEEP}",
    )
    yield folder
    with contextlib.suppress(FileNotFoundError):
        for pid in map(int, (folder / "pids").read_text().split()[:2]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def until(what: str, holds: object) -> None:
    deadline = time.monotonic() + WAIT_S
    while not holds():  # type: ignore[operator]
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def running(project: Path) -> tuple[list[int], str]:
    """Return the processes of the project, once it runs, and its run."""
    until("the project runs", (project / "pids").exists)
    *pids, run_id = (project / "pids").read_text().split()
    return list(map(int, pids)), run_id


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except FileNotFoundError:
        return False


def start(project: Path, entry_point: str = "main") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "runyard", "run", str(project), "-e", entry_point, "--env-manager", "local"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def status_of(run_id: str) -> str:
    return mlflow.get_run(run_id).info.status


@pytest.mark.parametrize(
    ("entry_point", "number"),
    [("main", signal.SIGKILL), ("main", signal.SIGINT), ("shell", signal.SIGKILL), ("shell", signal.SIGTERM)],
)
def test_a_project_that_is_killed_is_killed(place, project, entry_point, number):
    command = start(project, entry_point)
    pids, run_id = running(project)
    os.kill(pids[0], number)
    _, said = command.communicate(timeout=WAIT_S)
    assert command.returncode == 1
    assert f"Error: Run (ID '{run_id}') was killed" in said
    assert status_of(run_id) == "KILLED"
    until("its processes end", lambda: not any(map(is_alive, pids)))


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGHUP, -signal.SIGHUP), (signal.SIGINT, 130)]
)
def test_who_ends_the_command_ends_the_project(place, project, number, status):
    command = start(project)
    pids, run_id = running(project)
    command.send_signal(number)
    _, said = command.communicate(timeout=WAIT_S)
    assert command.returncode == status, said
    assert status_of(run_id) == "KILLED"
    until("its processes end", lambda: not any(map(is_alive, pids)))


def test_a_project_does_not_outlive_a_command_that_is_killed_by_force(place, project):
    command = start(project)
    pids, run_id = running(project)
    command.kill()
    command.communicate(timeout=WAIT_S)
    until("the run is KILLED", lambda: status_of(run_id) == "KILLED")
    until("its processes end", lambda: not any(map(is_alive, pids)))


def test_a_project_does_not_outlive_its_watcher(place, project):
    submitted = projects.run(str(project), env_manager="local", synchronous=False)
    pids, run_id = running(project)
    watcher = int(Path(f"/proc/{pids[0]}/stat").read_text().rpartition(") ")[2].split()[1])
    os.kill(watcher, signal.SIGKILL)
    assert not submitted.wait()
    assert submitted.get_status() == "KILLED"
    assert status_of(run_id) == "KILLED"
    until("its processes end", lambda: not any(map(is_alive, pids)))


def test_what_is_cancelled_is_killed_and_a_second_time_nothing_happens(place, project):
    submitted = projects.run(str(project), env_manager="local", synchronous=False)
    pids, run_id = running(project)
    assert submitted.get_status() == "RUNNING"
    for _ in range(2):
        submitted.cancel()
        assert submitted.get_status() == status_of(run_id) == "KILLED"
    until("its processes end", lambda: not any(map(is_alive, pids)))


@pytest.mark.slow
def test_a_project_that_will_not_end_is_ended_by_force(place, project):
    submitted = projects.run(str(project), "stubborn", env_manager="local", synchronous=False)
    pids, run_id = running(project)
    submitted.cancel()
    assert status_of(run_id) == "KILLED"
    until("its processes end", lambda: not any(map(is_alive, pids)))


def test_a_program_that_breaks_by_a_signal_failed(place, project):
    with pytest.raises(ExecutionException, match="failed"):
        projects.run(str(project), "crash", env_manager="local")


def test_an_interrupt_while_the_environment_is_made_ends_the_run(place, project, tmp_path):
    # A uv that takes for ever.
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/asked\nexec sleep 100\n")
    program.chmod(0o755)
    command = subprocess.Popen(
        [sys.executable, "-m", "runyard", "run", str(project), "--experiment-name", "interrupted"],
        env={**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"},
        stderr=subprocess.PIPE,
    )
    until("uv is asked", (tmp_path / "asked").exists)
    command.send_signal(signal.SIGTERM)
    command.communicate(timeout=WAIT_S)
    assert command.returncode == -signal.SIGTERM
    (run,) = mlflow.search_runs(experiment_names=["interrupted"], output_format="list")
    assert run.info.status == "KILLED"
