"""Several servers on one PostgreSQL: behind a load balancer, through a pooler, of two versions, told to stop."""

from __future__ import annotations

import contextlib
import json
import signal
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from runyard.cli import main
from runyard.errors import SchemaMismatch
from runyard.store import migrate
from runyard.store.engine import Database
from tests.nginx import Nginx
from tests.pgbouncer import PgBouncer
from tests.ports import free_port
from tests.postgres import PostgresServer
from tests.server.http import crowd, get, history, make_run, post, send
from tests.servers import ServerProcess

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
Start = Callable[..., ServerProcess]

CONNECTIONS = 16
PREVIOUS_VERSION = Path(__file__).parent.parent / "previous_version" / "sources.tar.xz"


@pytest.fixture
def pooler(postgres_server: PostgresServer) -> Iterator[PgBouncer]:
    pooler = PgBouncer(postgres_server.port)
    yield pooler
    pooler.stop()


def load(port: int, run_id: str, *, is_over: Callable[[], bool]) -> list[tuple[int, int, int]]:
    """Log points, and make a run every tenth time; return connection, n and status of what was answered."""

    def request(connection: int, n: int) -> tuple[str, dict[str, Any]]:
        if n % 10 == 9:
            return "runs/create", {"experiment_id": "0", "run_name": f"{connection}-{n}"}
        return "runs/log-metric", {"run_id": run_id, "key": "m", "value": n, "timestamp": connection, "step": n}

    return crowd(port, CONNECTIONS, request, is_over=is_over)


def check(port: int, run_id: str, answered: list[tuple[int, int, int]]) -> None:
    """Require that all that was acknowledged is there, and none of it twice."""
    acknowledged = {(connection, n) for connection, n, status in answered if status == 200}
    stored = [(point["timestamp"], point["step"]) for point in history(port, run_id, "m")]
    assert {(connection, n) for connection, n in acknowledged if n % 10 != 9} <= set(stored)
    assert len(stored) == len(set(stored))
    found = post(port, "runs/search", {"experiment_ids": ["0"], "max_results": 50_000}).json["runs"]
    names = [run["info"]["run_name"] for run in found]
    assert {f"{connection}-{n}" for connection, n in acknowledged if n % 10 == 9} <= set(names)
    assert len(names) == len(set(names))


def test_a_replica_killed_and_one_restarted_under_load_lose_nothing_that_was_acknowledged(
    running_server: Start, postgres_url: str
) -> None:
    servers = [running_server(postgres_url, "--drain", "1") for _ in range(2)]
    balancer = Nginx([server.port for server in servers])
    try:
        run_id = make_run(balancer.port)
        again: list[ServerProcess] = []

        def disturb() -> None:
            time.sleep(1.5)
            servers[0].kill()
            again.append(running_server(postgres_url, port=servers[0].port))
            time.sleep(1.5)
            servers[1].terminate()

        disturbing = threading.Thread(target=disturb)
        disturbing.start()
        answered = load(balancer.port, run_id, is_over=lambda: not disturbing.is_alive())
        disturbing.join()
    finally:
        balancer.stop()
    assert again
    # 502 is nginx's, of requests that were with the server that was killed.
    assert {status for _, _, status in answered} <= {200, 502}
    assert len(answered) > 100
    check(again[0].port, run_id, answered)


def test_all_goes_through_a_pooler_that_shares_connections_between_transactions(
    running_server: Start, postgres_url: str, pooler: PgBouncer
) -> None:
    server = running_server(pooler.url(postgres_url), workers=2)
    run_id = make_run(server.port)
    deadline = time.monotonic() + 4
    answered = load(server.port, run_id, is_over=lambda: time.monotonic() > deadline)
    assert {status for _, _, status in answered} == {200}
    check(server.port, run_id, answered)
    assert post(server.port, "registered-models/create", {"name": "iris"}).status == 200
    assert post(server.port, "experiments/create", {"name": "another"}).status == 200
    batch = {"run_id": run_id, "params": [{"key": "p", "value": "1"}], "tags": [{"key": "t", "value": "1"}]}
    assert post(server.port, "runs/log-batch", batch).status == 200
    found = post(server.port, "runs/search", {"experiment_ids": ["0"], "filter": "params.p = '1'"}).json["runs"]
    assert [run["info"]["run_id"] for run in found] == [run_id]
    assert "Traceback" not in server.log()


