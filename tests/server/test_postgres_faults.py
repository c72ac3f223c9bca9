"""PostgreSQL restarts, crashes and loses connections: that costs time, and neither data nor truth."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from runyard.errors import Unavailable
from runyard.store import engine, migrate, registered_models, runs
from runyard.store.engine import Database
from runyard.store.experiments import ensure_default_experiment
from runyard.store.ingest import Ingest
from runyard.store.run_writes import LogBatch
from tests.contract.factories import get as get_stored
from tests.cutting_proxy import CuttingProxy
from tests.postgres import PostgresServer
from tests.server.http import crowd, get, history, make_run, post, send
from tests.servers import ServerProcess, clean_environment, start_runyard

pytestmark = pytest.mark.postgres

Start = Callable[..., ServerProcess]


def request(run_id: str, connection: int, n: int) -> tuple[str, dict[str, Any]]:
    """Return points of one run, and now and then a run of its own or a tag that counts."""
    if n % 10 == 3:
        return "runs/create", {"experiment_id": "0", "run_name": f"{connection}-{n}"}
    if n % 10 == 7:
        return "runs/set-tag", {"run_id": run_id, "key": f"t{connection}-{n}", "value": "v"}
    return "runs/log-metric", {"run_id": run_id, "key": f"m{connection}", "value": n, "timestamp": n, "step": n}


def names_of_runs(port: int) -> list[str]:
    names, token = [], None
    while True:
        page = post(port, "runs/search", {"experiment_ids": ["0"], "max_results": 1000, "page_token": token}).json
        names += [run["info"]["run_name"] for run in page.get("runs", [])]
        token = page.get("next_page_token")
        if token is None:
            return names


def check(server: ServerProcess, run_id: str, answered: list[tuple[int, int, int]]) -> None:
    """Require that every request was answered well, and that all of it is there, and once."""
    assert {status for _, _, status in answered} == {200}
    tags = {tag["key"] for tag in get(server.port, "runs/get", run_id=run_id).json["run"]["data"]["tags"]}
    created = []
    for connection in range(16):
        sent = [n for number, n, _ in answered if number == connection]
        points = [n for n in sent if n % 10 not in (3, 7)]
        assert sorted(metric["step"] for metric in history(server.port, run_id, f"m{connection}")) == points
        assert {f"t{connection}-{n}" for n in sent if n % 10 == 7} <= tags
        created += [f"{connection}-{n}" for n in sent if n % 10 == 3]
    # Each run that was made is there, and once: none was made again because its answer was lost.
    stored = [name for name in names_of_runs(server.port) if "-" in name and name[0].isdigit()]
    assert sorted(stored) == sorted(created)
    assert "the database answers again" in server.log()
    assert "Traceback" not in server.log()


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("how", ["restarted", "killed"])
def test_a_restart_under_load_costs_time_and_nothing_else(
    running_server: Start, durable_postgres_server: PostgresServer, how: str, workers: int
) -> None:
    server = running_server(durable_postgres_server.create_database(), workers=workers)
    run_id = make_run(server.port)
    began = time.monotonic()

    def restart() -> None:
        time.sleep(1.5)
        durable_postgres_server.shut_down() if how == "restarted" else durable_postgres_server.kill()
        time.sleep(1.0)
        durable_postgres_server.start()

    restarting = threading.Thread(target=restart)
    restarting.start()
    answered = crowd(
        server.port,
        16,
        lambda connection, n: request(run_id, connection, n),
        is_over=lambda: not restarting.is_alive() and time.monotonic() > began + 6,
    )
    restarting.join()
    check(server, run_id, answered)


@pytest.mark.slow
def test_a_failover_to_a_standby_costs_time_and_nothing_else(
    running_server: Start, durable_postgres_server: PostgresServer
) -> None:
    primary = durable_postgres_server
    uri = primary.create_database()
    standby = PostgresServer(is_durable=True, primary=primary)
    try:
        primary.wait_for_standbys()
        name = uri.rpartition("/")[2]
        hosts = f"127.0.0.1:{primary.port},127.0.0.1:{standby.port}"
        server = running_server(f"postgresql://postgres@{hosts}/{name}?target_session_attrs=read-write", workers=2)
        run_id = make_run(server.port)
        began = time.monotonic()

        def fail_over() -> None:
            time.sleep(1.5)
            primary.kill()
            time.sleep(0.5)
            standby.promote()

        failing = threading.Thread(target=fail_over)
        failing.start()
        answered = crowd(
            server.port,
            16,
            lambda connection, n: request(run_id, connection, n),
            is_over=lambda: not failing.is_alive() and time.monotonic() > began + 4,
        )
        failing.join()
        check(server, run_id, answered)
        server.stop()
    finally:
        standby.stop()


def test_a_long_outage_is_told_with_a_time_to_ask_again(
    running_server: Start, durable_postgres_server: PostgresServer
) -> None:
    server = running_server(durable_postgres_server.create_database(), "--outage", "1")
    run_id = make_run(server.port)
    point = {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1}
    durable_postgres_server.kill()
    for path, body in (("runs/log-metric", point), ("runs/search", {"experiment_ids": ["0"]})):
        began = time.monotonic()
        answer = post(server.port, path, body)
        assert (answer.status, answer.json["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
        assert int(answer.headers["retry-after"]) >= 1
        assert time.monotonic() - began < 10
    # It is known by now: nobody waits as long again.
    began = time.monotonic()
    assert post(server.port, "runs/log-metric", point).status == 503
    assert time.monotonic() - began < 0.9
    assert send(server.port, "GET", "/health").status == 200
    assert send(server.port, "GET", "/readyz").status == 503
    durable_postgres_server.start()
    assert post(server.port, "runs/log-metric", point).status == 200
    assert send(server.port, "GET", "/readyz").status == 200


@pytest.fixture
def proxy(postgres_server: PostgresServer) -> Iterator[CuttingProxy]:
    with contextlib.closing(CuttingProxy(postgres_server.port)) as cutting:
        yield cutting


@pytest.fixture
def proxied(proxy: CuttingProxy, postgres_url: str) -> Iterator[Database]:
    """A database that is reached through the proxy; its schema is there."""
    direct = Database(postgres_url)
    migrate.upgrade(direct)
    direct.write(ensure_default_experiment, "mlflow-artifacts:/")
    direct.close()
    database = Database(str(make_url(postgres_url).set(port=proxy.port)), outage_s=10)
    yield database
    database.close()


@pytest.mark.parametrize("delivers", [True, False])
def test_a_write_whose_commit_got_no_answer_is_done_once(
    proxied: Database, proxy: CuttingProxy, delivers: bool
) -> None:
    proxied.ping()
    proxy.arm(delivers=delivers)
    made = proxied.write(registered_models.create_registered_model, "iris", description="", tags=())
    assert proxy.cuts == 1
    assert made.name == "iris"
    assert proxied.read(_count, "registered_models") == 1


@pytest.mark.parametrize("delivers", [True, False])
def test_a_run_whose_commit_got_no_answer_is_made_once(proxied: Database, proxy: CuttingProxy, delivers: bool) -> None:
    with contextlib.closing(Ingest(proxied)) as ingest:
        warm = runs.creation("0", user_id="", run_name="first", start_time=0, tags={})
        ingest.submit(warm).result(20)
        proxy.arm(delivers=delivers)
        write = runs.creation("0", user_id="", run_name="once", start_time=0, tags={})
        ingest.submit(write).result(20)
        assert proxy.cuts == 1
        assert proxied.read(_count, "runs") == 2


@pytest.mark.parametrize("delivers", [True, False])
def test_points_whose_commit_got_no_answer_are_written_once(
    proxied: Database, proxy: CuttingProxy, delivers: bool
) -> None:
    with contextlib.closing(Ingest(proxied)) as ingest:
        made = ingest.submit(runs.creation("0", user_id="", run_name="r", start_time=0, tags={})).result(20)
        run_id = made.partition(b'"run_id":"')[2][:32].decode()
        ingest.submit(LogBatch(run_id, metrics=[("m", 0, 0, 0.0, False)])).result(20)
        proxy.arm(delivers=delivers)
        ingest.submit(LogBatch(run_id, metrics=[("m", 1, 1, 0.5, False)])).result(20)
        assert proxy.cuts == 1
        assert proxied.read(_count, "metrics") == 2
        assert get_stored(proxied, run_id)["data"]["metrics"][0]["step"] == 1


def test_a_commit_that_nobody_can_tell_of_is_not_called_done(
    proxied: Database, durable_postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = Database(durable_postgres_server.create_database(), outage_s=0.5)
    migrate.upgrade(database)
    monkeypatch.setattr(engine, "LONGEST_PAUSE_S", 0.05)

    def write(connection: sa.Connection) -> None:
        connection.execute(sa.text("CREATE TABLE t (x INTEGER)"))

    original = database.mark

    def killed_after(connection: sa.Connection) -> object:
        found = original(connection)
        durable_postgres_server.kill()
        return found

    monkeypatch.setattr(database, "mark", killed_after)
    with contextlib.closing(database), pytest.raises(Unavailable):
        database.write(write)


def test_another_transaction_with_the_number_of_a_lost_one_is_not_taken_for_it(
    durable_postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a crash PostgreSQL gives the numbers of transactions again of which nothing had reached the disk."""
    url = durable_postgres_server.create_database()
    database = Database(url, outage_s=20)
    migrate.upgrade(database)
    with psycopg.connect(url, autocommit=True) as connection:
        # Nothing of a transaction gets to the disk before it is committed.
        connection.execute("ALTER SYSTEM SET wal_writer_delay = '10s'")
        connection.execute("SELECT pg_reload_conf()")
        # What was written so far does.
        connection.execute("CHECKPOINT")
    original = database.mark
    numbers: list[int] = []

    def lost_after(connection: sa.Connection) -> object:
        found = original(connection)
        if not numbers:
            numbers.append(int(connection.execute(sa.text("SELECT pg_current_xact_id()::text")).scalar_one()))
            durable_postgres_server.kill()
            durable_postgres_server.start()
            with psycopg.connect(url, autocommit=True) as other:
                while numbers[-1] <= numbers[0]:
                    # Another's transaction, which is committed.
                    row = other.execute("SELECT pg_current_xact_id()::text").fetchone()
                    assert row is not None
                    numbers.append(int(row[0]))
        return found

    monkeypatch.setattr(database, "mark", lost_after)
    with contextlib.closing(database):
        database.write(registered_models.create_registered_model, "iris", description="", tags=())
        assert numbers[0] in numbers[1:], "the number was not given again: the test shows nothing"
        assert database.read(_count, "registered_models") == 1


