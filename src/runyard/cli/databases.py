"""What a command makes sure of before it opens a database."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runyard.errors import ConfigurationError, Unavailable

if TYPE_CHECKING:
    from runyard.settings import Settings
    from runyard.store.engine import Database

# Source: https://www.sqlite.org/fileformat.html, section 1.3.
_SQLITE_MAGIC: Final = b"SQLite format 3\0"


@contextlib.contextmanager
def opened_database(settings: Settings, *, is_read_only: bool = False) -> Iterator[Database]:
    """Give the settings' database, to which nothing is connected yet.

    Raises:
        ConfigurationError: the URI names none, its file is no database, or it does not answer.
    """
    from runyard.server.opening import open_database

    # Somebody is waiting at a terminal: what is away is told at once.
    now = dataclasses.replace(settings, read_only=is_read_only, outage_s=0, read_replica_uri=None)
    with contextlib.closing(open_database(now)) as database:
        path = sqlite_path(database)
        if path is not None and path.exists():
            _check_is_sqlite(path)
        try:
            yield database
        except Unavailable as error:
            raise ConfigurationError(error.message) from error


def sqlite_path(database: Database) -> Path | None:
    """Return the file of a SQLite database; None for another."""
    path = database.engine.url.database
    return Path(path) if database.is_sqlite and path else None


def _check_is_sqlite(path: Path) -> None:
    try:
        with path.open("rb") as file:
            start = file.read(len(_SQLITE_MAGIC))
    except OSError as error:
        raise ConfigurationError(f"cannot read the database {str(path)!r}: {error.strerror}") from error
    # An empty file is an empty database.
    if start and start != _SQLITE_MAGIC:
        raise ConfigurationError(f"the file {str(path)!r} is not a SQLite database")
