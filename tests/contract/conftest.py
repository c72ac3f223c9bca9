"""One contract, two databases: each test here runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from runyard.store import migrate
from runyard.store.engine import Database
from runyard.store.experiments import ensure_default_experiment
from runyard.store.ingest import Ingest

ARTIFACT_ROOT = "mlflow-artifacts:/"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_uri(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URI of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'runyard.db'}"
    uri: str = request.getfixturevalue("postgres_url")
    return uri


@pytest.fixture
def database(database_uri: str) -> Iterator[Database]:
    """A database with this version's schema and the default experiment."""
    database = Database(database_uri)
    migrate.upgrade(database)
    database.write(ensure_default_experiment, ARTIFACT_ROOT)
    yield database
    database.close()


@pytest.fixture
def ingest(database: Database) -> Iterator[Ingest]:
    """The writer of runs."""
    ingest = Ingest(database)
    yield ingest
    ingest.close()
