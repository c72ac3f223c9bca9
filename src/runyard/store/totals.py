"""How much was ever created, by a statement that takes the same time however much there is."""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.store.dialect import is_sqlite

_SQLITE = sa.text(
    "SELECT coalesce(max(CASE name WHEN 'experiments' THEN seq END), 0),"
    " coalesce(max(CASE name WHEN 'runs' THEN seq END), 0) FROM sqlite_sequence"
)
_POSTGRESQL = sa.text(
    "SELECT coalesce(pg_sequence_last_value(pg_get_serial_sequence('experiments', 'id')), 0),"
    " coalesce(pg_sequence_last_value(pg_get_serial_sequence('runs', 'id')), 0)"
)


class Totals(NamedTuple):
    experiments: int
    runs: int


def count_created(connection: Connection) -> Totals:
    """Return how many experiments and runs were created in this database until now.

    They are the last numbers that the database gave out, and so they never fall, whatever is deleted. PostgreSQL also
    counts numbers that it gave to a transaction that failed, and up to 32 that it skips when it recovers from a crash.
    """
    experiments, runs = connection.execute(_SQLITE if is_sqlite(connection) else _POSTGRESQL).one()
    # The default experiment has number 0, before those that are given out.
    return Totals(experiments + 1, runs)