def test_a_server_told_to_stop_says_so_before_it_refuses(running_server: Start, postgres_url: str) -> None:
    server = running_server(postgres_url, "--drain", "2", workers=2)
    assert send(server.port, "GET", "/readyz").status == 200
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.7)
    assert send(server.port, "GET", "/readyz").status == 503
    answer = post(server.port, "runs/create", {"experiment_id": "0"})
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    server.was_ended = True
    assert server.process.wait(30) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_a_server_is_taken_out_of_use_and_put_back_without_being_stopped(
    running_server: Start, postgres_url: str, workers: int
) -> None:
    server = running_server(postgres_url, workers=workers)
    for number, status in ((signal.SIGUSR1, 503), (signal.SIGUSR2, 200)):
        server.process.send_signal(number)
        deadline = time.monotonic() + 10
        # Any worker may answer.
        while {send(server.port, "GET", "/readyz").status for _ in range(8)} != {status}:
            assert time.monotonic() < deadline
        assert make_run(server.port)
        assert send(server.port, "GET", "/livez").status == 200


@pytest.fixture
def previous_sources(tmp_path: Path) -> Path:
    """The sources of the version before the newest migration."""
    with tarfile.open(PREVIOUS_VERSION) as archive:
        archive.extractall(tmp_path / "previous", filter="data")
    folder = tmp_path / "previous" / "src"
    known = folder / "runyard" / "store" / "migrations" / "versions"
    assert max(path.name[:4] for path in known.glob("0*.py")) == f"{int(migrate.HEAD) - 1:04}", (
        f"{PREVIOUS_VERSION.parent / 'README.md'} says how to make it anew"
    )
    return folder


def test_the_previous_version_is_replaced_by_this_one_under_load(
    running_server: Start, postgres_url: str, previous_sources: Path
) -> None:
    previous = {"PYTHONPATH": str(previous_sources)}
    old = running_server(postgres_url, "--drain", "1", environment=previous)
    revision = "SELECT version_num FROM runyard_schema"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        assert connection.execute(revision).fetchone() == (f"{int(migrate.HEAD) - 1:04}",)
        run_id = make_run(old.port)
        new_port = free_port()
        balancer = Nginx([old.port, new_port])
        stop = threading.Event()
        answered: list[tuple[int, int, int]] = []
        loading = threading.Thread(target=lambda: answered.extend(load(balancer.port, run_id, is_over=stop.is_set)))
        loading.start()
        try:
            time.sleep(1)
            new = running_server(postgres_url, "--drain", "1", port=new_port)
            assert connection.execute(revision).fetchone() == (migrate.HEAD,)
            time.sleep(1.5)
            # Each sees at once what was written by way of the other.
            for writer, reader in ((old, new), (new, old)):
                written = make_run(writer.port)
                assert get(reader.port, "runs/get", run_id=written).json["run"]["info"]["run_id"] == written
                tag = {"run_id": written, "key": "t", "value": "v"}
                assert post(reader.port, "runs/set-tag", tag).status == 200
                search = {"experiment_ids": ["0"], "filter": "tags.t = 'v'", "max_results": 1}
                assert post(writer.port, "runs/search", search).json["runs"][0]["info"]["run_id"] == written
                assert post(reader.port, "runs/delete", {"run_id": written}).status == 200
            # A node that fails brings the old one back once more.
            old.terminate()
            again = running_server(postgres_url, "--drain", "1", port=old.port, environment=previous)
            time.sleep(1.5)
            again.terminate()
            time.sleep(0.5)
        finally:
            stop.set()
            loading.join()
            balancer.stop()
    # 502 is nginx's, which does not ask whether a server wants no more: of connections that waited as one closed.
    assert {status for _, _, status in answered} <= {200, 502}
    assert len(answered) > 100
    check(new.port, run_id, answered)
    for server in (old, new, again):
        assert "Traceback" not in server.log()


