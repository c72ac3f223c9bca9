"""The doctor's findings, on real databases, a real server and a real proxy; what is wrong is told with its cure."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from runyard import __version__
from runyard.cli import main
from runyard.server import diagnosis as diagnosis_of_server
from runyard.store import diagnosis
from tests.cloud_identities import AzureDoor
from tests.nginx import Nginx
from tests.object_stores import Azurite, SeaweedFS
from tests.ports import free_port
from tests.postgres import PostgresServer
from tests.servers import ServerProcess


@pytest.fixture
def proxied() -> Iterator[Callable[..., Nginx]]:
    with contextlib.ExitStack() as stack:

        def start(*arguments: Any, **options: Any) -> Nginx:
            proxy = Nginx(*arguments, **options)
            stack.callback(proxy.stop)
            return proxy

        yield start


def examined(*arguments: str) -> tuple[Result, dict[str, dict[str, str]]]:
    result = CliRunner().invoke(main, ["doctor", "--json", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.output
    # The first of each: the longest transaction is told before the others.
    return result, {f"{one['area']} {one['check']}": one for one in reversed(json.loads(result.stdout))}


def here(folder: Path, uri: str | None = None) -> list[str]:
    return [
        *("--backend-store-uri", uri or f"sqlite:///{folder / 'runyard.db'}"),
        *("--artifacts-destination", str(folder / "artifacts")),
    ]


def made(folder: Path, uri: str) -> None:
    assert CliRunner().invoke(main, ["db", "upgrade", uri]).exit_code == 0
    (folder / "artifacts").mkdir(exist_ok=True)


def test_a_healthy_sqlite_server_has_nothing_wrong(tmp_path: Path) -> None:
    made(tmp_path, f"sqlite:///{tmp_path / 'runyard.db'}")
    result, found = examined(*here(tmp_path))
    assert result.exit_code == 0
    assert {one["verdict"] for name, one in found.items() if name != "database free space"} <= {"ok", "warning"}
    assert found["database schema"]["verdict"] == "ok"
    assert found["database integrity"]["found"] == "the file is whole"
    assert found["artifacts write, read, delete"]["verdict"] == "ok"
    assert [path for path in (tmp_path / "artifacts").rglob("*") if path.is_file()] == []


def test_a_new_folder_is_left_as_it_is(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    folder.mkdir()
    result, found = examined(*here(folder))
    assert result.exit_code == 0
    assert "is not there yet" in found["database schema"]["found"]
    assert list(folder.iterdir()) == []


def test_what_people_read_has_marks_and_cures(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["doctor", *here(tmp_path), "--host", "0.0.0.0"])  # noqa: S104
    assert "  ! address: 0.0.0.0:5000" in result.output
    assert "      → name those by which it is reached: --allowed-hosts" in result.output
    assert result.output.endswith("0 problems, 3 warnings.\n")


def test_a_damaged_file_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "runyard.db"
    made(tmp_path, f"sqlite:///{path}")
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")
        [page_size] = connection.execute("PRAGMA page_size").fetchone()
        [root] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'params'").fetchone()
    with path.open("r+b") as file:
        file.seek((root - 1) * page_size)
        file.write(b"\xff" * 64)
    result, found = examined(*here(tmp_path))
    assert result.exit_code == 1
    assert found["database integrity"]["verdict"] == "problem"
    assert "restore a backup" in found["database integrity"]["cure"]


def test_a_store_that_cannot_be_written_is_a_problem(tmp_path: Path) -> None:
    made(tmp_path, f"sqlite:///{tmp_path / 'runyard.db'}")
    (tmp_path / "file").write_text("in the way")
    result, found = examined(*here(tmp_path), "--artifacts-destination", str(tmp_path / "file"))
    assert result.exit_code == 1
    assert found["artifacts write, read, delete"]["verdict"] == "problem"
    assert found["artifacts write, read, delete"]["cure"]


@pytest.mark.cloud
def test_a_bucket_is_tried_with_an_address_that_clients_would_get(s3: SeaweedFS, tmp_path: Path) -> None:
    options = (*here(tmp_path), "--artifacts-destination", s3.new_root())
    result, found = examined(*options)
    assert result.exit_code == 0, result.output
    tried = found["artifacts write, read, delete"]["found"]
    assert "write by a signed address" in tried
    assert "read by a signed address" in tried
    assert found["artifacts clock"]["verdict"] == "ok"
    assert found["artifacts straight to the store"]["found"].startswith("large files are fetched and sent in parts")
    _, found = examined(*options, "--no-direct-transfers")
    assert "switched off" in found["artifacts straight to the store"]["found"]


@pytest.mark.cloud
def test_credentials_that_a_store_does_not_know_are_a_problem(
    s3: SeaweedFS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another")
    result, found = examined(*here(tmp_path), "--artifacts-destination", s3.new_root())
    assert result.exit_code != 0
    assert "does not let the server in" in found["artifacts write, read, delete"]["found"]
    assert "another" not in result.output


@pytest.mark.cloud
def test_an_identity_that_may_not_sign_is_told(
    azurite: Azurite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = AzureDoor(azurite)
    try:
        monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", door.connection_string)
        monkeypatch.setenv("AZURE_MSI_ENDPOINT", f"{door.url}/metadata/identity/oauth2/token")
        result, found = examined(*here(tmp_path), "--artifacts-destination", azurite.new_root())
    finally:
        door.stop()
    assert result.exit_code == 0, result.output
    assert "signed" not in found["artifacts write, read, delete"]["found"]
    assert found["artifacts straight to the store"]["verdict"] == "warning"
    assert "cannot sign" in found["artifacts straight to the store"]["found"]


@pytest.mark.cloud
def test_a_clock_that_is_far_off_is_told(s3: SeaweedFS, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # As if this machine's were a minute fast.
    monkeypatch.setattr(diagnosis_of_server, "_now_s", lambda: time.time() + 60)
    _, found = examined(*here(tmp_path), "--artifacts-destination", s3.new_root())
    assert found["artifacts clock"]["verdict"] == "warning"
    assert 55 < int(found["artifacts clock"]["found"].split()[0]) < 65
    assert "NTP" in found["artifacts clock"]["cure"]


def test_a_limit_that_all_clients_share_is_told(tmp_path: Path) -> None:
    options = (*here(tmp_path), "--rate-limit", "50", "--host", "0.0.0.0")  # noqa: S104
    _, found = examined(*options)
    assert "--trusted-proxies" in found["configuration rate limit"]["cure"]
    _, found = examined(*options, "--trusted-proxies", "10.0.0.0/8")
    assert "configuration rate limit" not in found
    _, found = examined(*options, "--trusted-proxies", "0.0.0.0/0")
    assert found["configuration trusted proxies"]["verdict"] == "warning"
    result, found = examined(*options, "--trusted-proxies", "proxy.example.com")
    assert result.exit_code == 1
    assert "must be addresses" in found["configuration trusted proxies"]["found"]


def test_postgresql_is_looked_at(postgres_url: str, tmp_path: Path) -> None:
    made(tmp_path, postgres_url)
    result, found = examined(*here(tmp_path, postgres_url))
    assert result.exit_code == 0, result.stdout
    assert found["database version"]["found"].startswith("PostgreSQL 1")
    assert found["database connections"]["verdict"] == "ok"
    assert found["database clock"]["found"].startswith("0.")


def test_more_connections_than_the_server_allows_are_a_problem(postgres_url: str, tmp_path: Path) -> None:
    made(tmp_path, postgres_url)
    result, found = examined(
        *here(tmp_path, postgres_url), "--workers", "4", "--pool-size", "20", "--max-overflow", "40"
    )
    assert result.exit_code == 1
    assert "may open 240" in found["database connections"]["found"]
    assert "--pool-size and --max-overflow to 49 together" in found["database connections"]["cure"]


def test_a_forgotten_transaction_and_who_waits_for_it_are_told(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path, postgres_url)
    monkeypatch.setattr(diagnosis, "LONG_TRANSACTION_S", 0)
    with psycopg.connect(postgres_url) as holder, psycopg.connect(postgres_url, autocommit=True) as waiter:
        pid = holder.info.backend_pid
        holder.execute("LOCK TABLE runs")
        with waiter.pipeline():
            waiter.execute("SELECT count(*) FROM runs")
            waiter.pgconn.send_flush_request()
            waiter.pgconn.flush()
            _, found = examined(*here(tmp_path, postgres_url))
            holder.rollback()
    assert f"session {pid}" in found["database long transaction"]["found"]
    assert f"pg_terminate_backend({pid})" in found["database long transaction"]["cure"]
    assert f"waits for {pid}" in found["database waiting for a lock"]["found"]


def test_a_database_that_does_not_answer_is_a_problem(tmp_path: Path) -> None:
    uri = f"postgresql://someone:secret@127.0.0.1:{free_port()}/mlflow"
    result, found = examined(*here(tmp_path, uri))
    assert result.exit_code == 1
    assert found["database connection"]["verdict"] == "problem"
    assert "secret" not in result.stdout


def test_a_newer_schema_is_a_problem(postgres_server: PostgresServer, tmp_path: Path) -> None:
    uri = postgres_server.create_database()
    made(tmp_path, uri)
    with psycopg.connect(uri) as connection:
        connection.execute("UPDATE runyard_schema SET version_num = '9999'")
    result, found = examined(*here(tmp_path, uri))
    assert result.exit_code == 1
    assert found["database schema"]["cure"] == "start the newer version"


def test_a_server_behind_a_good_proxy_has_nothing_wrong(
    running_server: Callable[..., ServerProcess], proxied: Callable[..., Nginx]
) -> None:
    proxy = proxied([running_server().port], settings="client_max_body_size 0; large_client_header_buffers 4 64k;")
    result, found = examined("--url", proxy.url)
    assert result.exit_code == 0, result.stdout
    assert {one["verdict"] for one in found.values()} == {"ok"}
    assert found["server versions"]["found"].startswith(f"runyard {__version__}, as here")


def test_a_proxy_that_changes_the_host_and_cuts_bodies_is_told_how_to_behave(
    running_server: Callable[..., ServerProcess], proxied: Callable[..., Nginx]
) -> None:
    proxy = proxied(
        [running_server().port],
        settings="client_max_body_size 1m; large_client_header_buffers 2 1k;",
        location="proxy_set_header Host mlflow.internal;",
    )
    result, found = examined("--url", proxy.url)
    assert result.exit_code == 1
    assert "--allowed-hosts" in found["server host"]["cure"]
    assert "client_max_body_size 0" in found["server large bodies"]["cure"]
    assert found["server long addresses"]["verdict"] == "warning"


def test_a_proxy_that_names_another_host_than_the_page_is_told_so(
    running_server: Callable[..., ServerProcess], proxied: Callable[..., Nginx]
) -> None:
    server = running_server(
        None, "--allowed-hosts", "mlflow.internal,127.0.0.1:*", "--cors-allowed-origins", "https://x"
    )
    proxy = proxied([server.port], location="proxy_set_header Host mlflow.internal;")
    result, found = examined("--url", proxy.url)
    assert result.exit_code == 1
    assert "proxy_set_header Host $http_host" in found["server origin"]["cure"]


def test_nothing_there_is_a_problem(tmp_path: Path) -> None:
    result, found = examined("--url", f"http://127.0.0.1:{free_port()}")
    assert result.exit_code == 1
    assert found["server reachable"]["verdict"] == "problem"
    assert "is the server running" in found["server reachable"]["cure"]
