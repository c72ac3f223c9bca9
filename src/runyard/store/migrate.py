"""Bringing a database's schema to what this version works with.

Ten servers may start at once: the first takes a lock and migrates, the others find it done.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.errors import SchemaMismatch
from runyard.store.dialect import is_sqlite
from runyard.store.engine import Database

logger = logging.getLogger(__name__)

# The newest revision in migrations/versions; known here so that a server whose database is current need not load
# Alembic to find out. A test compares the two.
HEAD: Final = "0004"
VERSION_TABLE: Final = "runyard_schema"
# Any number that no other program of ours takes; "runyard" in ASCII, shortened.
_POSTGRESQL_LOCK: Final = 0x72756E79617264


@dataclass(frozen=True)
class Status:
    """What schema a database has; ``current`` is None where it has none of ours."""

    current: str | None
    head: str

    @property
    def is_current(self) -> bool:
        return self.current == self.head


def status(database: Database) -> Status:
    """Return the schema's revision.

    Raises:
        SchemaMismatch: the tables are another program's.
    """
    return Status(database.read(_current_revision), HEAD)


def check(database: Database) -> None:
    """Raise SchemaMismatch unless the schema is this version's."""
    found = status(database)
    if found.current is None:
        raise SchemaMismatch(f"the database {database.uri} is empty; run: runyard db upgrade {database.uri}")
    if not found.is_current and not _is_next(found.current):
        _raise_if_newer(found.current, database.uri)
        raise SchemaMismatch(
            f"the database {database.uri} has schema {found.current}, this version needs {HEAD}; "
            f"back it up, then run: runyard db upgrade {database.uri}"
        )


def upgrade(database: Database) -> list[str]:
    """Migrate to this version's schema; return the revisions that were applied, oldest first.

    Raises:
        SchemaMismatch: the database is newer than this version, or another program's.
    """
    found = status(database)
    if found.current is not None and _is_next(found.current):
        logger.warning(
            "the database has schema %s, the next version's; this version (%s) works on it until it is replaced",
            found.current,
            HEAD,
        )
        return []
    if found.is_current:
        return []
    with database.transaction() as connection, _lock(connection):
        if not database.is_sqlite:
            # A migration takes as long as it takes.
            connection.execute(sa.text("SET LOCAL statement_timeout = 0"))
        current = _current_revision(connection)
        if current == HEAD or (current is not None and _is_next(current)):
            return []
        if current is not None:
            _raise_if_newer(current, database.uri)
        return _run(connection)


def _run(connection: Connection) -> list[str]:
    # Alembic takes longer to import than all the rest of a start.
    from alembic.config import Config
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", "runyard.store:migrations")
    scripts = ScriptDirectory.from_config(config)
    applied: list[str] = []

    def steps(revision: Any, _context: object) -> list[Any]:
        found: list[Any] = list(scripts._upgrade_revs("head", revision))  # noqa: SLF001 - as Alembic's own command does
        applied.extend(step.revision.revision for step in found)
        return found

    with EnvironmentContext(config, scripts, fn=steps) as environment:
        environment.configure(connection=connection, version_table=VERSION_TABLE)
        environment.run_migrations()
    return applied


def _current_revision(connection: Connection) -> str | None:
    tables = set(sa.inspect(connection).get_table_names())
    if VERSION_TABLE not in tables:
        if "alembic_version" in tables or "experiments" in tables:
            raise SchemaMismatch(
                "the database holds the tables of another program (upstream MLflow's, perhaps); "
                "runyard keeps its own schema: name an empty database"
            )
        return None
    revision = connection.execute(sa.text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()
    return None if revision is None else str(revision)


def _is_next(current: str) -> bool:
    # A revision only adds; what it makes needless goes with the next but one, when nobody runs who needs it.
    return current.isdigit() and int(current) == int(HEAD) + 1


def _raise_if_newer(current: str, uri: str) -> None:
    if current > HEAD:
        raise SchemaMismatch(
            f"the database {uri} has schema {current}, which is newer than this version's {HEAD}; "
            "upgrade runyard, or restore the backup made before the database was upgraded"
        )


@contextlib.contextmanager
def _lock(connection: Connection) -> Iterator[None]:
    # SQLite's transaction is the lock. PostgreSQL's is let go with the transaction.
    if not is_sqlite(connection):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_POSTGRESQL_LOCK)))
    yield