def test_this_version_goes_on_while_the_next_one_has_migrated(running_server: Start, postgres_url: str) -> None:
    server = running_server(postgres_url)
    run_id = make_run(server.port)
    stop = threading.Event()
    answered: list[tuple[int, int, int]] = []
    loading = threading.Thread(target=lambda: answered.extend(load(server.port, run_id, is_over=stop.is_set)))
    loading.start()
    time.sleep(1)
    # What a next version may do: add.
    with psycopg.connect(postgres_url) as connection:
        connection.execute("ALTER TABLE runs ADD COLUMN of_the_future text")
        connection.execute("ALTER TABLE metrics ADD COLUMN of_the_future bigint")
        connection.execute("CREATE TABLE of_the_future (id bigint PRIMARY KEY)")
        connection.execute("UPDATE runyard_schema SET version_num = %s", [f"{int(migrate.HEAD) + 1:04}"])
    time.sleep(1)
    stop.set()
    loading.join()
    assert {status for _, _, status in answered} == {200}
    check(server.port, run_id, answered)
    # One that is restarted meanwhile, by a node that fails, starts.
    late = running_server(postgres_url)
    assert get(late.port, "runs/get", run_id=run_id).status == 200
    assert "the next version's" in late.log()


def test_two_versions_ahead_is_too_far(postgres_url: str) -> None:
    with contextlib.closing(Database(postgres_url)) as database:
        migrate.upgrade(database)
        with psycopg.connect(postgres_url) as connection:
            connection.execute("UPDATE runyard_schema SET version_num = %s", [f"{int(migrate.HEAD) + 2:04}"])
        with pytest.raises(SchemaMismatch, match="newer than this version's"):
            migrate.upgrade(database)


def test_searches_are_answered_by_a_standby_and_by_the_primary_while_it_is_away(
    running_server: Start, postgres_server: PostgresServer, postgres_url: str
) -> None:
    standby = PostgresServer(primary=postgres_server)
    replica_url = standby.url(postgres_url.rpartition("/")[2])
    try:
        server = running_server(postgres_url, "--read-replica-uri", replica_url)
        run_id = make_run(server.port)
        search = {"experiment_ids": ["0"], "filter": "attributes.status = 'RUNNING'"}

        def found() -> list[str]:
            return [run["info"]["run_id"] for run in post(server.port, "runs/search", search).json.get("runs", [])]

        deadline = time.monotonic() + 20
        while found() != [run_id]:
            assert time.monotonic() < deadline
        with psycopg.connect(replica_url, autocommit=True) as connection:
            # What is written from here on is not seen there.
            connection.execute("SELECT pg_wal_replay_pause()")
            later = make_run(server.port)
            assert get(server.port, "runs/get", run_id=later).status == 200
            assert found() == [run_id]
            told = examined(postgres_url, replica_url)
            assert (told["verdict"], told["found"].endswith("s behind")) == ("ok", True)
        standby.kill()
        assert sorted(found()) == sorted([run_id, later])
        assert examined(postgres_url, replica_url)["verdict"] == "problem"
        # One that copies nothing is none.
        assert "receives nothing" in examined(postgres_url, postgres_url)["found"]
    finally:
        standby.stop()


def examined(uri: str, replica_uri: str) -> dict[str, str]:
    """Return what the doctor says of a read replica."""
    arguments = ["doctor", "--json", "--backend-store-uri", uri, "--read-replica-uri", replica_uri]
    findings = json.loads(CliRunner().invoke(main, arguments).stdout)
    [found] = [finding for finding in findings if finding["check"] == "read replica"]
    return dict(found)
