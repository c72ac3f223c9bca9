"""``runyard run``: its options, and what it refuses in a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runyard.client import connections
from tests.cli.conftest import Shell


@pytest.fixture(autouse=True)
def own_connections() -> Iterator[None]:
    """The command names its server for the whole process, which here goes on."""
    yield
    connections.set_tracking_uri("")
    connections.close_all()


@pytest.fixture
def project(folder: Path) -> str:
    made = folder / "project"
    made.mkdir()
    (made / "MLproject").write_text(
        "entry_points:\n"
        "  main: {parameters: {alpha: {type: float, default: 0.5}}, command: 'echo {alpha} > told'}\n"
        "  fail: {command: 'exit 3'}\n"
    )
    return str(made)


def run(shell: Shell, *arguments: str, status: int = 0) -> None:
    shell("run", *arguments, "--env-manager", "local", status=status)


def test_a_project_is_run_and_found_in_the_list(shell, project):
    run(shell, project, "-P", "alpha=0.25", "-P", "more=x", "--experiment-name", "wine", "--run-name", "nightly")
    assert Path(project, "told").read_text() == "0.25 --more x\n"
    (experiment,) = [each for each in shell.json("experiments", "search", "--output", "json") if each["name"] == "wine"]
    (listed,) = shell.json("runs", "list", "--experiment-id", experiment["experiment_id"], "--output", "json")
    assert (listed["info"]["run_name"], listed["info"]["status"]) == ("nightly", "FINISHED")
    assert listed["data"]["params"] == {"alpha": "0.25", "more": "x"}


def test_one_that_fails_is_told_of_with_status_1(command, project):
    result = command("run", project, "-e", "fail", "--env-manager", "local", status=1)
    assert [line for line in result.stderr.splitlines() if line.startswith("Error: Run (ID '")]


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["-P", "alpha"], 2, "Invalid format for -P parameter: 'alpha'. Use -P name=value."),
        (["-P", "a=1", "-P", "a=2"], 2, "Repeated parameter: 'a'"),
        (["-A", "=x"], 2, "Invalid format for -A parameter: '=x'"),
        (["--experiment-id", "0", "--experiment-name", "x"], 2, "Specify only one of"),
        (["-b", "kubernetes"], 2, "Specify 'backend_config' when using kubernetes mode."),
        (["-c", "{"], 2, "Invalid backend config JSON."),
        (["-c", "gone.json"], 1, "backend_config gone.json cannot be read"),
        (["-P", "alpha=fast"], 1, "'alpha' is of type float and must be a number, got 'fast'"),
        (["-e", "other"], 1, "Could not find other among entry points ['main', 'fail']"),
        (["--env-manager", "poetry"], 1, "Must be one of virtualenv, uv, conda, local"),
        (["-b", "moon"], 1, "Got unsupported execution mode moon."),
    ],
)
def test_what_cannot_be_run_is_refused_in_a_line(command, project, arguments, status, told):
    assert told in command.refused("run", project, *arguments, status=status)


def test_without_a_server_the_database_of_the_folder_has_the_run(command, project):
    run(command, project)
    (listed,) = command.json("runs", "list", "--experiment-id", "0", "--output", "json")
    assert listed["info"]["status"] == "FINISHED"
    assert Path("runyard.db").is_file()
