"""Workspaces by our client: on an upstream server that has them, and refused where a server has none."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.conftest import IMPATIENT, QUIET, CompatServer, client_path, client_python, start_upstream
from tests.servers import ServerProcess, clean_environment

SESSION = """
import mlflow
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

made = mlflow.create_workspace("team-a", description="of team A")
assert (made.name, made.description) == ("team-a", "of team A")
assert mlflow.get_workspace("team-a") == made
assert {each.name for each in mlflow.list_workspaces()} == {"default", "team-a"}
assert mlflow.update_workspace("team-a", description="changed").description == "changed"
mlflow.set_workspace("team-a")
mlflow.create_experiment("of the team")
assert [each.name for each in mlflow.search_experiments() if each.name != "Default"] == ["of the team"]
mlflow.set_workspace(None)
assert mlflow.get_experiment_by_name("of the team") is None
try:
    mlflow.delete_workspace("team-a")
    raise SystemExit("what is in it was to be kept")
except MlflowException:
    pass
MlflowClient().delete_workspace("team-a", mode="CASCADE")
assert [each.name for each in MlflowClient().list_workspaces()] == ["default"]
for wrong in ("A", "-a", "api"):
    try:
        mlflow.set_workspace(wrong)
        raise SystemExit(wrong)
    except MlflowException as error:
        assert error.error_code == "INVALID_PARAMETER_VALUE", error.error_code
"""
REFUSED = """
import mlflow
from mlflow.exceptions import MlflowException

for ask in (mlflow.list_workspaces, lambda: (mlflow.set_workspace("team-a"), mlflow.create_experiment("lost"))):
    try:
        ask()
        raise SystemExit("it was to be refused")
    except MlflowException as error:
        assert error.error_code == "FEATURE_DISABLED", (error.error_code, error)
mlflow.set_workspace(None)
assert mlflow.get_experiment_by_name("lost") is None
"""


@pytest.fixture(scope="module")
def server_with_workspaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder = tmp_path_factory.mktemp("workspaces")
    process = start_upstream(f"sqlite:///{folder / 'tracking.db'}", folder, "--enable-workspaces")
    yield process
    process.kill()


def run(program: str, client: str, url: str, folder: Path) -> None:
    environment = {**QUIET, **IMPATIENT, "MLFLOW_TRACKING_URI": url, "PYTHONPATH": client_path(client)}
    done = subprocess.run(
        [client_python(client), "-W", "ignore", "-c", program],
        cwd=folder,
        env=clean_environment(environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.compat
@pytest.mark.parametrize("client", ["client", "mlflow-3"])
def test_workspaces_are_made_used_and_deleted(
    client: str, server_with_workspaces: ServerProcess, tmp_path: Path
) -> None:
    run(SESSION, client, server_with_workspaces.url, tmp_path)


@pytest.mark.compat
@pytest.mark.parametrize("compat_server", ["sqlite"], indirect=True)
def test_a_workspace_is_refused_where_the_server_has_none(compat_server: CompatServer, tmp_path: Path) -> None:
    run(REFUSED, "client", compat_server.process.url, tmp_path)
