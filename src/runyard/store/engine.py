"""How the database is reached: connections, transactions, and what each of the two databases needs.

A ``Database`` is safe to share between threads. `read` and `write` hand a connection to a function and own the
transaction around it; on SQLite writers queue here, in the process and between processes, instead of failing there.
"""

from __future__ import annotations

import contextlib
import logging
import os
import random
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, Any, Concatenate, Final, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from runyard.errors import ConfigurationError, InvalidParameter, RunyardError, Unavailable

try:
    import fcntl
except ImportError:  # Windows: SQLite's own busy wait is the only queue between processes.
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

SQLITE_BUSY_TIMEOUT_S: Final = 60.0
ATTEMPTS: Final = 5
# PostgreSQL: serialization failure, deadlock. The transaction was undone as a whole, so it may be run again.
RETRIED_SQLSTATES: Final = frozenset({"40001", "40P01"})
# PostgreSQL: numbers out of range, text it cannot hold. The caller's value, not our fault.
VALUE_SQLSTATES: Final = frozenset({"22003", "22021", "22P05", "22P02", "54000"})


class Database:
    """A database by its URI, with a pool of connections.

    Args:
        is_read_only: leave a SQLite file as it is, down to its journal's mode.
    Raises:
        ConfigurationError: the URI does not parse or names a database that is not supported.
    """

    def __init__(
        self,
        uri: str,
        *,
        pool_size: int = 5,
        max_overflow: int = 10,
        pool_recycle_s: int = 3600,
        pool_pre_ping: bool = True,
        is_read_only: bool = False,
    ) -> None:
        try:
            url = make_url(uri)
        except ArgumentError:
            raise ConfigurationError(
                f"backend-store-uri is not a database URI: {_without_password(uri)!r}; "
                "expected sqlite:///FILE or postgresql://USER@HOST:PORT/NAME"
            ) from None
        backend = url.get_backend_name()
        if backend == "postgres":
            url, backend = url.set(drivername="postgresql"), "postgresql"
        if backend not in {"sqlite", "postgresql"}:
            raise ConfigurationError(
                f"backend-store-uri names {backend!r}, which is not supported; "
                "expected sqlite:///FILE or postgresql://USER@HOST:PORT/NAME"
            )
        self.is_sqlite = backend == "sqlite"
        self.uri = url.render_as_string(hide_password=True)
        self._turns: _SqliteTurns | None = None
        if self.is_sqlite:
            path = url.database
            if not path or path == ":memory:":
                raise ConfigurationError("backend-store-uri must name a file for SQLite: sqlite:///FILE")
            folder = os.path.dirname(os.path.abspath(path))
            if not os.path.isdir(folder):
                raise ConfigurationError(f"the folder of the SQLite file does not exist: {folder!r}")
            self._turns = _SqliteTurns(f"{path}-lock")
            self.engine = sa.create_engine(
                url.set(drivername="sqlite+pysqlite"),
                connect_args={"check_same_thread": False, "timeout": SQLITE_BUSY_TIMEOUT_S, "cached_statements": 256},
                poolclass=sa.QueuePool,
                pool_size=pool_size,
                max_overflow=max_overflow,
            )
            _prepare_sqlite(self.engine, is_read_only=is_read_only)
        else:
            self.engine = sa.create_engine(
                url.set(drivername="postgresql+psycopg"),
                # Prepared statements belong to a server connection, which PgBouncer hands to others between
                # transactions. Measured, they save a tenth of a millisecond a write and cost as much of our own time.
                connect_args={"prepare_threshold": None, "application_name": "runyard"},
                pool_size=pool_size,
                max_overflow=max_overflow,
                pool_recycle=pool_recycle_s,
                pool_pre_ping=pool_pre_ping,
            )
            _prepare_postgresql(self.engine)

    def read(self, function: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``function`` returns for a connection that sees one moment of the database."""
        with translated_errors(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                return function(connection, *args, **kwargs)

    def write(self, function: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``function`` returns, after the commit of all it wrote.

        ``function`` is run again where the database undid it for another's sake, so it may have no effect but on
        the connection. An error it raises undoes all of it.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with translated_errors(), self.transaction() as connection:
                    return function(connection, *args, **kwargs)
            except RetriedError as error:
                if attempt == ATTEMPTS:
                    raise Unavailable("the database is busy with conflicting writes; try again") from error
                # Two transactions that undid each other must not meet again.
                time.sleep(random.uniform(0, 0.01 * 2**attempt))
        raise AssertionError("unreachable")

    def connect_writer(self) -> Connection:
        """Return a connection whose transactions may write, for use with `transaction`."""
        connection = self.engine.connect()
        return connection.execution_options(sqlite_begin="BEGIN IMMEDIATE") if self.is_sqlite else connection

    @contextlib.contextmanager
    def transaction(self, writer: Connection | None = None) -> Iterator[Connection]:
        """Give a connection in a transaction that may write; commit at the end, undo on an error."""
        if writer is None:
            with self.connect_writer() as connection, self.transaction(connection):
                yield connection
        elif self._turns is None:
            with writer.begin():
                yield writer
        else:
            with self._turns, writer.begin():
                yield writer

    def pipeline(self, writer: Connection) -> AbstractContextManager[object]:
        """Send statements on without waiting for the answers of those before, where the driver can.

        Only for statements that are given to the driver's own cursor: what SQLAlchemy learns of each, such as how
        many rows it changed, is not known until later.
        """
        if self.is_sqlite:
            return contextlib.nullcontext()
        driver_connection: Any = writer.connection.driver_connection
        pipeline: AbstractContextManager[object] = driver_connection.pipeline()
        return pipeline

    def ping(self) -> None:
        """Raise Unavailable unless the database answers."""
        self.read(lambda connection: connection.execute(sa.select(1)).scalar_one())

    def close(self) -> None:
        self.engine.dispose()
        if self._turns is not None:
            self._turns.close()


class RetriedError(Exception):
    """The database undid the transaction so that another could go on."""


class FairLock:
    """A lock that threads get in the order they came.

    Python's own lets a thread that lets go and comes back overtake the others: under load the writer of runs would
    keep everyone else waiting.
    """

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._is_held = False
        self._waiting: deque[threading.Lock] = deque()

    def __enter__(self) -> None:
        with self._mutex:
            if not self._is_held:
                self._is_held = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        # Whoever lets go next hands the lock over by opening this one.
        turn.acquire()

    def __exit__(self, *exc_info: object) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_held = False


class _SqliteTurns:
    """One writer at a time: a lock in the process, a file lock between processes.

    SQLite lets waiting writers sleep and try again, up to 100 ms a time, so the unlucky wait long; a file lock wakes
    the next at once. SQLite's own lock is still what keeps the file safe: another program may write too.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._lock = FairLock()
        self._file: IO[bytes] | None = None

    def __enter__(self) -> None:
        self._lock.__enter__()
        try:
            if fcntl is not None:
                if self._file is None:
                    self._file = open(self._path, "ab")
                fcntl.flock(self._file, fcntl.LOCK_EX)
        except BaseException:
            self._lock.__exit__()
            raise

    def __exit__(self, *exc_info: object) -> None:
        if self._file is not None and fcntl is not None:
            fcntl.flock(self._file, fcntl.LOCK_UN)
        self._lock.__exit__()

    def close(self) -> None:
        with self._lock:
            if self._file is not None:
                self._file.close()
                self._file = None


def _prepare_sqlite(engine: Engine, *, is_read_only: bool) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: object) -> None:
        # The driver's own BEGIN is deferred; the transactions here begin as what they are.
        connection.isolation_level = None
        cursor = connection.cursor()
        # The file remembers its mode, so to set it is to write.
        cursor.execute("PRAGMA query_only=ON" if is_read_only else "PRAGMA journal_mode=WAL")
        # FULL: what is acknowledged survives a power cut, not only a crash of the process.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA case_sensitive_like=ON")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute("PRAGMA cache_size=-16384")
        cursor.execute("PRAGMA journal_size_limit=67108864")
        cursor.close()
        # SQLite's own lower() knows ASCII alone; ILIKE is lower() on both sides.
        connection.create_function("lower", 1, _lower, deterministic=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Straight to the driver: this runs once for every request.
        driver_connection: Any = connection.connection.driver_connection
        driver_connection.execute(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def _prepare_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        # To compile a statement costs more than these statements take. And what they read is in memory: for the price
        # of a seek on a disk that turns, the planner would rather read whole tables (measured: twice the time).
        connection.autocommit = True
        connection.execute("SET jit = off; SET random_page_cost = 1.1")
        connection.autocommit = False


def _lower(value: str | float | bytes | None) -> str | float | bytes | None:
    return value.lower() if isinstance(value, str) else value


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Turn the database's errors into ours, so that no SQL and no driver's text goes further."""
    try:
        yield
    except (RunyardError, RetriedError):
        raise
    except PoolTimeoutError as error:
        raise Unavailable("all database connections are in use; try again or raise the pool size") from error
    except OverflowError as error:
        raise InvalidParameter("a number does not fit into 64 bits") from error
    except DBAPIError as error:
        raise _translate(error.orig or error) from error
    except SQLAlchemyError:
        logger.exception("database error")
        raise _hidden_error() from None
    except Exception as error:
        # The hottest statements go to the driver without SQLAlchemy between.
        if type(error).__module__.partition(".")[0] not in {"sqlite3", "psycopg"}:
            raise
        raise _translate(error) from error


def _translate(error: BaseException) -> Exception:
    # Both drivers name their errors as the database API does.
    kinds = {kind.__name__ for kind in type(error).__mro__}
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate in RETRIED_SQLSTATES or "IntegrityError" in kinds:
        # For the latter: a check made before the write was overtaken by another writer; the next try will see it.
        return RetriedError()
    if sqlstate in VALUE_SQLSTATES:
        return InvalidParameter("a value is out of the range that the database can hold")
    if sqlstate == "57014":
        return Unavailable("the database stopped a statement that took too long; try again or ask for less")
    if "OperationalError" in kinds or "InterfaceError" in kinds:
        logger.error("database unavailable: %s", error)
        if sqlstate == "53100" or "disk is full" in str(error) or "disk I/O error" in str(error):
            return Unavailable("the database's disk is full or failing; nothing was written")
        return Unavailable("the database cannot be reached at the moment; try again")
    logger.error("database error", exc_info=error)
    return _hidden_error()


def _hidden_error() -> RunyardError:
    return RunyardError("internal database error; the server's log has the details")


def _without_password(uri: str) -> str:
    head, at, tail = uri.rpartition("@")
    scheme, colon, _ = head.partition("://")
    return f"{scheme}{colon}***{at}{tail}" if at else uri
