"""A place for runs, folders that are projects, and repositories that hold them."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from runyard.client import connections, fluent
from tests.servers import ServerProcess, start_runyard

UV = Path(__file__).parents[2] / ".venvs" / "uv" / "bin"


@pytest.fixture(scope="session")
def tracking_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One server for all tests of this process: each looks at its own runs only."""
    folder = tmp_path_factory.mktemp("tracking")
    server = start_runyard(f"sqlite:///{folder / 'tracking.db'}", folder)
    yield server
    server.stop()


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is fetched goes where the test's other files go."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def place(tmp_path: Path, tracking_server: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty working directory; runs are recorded on the server, and no environment is made by mistake."""
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "RUNYARD_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_server.url)
    monkeypatch.setenv("MLFLOW_ENV_ROOT", str(tmp_path / "envs"))
    # Whoever runs the tests may be in a repository that git is told of so.
    for name in list(os.environ):
        if name.startswith("GIT_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr(fluent, "_active_experiment_id", None)
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    yield work
    while fluent.active_run() is not None:
        fluent.end_run()
    connections.close_all()


def write(folder: Path, **files: str) -> Path:
    """Write files into a folder that need not be there; `train_py` is train.py, and MLproject itself."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_py", ".py").replace("_yaml", ".yaml").replace("_sh", ".sh")).write_text(dedent(text))
    return folder


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-C", folder, "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *words],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit(folder: Path, message: str = "change") -> str:
    """Commit all that is in a folder, which becomes a repository if it is none; return the commit."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch", "trunk")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", message)
    return git(folder, "rev-parse", "HEAD")
