"""What the tests of environments share: uv on PATH, a folder of environments of the test's own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

UV = Path(__file__).parents[2] / ".venvs" / "uv" / "bin"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that environments are made in; uv is on PATH and fetches nothing."""
    assert (UV / "uv").exists(), "make environments brings uv"
    monkeypatch.setenv("PATH", f"{UV}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("MLFLOW_ENV_ROOT", str(tmp_path / "envs"))
    return tmp_path / "envs"
