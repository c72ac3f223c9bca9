"""Triton's and KServe's clients ask our server, and KServe's own code loads what our client logged."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

import runyard as mlflow
from tests.compat.conftest import client_python
from tests.servers import ServerProcess, clean_environment

pytestmark = pytest.mark.compat

PROGRAMS = Path(__file__).parent / "clients"


def run(program: str, *arguments: str | Path, folder: Path) -> None:
    done = subprocess.run(
        [client_python("kserve"), PROGRAMS / f"{program}.py", *arguments],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_tritons_and_kserves_clients_ask_our_server(running: Callable[..., ServerProcess], iris: Path, tmp_path: Path):
    server = running(iris)
    run("infer", str(server.port), "iris", folder=tmp_path)


def test_what_our_client_logs_is_what_kserves_sklearn_server_loads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri("runs")
    try:
        forest = RandomForestClassifier(n_estimators=5, random_state=42).fit(*load_iris(return_X_y=True))
        with mlflow.start_run():
            info = mlflow.sklearn.log_model(forest, "model")
        # Where the object store would have it, and what storageUri would name.
        folder = mlflow.artifacts.download_artifacts(info.model_uri)
    finally:
        mlflow.set_tracking_uri("")
    run("kserve_model", folder, folder=tmp_path)
