"""How the database is reached: connections, transactions, and what each of the two databases needs.

A ``Database`` is safe to share between threads. `read` and `write` hand a connection to a function and own the
transaction around it; on SQLite writers queue here, in the process and between processes, instead of failing there.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import random
import re
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import IO, Any, Concatenate, Final, NamedTuple, ParamSpec, TypeVar

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError, TimeoutError as PoolTimeoutError

from runyard.errors import ConfigurationError, InvalidParameter, RunyardError, Unavailable, Unreachable
from runyard.store.schema import commits

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
# PostgreSQL: a connection that is over, a server that stops or starts, one with no connection left, and one that was
# the primary before a failover.
UNREACHABLE_SQLSTATES: Final = frozenset({"57P01", "57P02", "57P03", "57P05", "53300", "25006"})
# How soon a lost server is noticed where nothing tells of it: seconds until a connection is given up.
CONNECT_TIMEOUT_S: Final = 5
KEEPALIVE: Final = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
}
_SEVERAL_HOSTS: Final = re.compile(
    r"(?P<before>postgres(?:ql)?(?:\+psycopg)?://(?:[^/?]*@)?)(?P<hosts>[^@/?]*,[^@/?]*)/(?P<name>[^?]*)(?:\?(?P<options>.*))?"
)
# How long a replica is left alone that did not answer.
REPLICA_PAUSE_S: Final = 5.0
FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 0.5
# How long it can be told whether a transaction was committed, beyond four times the longest outage; how many
# transactions there are to a removal of what is older.
MARKS_KEPT_S: Final = 600.0
MARKS_PER_CLEANING: Final = 1000
# PostgreSQL: numbers out of range, text it cannot hold. The caller's value, not our fault.
VALUE_SQLSTATES: Final = frozenset({"22003", "22021", "22P05", "22P02", "54000"})


class Mark(NamedTuple):
    """A transaction of PostgreSQL, and the row of `commits` that is there if it was committed."""

    transaction_id: str
    time_ms: int
    number: int


class Database:
    """A database by its URI, with a pool of connections.

    Args:
        is_read_only: leave a SQLite file as it is, down to its journal's mode.
        statement_timeout_s, lock_timeout_s: when PostgreSQL gives a statement, or its wait for a lock, up; 0 for never.
        ssl_mode, ssl_root_cert: as libpq's sslmode and sslrootcert; what the URI says of them counts before.
        password: that of PostgreSQL, where the URI has none.
        password_file: where it is read from each time a connection is made, so that it may change.
        replica_uri: a copy of the database that may lag behind, for `search`.
        outage_s: how long reads and writes wait for a PostgreSQL that does not answer, counted from when it stopped.
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
        outage_s: float = 0,
        statement_timeout_s: int = 0,
        lock_timeout_s: int = 0,
        ssl_mode: str | None = None,
        ssl_root_cert: str | None = None,
        password: str | None = None,
        password_file: str | None = None,
        replica_uri: str | None = None,
    ) -> None:
        self.outage = Outage(outage_s)
        self._marks = itertools.count(1)
        self._replica: Database | None = None
        self._replica_failed_at = float("-inf")
        try:
            url = make_url(_several_hosts_as_options(uri))
        except (ArgumentError, ValueError):
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
            if "password" in url.query:
                raise ConfigurationError(
                    "the database's URI holds its password as an option, where logs would show it; write it as "
                    "postgresql://USER:PASSWORD@HOST/NAME, or set RUNYARD_DB_PASSWORD or RUNYARD_DB_PASSWORD_FILE"
                )
            added = {"sslmode": ssl_mode, "sslrootcert": ssl_root_cert}
            url = url.update_query_dict(
                {name: value for name, value in added.items() if value is not None and name not in url.query}
            )
            self.engine = sa.create_engine(
                url.set(drivername="postgresql+psycopg"),
                # Prepared statements belong to a server connection, which PgBouncer hands to others between
                # transactions. Measured, they save a tenth of a millisecond a write and cost as much of our own time.
                connect_args={
                    "prepare_threshold": None,
                    "application_name": "runyard",
                    "connect_timeout": CONNECT_TIMEOUT_S,
                    **KEEPALIVE,
                },
                pool_size=pool_size,
                max_overflow=max_overflow,
                pool_recycle=pool_recycle_s,
                pool_pre_ping=pool_pre_ping,
            )
            _prepare_postgresql(self.engine, statement_timeout_s, lock_timeout_s)
            if password is not None or password_file is not None:
                _give_password(self.engine, password, password_file)
            if replica_uri is not None:
                self._replica = Database(
                    replica_uri,
                    pool_size=pool_size,
                    max_overflow=max_overflow,
                    pool_recycle_s=pool_recycle_s,
                    pool_pre_ping=pool_pre_ping,
                    statement_timeout_s=statement_timeout_s,
                    lock_timeout_s=lock_timeout_s,
                    ssl_mode=ssl_mode,
                    ssl_root_cert=ssl_root_cert,
                    password=password,
                    password_file=password_file,
                )

    def read(self, function: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``function`` returns for a connection that sees one moment of the database.

        ``function`` is run again where the connection is lost.
        """
        for attempt in itertools.count():
            try:
                with translated_errors(), self.engine.connect() as connection:
                    if not self.is_sqlite:
                        connection = connection.execution_options(
                            isolation_level="REPEATABLE READ", postgresql_readonly=True
                        )
                    with connection.begin():
                        result = function(connection, *args, **kwargs)
            except Unreachable as error:
                self.outage.wait(error, attempt)
            else:
                self.outage.end()
                return result
        raise AssertionError("unreachable")

    def search(self, function: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `read` would, perhaps as it was a moment ago: from the replica, where there is one that works."""
        if self._replica is not None and time.monotonic() - self._replica_failed_at > REPLICA_PAUSE_S:
            try:
                return self._replica.read(function, *args, **kwargs)
            except Unreachable:
                self._replica_failed_at = time.monotonic()
                logger.warning("the read replica does not answer; searches go to the primary for now")
            except RetriedError:
                # What it has to replay was in the way of the search.
                logger.info("the read replica gave up a search; the primary is asked")
        return self.read(function, *args, **kwargs)

    def write(self, function: Callable[Concatenate[Connection, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what ``function`` returns, after the commit of all it wrote.

        ``function`` is run again where the database undid it, for another's sake or because the connection was lost,
        so it may have no effect but on the connection. An error it raises undoes all of it.
        """
        conflicts = 0
        for attempt in itertools.count():
            mark: Mark | None = None
            try:
                with translated_errors(), self.transaction() as connection:
                    result = function(connection, *args, **kwargs)
                    mark = self.mark(connection)
            except RetriedError as error:
                conflicts += 1
                if conflicts == ATTEMPTS:
                    raise Unavailable("the database is busy with conflicting writes; try again") from error
                # Two transactions that undid each other must not meet again.
                time.sleep(random.uniform(0, 0.01 * 2**conflicts))
            except Unreachable as error:
                self.outage.wait(error, attempt)
                if mark is not None and self.was_committed(mark):
                    return result
            else:
                self.outage.end()
                return result
        raise AssertionError("unreachable")

    def mark(self, connection: Connection) -> Mark | None:
        """Leave in the transaction what `was_committed` knows it by; None on SQLite, and where nothing was written."""
        if self.is_sqlite:
            return None
        time_ms = int(time.time() * 1000)
        number = random.getrandbits(63)
        transaction_id = connection.execute(_MARK, {"time": time_ms, "number": number}).scalar()
        if transaction_id is None:
            return None
        if next(self._marks) % MARKS_PER_CLEANING == 0:
            oldest = time_ms - int((MARKS_KEPT_S + 4 * self.outage.longest_s) * 1000)
            connection.execute(sa.delete(commits).where(commits.c.time < oldest))
        return Mark(transaction_id, time_ms, number)

    def was_committed(self, mark: Mark) -> bool:
        """Return whether a transaction is there whose commit got no answer, for the connection was lost.

        Raises:
            Unavailable: that cannot be found out now.
        """
        deadline = time.monotonic() + self.outage.longest_s
        try:
            while self.read(_is_in_progress, mark):
                # Its session has not noticed yet that nobody listens.
                if time.monotonic() > deadline:
                    break
                time.sleep(LONGEST_PAUSE_S)
            else:
                return self.read(_is_there, mark)
        except Unreachable:
            pass
        raise Unavailable(
            "the connection to the database was lost while the write was committed; whether it is there is not known: "
            "look before it is sent again"
        )

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

    def connections(self) -> tuple[int, int]:
        """Return how many connections are in use, and how many wait in the pool for their next."""
        pool = self.engine.pool
        assert isinstance(pool, sa.QueuePool)
        return pool.checkedout(), pool.checkedin()

    def close(self) -> None:
        self.engine.dispose()
        if self._replica is not None:
            self._replica.close()
        if self._turns is not None:
            self._turns.close()


class RetriedError(Exception):
    """The database undid the transaction so that another could go on."""


class Outage:
    """How long the database has not answered; shared by all who wait for it.

    Counted from its beginning, so that those who come late do not wait as long again, and requests do not pile up.
    """

    def __init__(self, longest_s: float) -> None:
        self.longest_s = longest_s
        self._since: float | None = None

    def wait(self, error: Unreachable, attempt: int) -> None:
        """Sleep before another try; raise ``error`` where there were tries for long enough."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
            if self.longest_s:
                logger.warning("the database does not answer; waiting for it, at most %g s", self.longest_s)
        if now - self._since >= self.longest_s:
            raise error
        time.sleep(min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(attempt, 8)) * random.uniform(0.5, 1))

    def end(self) -> None:
        """Note that the database answered."""
        since = self._since
        if since is not None:
            self._since = None
            logger.warning("the database answers again, after %.1f s", time.monotonic() - since)


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


def _prepare_postgresql(engine: Engine, statement_timeout_s: int, lock_timeout_s: int) -> None:
    settings = {
        # To compile a statement costs more than these statements take. And what they read is in memory: for the price
        # of a seek on a disk that turns, the planner would rather read whole tables (measured: twice the time).
        "jit": "off",
        "random_page_cost": "1.1",
        "statement_timeout": f"'{statement_timeout_s}s'",
        "lock_timeout": f"'{lock_timeout_s}s'",
        # A process of ours that is gone, or cut off in the middle, does not keep its locks.
        "idle_in_transaction_session_timeout": "'60s'",
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
    }
    statements = "; ".join(f"SET {name} = {value}" for name, value in settings.items())

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: object) -> None:
        connection.autocommit = True
        connection.execute(statements)
        connection.autocommit = False


def _give_password(engine: Engine, password: str | None, path: str | None) -> None:
    @event.listens_for(engine, "do_connect")
    def connect(_dialect: object, _record: object, _arguments: object, parameters: dict[str, Any]) -> None:
        # One that the URI holds counts before.
        if parameters.get("password"):
            return
        if path is None:
            parameters["password"] = password
            return
        try:
            with open(path, encoding="utf-8") as file:
                # Editors and `kubectl create secret` end a file with a newline.
                parameters["password"] = file.read().rstrip("\r\n")
        except OSError as error:
            raise ConfigurationError(f"the password file {path!r} cannot be read: {error.strerror}") from None


# Nothing for a transaction that wrote nothing, and would begin to write with this.
_MARK: Final = sa.text(
    "INSERT INTO commits (time, number) SELECT :time, :number WHERE pg_current_xact_id_if_assigned() IS NOT NULL "
    "RETURNING pg_current_xact_id()::text"
)


def _is_in_progress(connection: Connection, mark: Mark) -> bool:
    # After a crash the number of a transaction that was lost with it may not have been given out yet.
    statement = sa.text(
        "SELECT CASE WHEN cast(:id AS xid8) < pg_snapshot_xmax(pg_current_snapshot()) "
        "THEN pg_xact_status(cast(:id AS xid8)) END"
    )
    return bool(connection.execute(statement, {"id": mark.transaction_id}).scalar() == "in progress")


def _is_there(connection: Connection, mark: Mark) -> bool:
    # PostgreSQL's own word for it is not enough: after a crash it gives the numbers of transactions again of which
    # nothing had reached the disk, and "committed" may be another's.
    statement = sa.select(1).where(commits.c.time == mark.time_ms, commits.c.number == mark.number)
    return connection.execute(statement).first() is not None


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
    if sqlstate in RETRIED_SQLSTATES or kinds & {"IntegrityError", "PipelineAborted"}:
        # For the second: a check made before the write was overtaken by another writer; the next try will see it.
        return RetriedError()
    if sqlstate in VALUE_SQLSTATES:
        return InvalidParameter("a value is out of the range that the database can hold")
    if sqlstate in UNREACHABLE_SQLSTATES:
        logger.info("database unavailable: %s", error)
        return Unreachable("the database cannot be reached at the moment; try again")
    if sqlstate == "55P03":
        return Unavailable("the database waited too long for another write to end; try again")
    if sqlstate == "57014":
        return Unavailable("the database stopped a statement that took too long; try again or ask for less")
    if "OperationalError" in kinds or "InterfaceError" in kinds:
        if sqlstate == "53100" or "disk is full" in str(error) or "disk I/O error" in str(error):
            logger.error("database unavailable: %s", error)
            return Unavailable("the database's disk is full or failing; nothing was written")
        logger.info("database unavailable: %s", error)
        kind = Unavailable if type(error).__module__.startswith("sqlite3") else Unreachable
        return kind("the database cannot be reached at the moment; try again")
    logger.error("database error", exc_info=error)
    return _hidden_error()


def _hidden_error() -> RunyardError:
    return RunyardError("internal database error; the server's log has the details")


def _several_hosts_as_options(uri: str) -> str:
    """Return a URI of several hosts, as libpq writes it, in the form that SQLAlchemy reads."""
    found = _SEVERAL_HOSTS.fullmatch(uri)
    if found is None:
        return uri
    hosts = "&".join(f"host={host}" for host in found["hosts"].split(","))
    return f"{found['before']}/{found['name']}?{hosts}" + (f"&{found['options']}" if found["options"] else "")


def _without_password(uri: str) -> str:
    head, at, tail = uri.rpartition("@")
    scheme, colon, _ = head.partition("://")
    return f"{scheme}{colon}***{at}{tail}" if at else uri
