"""The server runs with the oldest libraries that pyproject.toml allows, and the SQLAlchemy that Python 3.10 gets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.conftest import ROOT, CompatServer, client_python, run_session
from tests.servers import start_runyard

SESSIONS = ["artifacts", "model_registry", "runs_client", "searching_runs"]


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def oldest_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CompatServer]:
    """A server from these sources, in the environment of the oldest libraries."""
    folder = tmp_path_factory.mktemp("oldest")
    uri = f"sqlite:///{folder / 'tracking.db'}"
    if request.param == "postgresql":
        uri = request.getfixturevalue("postgres_server").create_database()
    process = start_runyard(
        uri,
        folder,
        python=client_python("oldest"),
        # What it warns of is an error, as in all tests.
        environment={"PYTHONPATH": str(ROOT / "src"), "PYTHONWARNINGS": "error"},
    )
    yield CompatServer(process, is_runyard=True)
    process.stop()


@pytest.mark.compat
@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_goes_as_its_user_expects(session: str, oldest_server: CompatServer, tmp_path: Path) -> None:
    run_session(session, "client", oldest_server, tmp_path)
