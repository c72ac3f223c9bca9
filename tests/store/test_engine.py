from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from runyard.errors import ConfigurationError, InvalidParameter, RunyardError, Unavailable
from runyard.store.engine import Database, FairLock


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    yield database
    database.close()


@pytest.mark.parametrize(
    "uri, complaint",
    [
        ("nonsense", "not a database URI"),
        ("postgresql://u:secret@h:port/d", "not a database URI"),
        ("mysql://u:secret@h/d", "not supported"),
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:////nowhere/at/all/x.db", "does not exist"),
    ],
)
def test_a_uri_that_cannot_be_used_is_refused_with_the_forms_that_can(uri: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint) as error:
        Database(uri)
    assert "secret" not in error.value.message


def test_the_uri_that_is_shown_hides_the_password() -> None:
    assert Database("postgresql://user:secret@localhost/x").uri == "postgresql://user:***@localhost/x"


@pytest.mark.parametrize("query", ["", "?target_session_attrs=read-write"])
def test_several_hosts_may_be_named_as_libpq_names_them(query: str) -> None:
    database = Database(f"postgresql://user:secret@one:5433,two/x{query}")
    told = database.engine.dialect.create_connect_args(database.engine.url)[1]
    database.close()
    assert (told["host"], told["port"], told["dbname"], told["user"]) == ("one,two", "5433,", "x", "user")
    assert told.get("target_session_attrs") == ("read-write" if query else None)
    assert "secret" not in database.uri


def test_sqlite_keeps_a_write_ahead_log_and_waits_for_the_disk(database: Database) -> None:
    def pragma(name: str) -> object:
        return database.read(lambda connection: connection.exec_driver_sql(f"PRAGMA {name}").scalar())

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2
    assert pragma("foreign_keys") == 1


def test_an_error_undoes_the_transaction(database: Database) -> None:
    database.write(lambda connection: connection.execute(sa.text("CREATE TABLE t (x INTEGER)")))

    def fail(connection: sa.Connection) -> None:
        connection.execute(sa.text("INSERT INTO t VALUES (1)"))
        raise InvalidParameter("no")

    with pytest.raises(InvalidParameter):
        database.write(fail)
    assert database.read(lambda connection: connection.execute(sa.text("SELECT count(*) FROM t")).scalar()) == 0


def test_no_sql_and_no_drivers_text_reaches_the_caller(database: Database) -> None:
    with pytest.raises(RunyardError) as error:
        database.read(lambda connection: connection.execute(sa.text("SELECT secret_column FROM secret_table")))
    assert "secret" not in error.value.message


def test_an_integer_beyond_64_bits_is_the_callers_mistake(database: Database) -> None:
    with pytest.raises(InvalidParameter, match="64 bits"):
        database.read(lambda connection: connection.execute(sa.text("SELECT :x"), {"x": 2**70}))


def test_a_database_that_does_not_answer_is_unavailable() -> None:
    database = Database("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(Unavailable, match="cannot be reached"):
        database.ping()


def test_writers_of_several_threads_all_get_their_turn(database: Database) -> None:
    database.write(lambda connection: connection.execute(sa.text("CREATE TABLE t (x INTEGER)")))

    def write() -> None:
        for number in range(20):
            database.write(sa.Connection.execute, sa.text("INSERT INTO t VALUES (:x)"), {"x": number})

    threads = [threading.Thread(target=write) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert database.read(lambda connection: connection.execute(sa.text("SELECT count(*) FROM t")).scalar()) == 160


def test_the_fair_lock_is_got_in_the_order_of_asking() -> None:
    lock = FairLock()
    order: list[int] = []

    def take(number: int) -> None:
        with lock:
            order.append(number)

    threads = [threading.Thread(target=take, args=(number,)) for number in range(5)]
    with lock:
        for thread in threads:
            thread.start()
            while len(lock._waiting) < threads.index(thread) + 1:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
