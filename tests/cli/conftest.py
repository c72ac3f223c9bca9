"""The command in this process, in an empty folder and without settings of the machine it runs on."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from runyard.cli import main
from tests.servers import ServerProcess


class Shell:
    """Runs commands, and requires of each that it ends as it should and never shows a traceback."""

    def __init__(self, tracking_uri: str | None = None) -> None:
        self.tracking_uri = tracking_uri

    def __call__(self, *arguments: str, status: int = 0) -> Result:
        chosen = ("--tracking-uri", self.tracking_uri) if self.tracking_uri is not None else ()
        result = CliRunner().invoke(main, [*arguments, *chosen])
        assert result.exit_code == status, f"{arguments} ended with {result.exit_code}:\n{result.output}"
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert "Traceback" not in result.output
        return result

    def json(self, *arguments: str) -> Any:
        return json.loads(self(*arguments).stdout)

    def refused(self, *arguments: str, status: int = 1) -> str:
        """Return the one line that says why."""
        result = self(*arguments, status=status)
        lines = [line for line in result.stderr.splitlines() if line.startswith("Error:")]
        assert len(lines) == 1, result.stderr
        assert result.stdout == ""
        return lines[0]


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The empty folder that commands run in."""
    for name in os.environ:
        if name.startswith(("MLFLOW_", "RUNYARD_")):
            monkeypatch.delenv(name)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    return work


@pytest.fixture
def command() -> Shell:
    """Commands that are not told which server to ask."""
    return Shell()


@pytest.fixture(params=["database", "server"])
def shell(request: pytest.FixtureRequest, running_server: Callable[..., ServerProcess], folder: Path) -> Shell:
    """Commands that ask a database without a server, and commands that ask a server."""
    if request.param == "database":
        return Shell(f"sqlite:///{folder / 'tracking.db'}")
    return Shell(running_server().url)
