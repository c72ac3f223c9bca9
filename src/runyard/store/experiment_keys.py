"""Which names were logged to the runs of each experiment: recorded with the first value, remembered by the writer."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Final

from sqlalchemy.engine import Connection

from runyard.store.dialect import array_literal, execute, is_sqlite

_MAX_REMEMBERED: Final = 200_000
_NONE: Final[frozenset[str]] = frozenset()
_SQLITE: Final = (
    "INSERT OR IGNORE INTO experiment_keys (experiment_id, kind, key) "
    "SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?)"
)
_POSTGRESQL: Final = (
    "INSERT INTO experiment_keys (experiment_id, kind, key) "
    "SELECT * FROM unnest(?::bigint[], ?::smallint[], ?::bigint[]) ON CONFLICT DO NOTHING"
)

# Experiment, kind (METRIC_KEY, PARAM_KEY or TAG_KEY) and name.
NamedKey = tuple[int, int, str]
# The names that a group of writes logs, by experiment and kind.
NamesByKind = defaultdict[tuple[int, int], set[str]]


class RecordedKeys:
    """The names that this process knows to be recorded, of committed transactions only; for one thread.

    A row is never deleted while its experiment is there, and ids of experiments are not used again: what is remembered
    stays true.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[int, int], set[str]] = {}
        self._count = 0

    def unknown(self, logged: NamesByKind) -> list[NamedKey]:
        """Return what is not known to be recorded."""
        return [
            (experiment_id, kind, name)
            for (experiment_id, kind), names in logged.items()
            for name in names - self._names.get((experiment_id, kind), _NONE)
        ]

    def remember(self, keys: Iterable[NamedKey]) -> None:
        """Remember ``keys``, after the commit that recorded them."""
        for experiment_id, kind, name in keys:
            if self._count >= _MAX_REMEMBERED:
                self._names, self._count = {}, 0
            self._names.setdefault((experiment_id, kind), set()).add(name)
            self._count += 1


def record(connection: Connection, keys: Iterable[NamedKey], key_ids: Mapping[str, int]) -> None:
    """Record ``keys``; those that are recorded already stay.

    Sorted, and the last statement of a transaction: two that record the same names wait for each other in one order.
    """
    rows = sorted((experiment_id, kind, key_ids[name]) for experiment_id, kind, name in keys)
    if is_sqlite(connection):
        execute(connection, _SQLITE, (json.dumps(rows),))
    else:
        execute(connection, _POSTGRESQL, [array_literal(column) for column in zip(*rows, strict=True)])
