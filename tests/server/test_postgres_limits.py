"""What keeps one statement, one lock or one forgotten session from holding up all others, on a real PostgreSQL."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
import sqlalchemy as sa

from runyard.errors import Unavailable
from runyard.store import migrate
from runyard.store.engine import Database
from tests.server.http import get, history, make_run, post
from tests.servers import ServerProcess

pytestmark = pytest.mark.postgres

Start = Callable[..., ServerProcess]


@pytest.fixture
def database(postgres_url: str) -> Iterator[Database]:
    with contextlib.closing(
        Database(postgres_url, statement_timeout_s=1, lock_timeout_s=30, pool_recycle_s=1)
    ) as database:
        migrate.upgrade(database)
        yield database


def test_a_deadlock_with_somebodys_own_statements_is_undone_and_written_again(
    running_server: Start, postgres_url: str
) -> None:
    server = running_server(postgres_url)
    run_id = make_run(server.port)
    point = {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1, "step": 1}
    with psycopg.connect(postgres_url) as somebody, psycopg.connect(postgres_url, autocommit=True) as onlooker:
        # Somebody locks what a write takes second, and then what it took first; who waits too long is undone, and that
        # is to be the server.
        somebody.execute("SET deadlock_timeout = '60s'")
        # The latest values come after the run itself.
        somebody.execute("LOCK TABLE latest_metrics")
        writing = threading.Thread(target=lambda: statuses.append(post(server.port, "runs/log-metric", point).status))
        statuses: list[int] = []
        writing.start()
        waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database "
        _wait_for(onlooker, waiting + "WHERE datname = current_database())")
        somebody.execute("SELECT 1 FROM runs WHERE run_id = %s FOR UPDATE", [run_id])
        somebody.commit()
        writing.join(30)
        [(deadlocks,)] = _statistics(onlooker)
    assert statuses == [200]
    assert deadlocks == 1
    assert [stored["step"] for stored in history(server.port, run_id, "m")] == [1]
    assert "Traceback" not in server.log()


def _statistics(connection: psycopg.Connection) -> list[tuple[int]]:
    # They are told a moment after.
    deadline = time.monotonic() + 10
    while True:
        connection.execute("SELECT pg_stat_clear_snapshot()")
        found = connection.execute(
            "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        ).fetchall()
        if found != [(0,)] or time.monotonic() > deadline:
            return found
        time.sleep(0.2)


def _wait_for(connection: psycopg.Connection, statement: str) -> None:
    deadline = time.monotonic() + 20
    while connection.execute(statement).fetchone() == (0,):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_lock_that_somebody_keeps_is_told_with_a_time_to_ask_again(running_server: Start, postgres_url: str) -> None:
    server = running_server(postgres_url, "--lock-timeout", "1")
    run_id = make_run(server.port)
    tag = {"run_id": run_id, "key": "k", "value": "v"}
    with psycopg.connect(postgres_url) as somebody:
        somebody.execute("SELECT 1 FROM runs WHERE run_id = %s FOR UPDATE", [run_id])
        began = time.monotonic()
        answer = post(server.port, "runs/set-tag", tag)
        assert time.monotonic() - began < 10
        assert (answer.status, answer.json["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
        assert "waited too long for another write" in answer.json["message"]
        assert int(answer.headers["retry-after"]) >= 1
        # Who does not need it is not kept waiting.
        assert get(server.port, "runs/get", run_id=run_id).status == 200
        assert make_run(server.port)
    assert post(server.port, "runs/set-tag", tag).status == 200


def test_a_statement_that_takes_too_long_is_given_up(database: Database) -> None:
    began = time.monotonic()
    with pytest.raises(Unavailable, match="took too long"):
        database.read(lambda connection: connection.execute(sa.text("SELECT pg_sleep(20)")).all())
    assert time.monotonic() - began < 10
    # A migration may take its time.
    with database.transaction() as connection:
        connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        connection.execute(sa.text("SELECT pg_sleep(1.5)"))


def test_a_session_of_ours_that_is_left_in_a_transaction_does_not_keep_its_locks(database: Database) -> None:
    def setting(name: str) -> object:
        return database.read(lambda connection: connection.execute(sa.text(f"SHOW {name}")).scalar())

    assert setting("idle_in_transaction_session_timeout") == "1min"
    assert setting("lock_timeout") == "30s"
    assert setting("statement_timeout") == "1s"


def test_a_connection_is_replaced_at_its_age(database: Database) -> None:
    def process() -> int:
        return database.read(
            lambda connection: int(connection.execute(sa.text("SELECT pg_backend_pid()")).scalar_one())
        )

    assert process() == process()
    before = process()
    time.sleep(2.1)
    assert process() != before


def test_no_more_connections_are_opened_than_was_said(postgres_url: str) -> None:
    with contextlib.closing(Database(postgres_url, pool_size=2, max_overflow=1)) as database:
        reached = threading.Barrier(4, timeout=20)

        def hold(connection: sa.Connection) -> None:
            connection.execute(sa.text("SELECT 1"))
            reached.wait()
            reached.wait()

        threads = [threading.Thread(target=database.read, args=(hold,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        reached.wait()
        assert database.connections() == (3, 0)
        reached.wait()
        for thread in threads:
            thread.join()
        # What overflowed is closed again.
        assert database.connections() == (0, 2)
