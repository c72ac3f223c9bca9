"""What a database says of itself, for who has to find out why it is slow or full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

LONG_TRANSACTION_S: Final = 300


@dataclass(frozen=True)
class PostgresFacts:
    version: str
    version_number: int
    encoding: str
    is_standby: bool
    is_encrypted: bool
    max_connections: int
    open_connections: int
    # Of transactions older than `LONG_TRANSACTION_S`: the process, seconds, what it is.
    long_transactions: tuple[tuple[int, int, str], ...]
    # Of sessions that wait for a lock: the process and those it waits for.
    blocked: tuple[tuple[int, tuple[int, ...]], ...]
    clock_ms: int
    size_bytes: int
    # How far a standby is behind its primary; None of one that has received nothing, and of a primary.
    replica_lag_s: float | None


@dataclass(frozen=True)
class SqliteFacts:
    version: str
    journal_mode: str
    size_bytes: int
    # What is "ok" where the file is whole; else the first faults.
    integrity: str


def read_postgres_facts(connection: Connection) -> PostgresFacts:
    """Return what the server says; of other users' sessions it tells only those who may see them."""

    def one(statement: str) -> object:
        return connection.execute(sa.text(statement)).scalar()

    long = connection.execute(
        sa.text(
            "SELECT pid, extract(epoch FROM clock_timestamp() - xact_start)::int, coalesce(state, '') || ': ' || "
            "left(coalesce(query, ''), 80) FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND xact_start < clock_timestamp() - make_interval(secs => :seconds) "
            "ORDER BY xact_start LIMIT 5"
        ),
        {"seconds": LONG_TRANSACTION_S},
    )
    blocked = connection.execute(
        sa.text(
            "SELECT pid, pg_blocking_pids(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0 ORDER BY pid LIMIT 5"
        )
    )
    # Where all that was received is there, the age of the last transaction is only how long nothing was written.
    lag = one(
        "SELECT CASE WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0 "
        "ELSE extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()) END "
        "WHERE pg_is_in_recovery() AND pg_last_wal_receive_lsn() IS NOT NULL"
    )
    return PostgresFacts(
        version=str(one("SHOW server_version")),
        version_number=int(str(one("SHOW server_version_num"))),
        encoding=str(one("SHOW server_encoding")),
        is_standby=bool(one("SELECT pg_is_in_recovery()")),
        is_encrypted=bool(one("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")),
        max_connections=int(str(one("SHOW max_connections"))) - int(str(one("SHOW superuser_reserved_connections"))),
        open_connections=int(str(one("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"))),
        long_transactions=tuple((pid, seconds, text) for pid, seconds, text in long),
        blocked=tuple((pid, tuple(by)) for pid, by in blocked),
        clock_ms=int(str(one("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"))),
        size_bytes=int(str(one("SELECT pg_database_size(current_database())"))),
        replica_lag_s=None if lag is None else float(str(lag)),
    )


def read_sqlite_facts(connection: Connection) -> SqliteFacts:
    """Return what the file says; it is read whole, which takes a second for each gigabyte or so."""

    def one(statement: str) -> object:
        return connection.execute(sa.text(statement)).scalar()

    return SqliteFacts(
        version=str(one("SELECT sqlite_version()")),
        journal_mode=str(one("PRAGMA journal_mode")),
        size_bytes=int(str(one("PRAGMA page_count"))) * int(str(one("PRAGMA page_size"))),
        integrity=str(one("PRAGMA quick_check(3)")),
    )