def test_the_marks_of_old_transactions_are_removed(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "MARKS_PER_CLEANING", 10)
    with contextlib.closing(Database(postgres_url)) as database:
        migrate.upgrade(database)
        now = time.time()
        for n in range(10):
            # Two hours and a half go by.
            monkeypatch.setattr(time, "time", lambda n=n: now + 1000 * n)
            database.write(registered_models.create_registered_model, f"model-{n}", description="", tags=())
        assert 1 <= database.read(_count, "commits") < 6


def test_a_transaction_that_writes_nothing_leaves_no_mark(postgres_url: str) -> None:
    with contextlib.closing(Database(postgres_url)) as database:
        migrate.upgrade(database)
        assert database.write(_count, "runs") == 0
        assert database.read(_count, "commits") == 0


def test_a_connection_that_an_operator_ends_is_replaced(postgres_url: str) -> None:
    with contextlib.closing(Database(postgres_url, outage_s=5)) as database:
        tries = []

        def read(connection: sa.Connection) -> int:
            tries.append(1)
            [pid] = connection.execute(sa.text("SELECT pg_backend_pid()")).one()
            if len(tries) == 1:
                with psycopg.connect(postgres_url, autocommit=True) as operator:
                    operator.execute("SELECT pg_terminate_backend(%s)", [pid])
            return int(connection.execute(sa.text("SELECT 42")).scalar_one())

        assert database.read(read) == 42
        assert len(tries) == 2


