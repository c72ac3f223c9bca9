"""The interned names of metrics, params and run tags.

A row of ``keys`` never changes, so what a process remembers is never stale; what it remembers is bounded.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.store.dialect import insert_or_ignore
from runyard.store.engine import Database
from runyard.store.schema import keys
from runyard.wire.names import check_key

_MAX_REMEMBERED: Final = 200_000
_NAMES_PER_STATEMENT: Final = 500


class KeyNames:
    """Names to their numbers; thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._ids: dict[str, int] = {}
        self._lock = threading.Lock()

    def check(self, field: str, name: str) -> None:
        """Raise InvalidParameter unless ``name`` is a valid key; quick for a name that was seen before."""
        if name not in self._ids:
            check_key(field, name)

    def intern(self, names: Collection[str]) -> Mapping[str, int]:
        """Return a mapping with the number of each name; new names get theirs in a transaction of its own."""
        known = self._ids
        unknown = [name for name in names if name not in known]
        if not unknown:
            return known
        found = self._database.write(_intern, sorted(unknown))
        with self._lock:
            base = self._ids if len(self._ids) + len(found) <= _MAX_REMEMBERED else {}
            # A new dictionary: those who hold the old one go on reading it.
            self._ids = {**base, **found}
        return {**known, **found}


def _intern(connection: Connection, names: Collection[str]) -> dict[str, int]:
    ordered = list(names)
    found: dict[str, int] = {}
    for start in range(0, len(ordered), _NAMES_PER_STATEMENT):
        part = ordered[start : start + _NAMES_PER_STATEMENT]
        # Sorted, so that two processes that intern the same names wait for each other in one order.
        connection.execute(insert_or_ignore(connection, keys), [{"name": name} for name in part])
        rows = connection.execute(sa.select(keys.c.name, keys.c.id).where(keys.c.name.in_(part)))
        found.update({row.name: row.id for row in rows})
    return found
