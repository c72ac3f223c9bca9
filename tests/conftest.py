"""What every test may ask for: a fresh PostgreSQL database, and real server processes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.object_stores import Azurite, Cloud, SeaweedFS
from tests.postgres import PostgresServer
from tests.servers import ServerProcess, start_runyard

if TYPE_CHECKING:
    from tests.google_cloud import GoogleCloud


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--compat-server",
        choices=["runyard", "upstream"],
        default="runyard",
        help="what serves the sessions in tests/compat; upstream proves the sessions themselves",
    )


# Set by calls of the client, for the processes that a program starts.
_SET_BY_CALLS = ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID", "MLFLOW_REGISTRY_URI", "MLFLOW_RUN_ID")


@pytest.fixture(autouse=True)
def nothing_is_left_set() -> Iterator[None]:
    """The experiment and the like that a test's calls set for the process are none to the tests after it."""
    with pytest.MonkeyPatch.context() as environment:
        for name in _SET_BY_CALLS:
            # Noted as absent, so that it is removed again where the test's calls set it.
            environment.setenv(name, "")
            environment.delenv(name)
        yield
    if fluent := sys.modules.get("runyard.client.fluent"):
        vars(fluent)["_active_experiment_id"] = None


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One PostgreSQL server for all tests of this process, quick rather than durable."""
    server = PostgresServer()
    yield server
    server.stop()


@pytest.fixture
def durable_postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of the test's own that loses nothing it committed, and may be killed and started again."""
    server = PostgresServer(is_durable=True)
    yield server
    server.stop()


@pytest.fixture
def new_postgres_url(postgres_server: PostgresServer) -> Iterator[Callable[[], str]]:
    """A function that returns the URI of another empty PostgreSQL database each time."""
    urls: list[str] = []

    def create() -> str:
        urls.append(postgres_server.create_database())
        return urls[-1]

    yield create
    for url in urls:
        postgres_server.drop_database(url)


@pytest.fixture
def postgres_url(new_postgres_url: Callable[[], str]) -> str:
    """The URI of an empty PostgreSQL database."""
    return new_postgres_url()


@pytest.fixture(scope="session")
def seaweedfs() -> Iterator[SeaweedFS]:
    """One S3 for all tests of this process."""
    server = SeaweedFS()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def azurite() -> Iterator[Azurite]:
    """One Azure Blob Storage for all tests of this process."""
    server = Azurite()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def google_cloud(seaweedfs: SeaweedFS) -> Iterator[GoogleCloud]:
    """One Google Cloud Storage for all tests of this process."""
    # Not above: it takes botocore, which the environment of tests/ml has not.
    from tests.google_cloud import GoogleCloud

    cloud = GoogleCloud(seaweedfs)
    yield cloud
    cloud.stop()


@pytest.fixture
def s3(seaweedfs: SeaweedFS, monkeypatch: pytest.MonkeyPatch) -> SeaweedFS:
    """S3, with the variables of its user in the environment."""
    for name, value in seaweedfs.environment.items():
        monkeypatch.setenv(name, value)
    return seaweedfs


@pytest.fixture
def azure(azurite: Azurite, monkeypatch: pytest.MonkeyPatch) -> Azurite:
    """Azure, with the variables of its user in the environment."""
    for name, value in azurite.environment.items():
        monkeypatch.setenv(name, value)
    return azurite


@pytest.fixture
def gcs(google_cloud: GoogleCloud, monkeypatch: pytest.MonkeyPatch) -> GoogleCloud:
    """Google Cloud, with the variables of its user in the environment."""
    for name, value in google_cloud.environment.items():
        monkeypatch.setenv(name, value)
    return google_cloud


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.cloud) for name in ("s3", "azure", "gcs")])
def cloud(request: pytest.FixtureRequest) -> Cloud:
    """Each cloud in turn."""
    server: Cloud = request.getfixturevalue(request.param)
    return server


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.cloud) for name in ("s3", "azure")])
def signing_cloud(request: pytest.FixtureRequest) -> Cloud:
    """Each cloud in turn that clients can be sent to for uploads in parts."""
    server: Cloud = request.getfixturevalue(request.param)
    return server


@pytest.fixture
def running_server(tmp_path: Path) -> Iterator[Callable[..., ServerProcess]]:
    """A function that starts ``runyard server`` and waits until it is healthy.

    It takes the database's URI (by default that of a new SQLite file) and further arguments of the command; by name,
    ``workers``, ``environment`` (variables to add) and ``folder`` (for its artifacts and its log). Each server that
    the test does not end itself has to end well when it is told to stop.
    """
    with contextlib.ExitStack() as stack:

        def start(backend_store_uri: str | None = None, *options: str, **named: Any) -> ServerProcess:
            folder = named.pop("folder", tmp_path)
            server = start_runyard(backend_store_uri or f"sqlite:///{folder / 'runyard.db'}", folder, *options, **named)
            stack.callback(_stop, server)
            return server

        yield start


def _stop(server: ServerProcess) -> None:
    if not server.was_ended:
        server.stop()
    # Shown only if the test failed.
    print(f"--- the log of the server at {server.url} ---\n{server.log()}")
