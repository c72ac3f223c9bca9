"""Unmodified upstream clients, the newest 3.x and the last 2.x, do what their users do, on both databases."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compat.conftest import CompatServer, run_session

SESSIONS = Path(__file__).parent / "sessions"
NOT_SESSIONS = {"__init__", "session"}
# The 2.x client does not know logged models.
NEEDS_3 = {"logged_models"}

NAMES = sorted(path.stem for path in SESSIONS.glob("*.py") if path.stem not in NOT_SESSIONS)
PAIRS = [
    (client, name)
    for name in NAMES
    for client in ("mlflow-3", "mlflow-2")
    if client == "mlflow-3" or name not in NEEDS_3
]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each session on each database; where upstream serves, on the one that needs no driver beside it."""
    databases: list = ["sqlite"]
    if metafunc.config.getoption("compat_server") == "runyard":
        databases.append(pytest.param("postgresql", marks=pytest.mark.postgres))
    metafunc.parametrize("compat_server", databases, indirect=True, scope="session")


@pytest.mark.compat
@pytest.mark.parametrize("client, session", PAIRS)
def test_a_session_goes_as_its_user_expects(
    client: str, session: str, compat_server: CompatServer, tmp_path: Path
) -> None:
    run_session(session, client, compat_server, tmp_path)
