"""A place for runs, folders that are projects, repositories that hold them, and a stand-in of docker."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

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