def _count(connection: sa.Connection, table: str) -> int:
    return int(connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())


@pytest.fixture
def guarded_url(durable_postgres_server: PostgresServer, tmp_path: Path) -> str:
    """The URI of a database that asks its user for a password and takes encrypted connections alone."""
    durable_postgres_server.encrypt()
    with psycopg.connect(durable_postgres_server.url(), autocommit=True) as connection:
        connection.execute("CREATE ROLE guarded LOGIN PASSWORD 'p@ss:/%'")
        connection.execute("CREATE DATABASE guarded OWNER guarded")
    durable_postgres_server.let_in(
        "hostssl guarded guarded 127.0.0.1/32 scram-sha-256", "host guarded guarded all reject"
    )
    return durable_postgres_server.url("guarded").replace("postgres@", "guarded@")


def test_a_password_comes_from_a_file_that_may_change(
    running_server: Start, durable_postgres_server: PostgresServer, guarded_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    file.write_text("p@ss:/%\n")
    server = running_server(guarded_url, "--db-password-file", str(file), "--db-ssl-mode", "require", workers=2)
    run_id = make_run(server.port)
    # Rotated: new connections take the new one.
    with psycopg.connect(durable_postgres_server.url(), autocommit=True) as connection:
        connection.execute("ALTER ROLE guarded PASSWORD 'another'")
    file.write_text("another")
    with psycopg.connect(durable_postgres_server.url(), autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'guarded'")
    assert post(server.port, "runs/set-tag", {"run_id": run_id, "key": "k", "value": "v"}).status == 200
    assert get(server.port, "runs/get", run_id=run_id).status == 200
    command_lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in server.pids()]
    assert command_lines
    for secret in ("p@ss", "another"):
        assert secret not in server.log()
        assert not any(secret.encode() in line for line in command_lines)


def test_a_password_comes_from_the_environment(running_server: Start, guarded_url: str) -> None:
    server = running_server(guarded_url, environment={"RUNYARD_DB_PASSWORD": "p@ss:/%"}, workers=2)
    assert make_run(server.port)
    assert "p@ss" not in server.log()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--db-ssl-mode", "disable"], "cannot be reached"),
        (["--db-ssl-mode", "verify-full"], "cannot be reached"),
        (["--db-ssl-mode", "sometimes"], "db_ssl_mode must be one of"),
    ],
)
def test_encryption_is_as_strict_as_was_asked(guarded_url: str, tmp_path: Path, options: list[str], told: str) -> None:
    with pytest.raises(AssertionError, match=told):
        start_runyard(guarded_url, tmp_path, "--outage", "0", *options, environment={"RUNYARD_DB_PASSWORD": "p@ss:/%"})


def test_a_certificate_that_is_known_is_accepted(
    running_server: Start, durable_postgres_server: PostgresServer, guarded_url: str
) -> None:
    certificate = str(durable_postgres_server.certificate)
    server = running_server(
        guarded_url,
        *("--db-ssl-mode", "verify-full", "--db-ssl-root-cert", certificate),
        environment={"RUNYARD_DB_PASSWORD": "p@ss:/%"},
    )
    assert make_run(server.port)


def test_commands_take_the_password_from_where_the_server_does(guarded_url: str, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("p@ss:/%\n")
    variables = {"RUNYARD_DB_PASSWORD_FILE": str(tmp_path / "password"), "RUNYARD_DB_SSL_MODE": "require"}
    for command, told in ((("db", "upgrade"), "Upgraded"), (("db", "check"), "is current")):
        done = subprocess.run(
            [sys.executable, "-m", "runyard", *command, guarded_url],
            env=clean_environment(variables),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert told in done.stdout
