"""Runs as JSON of wire.runs.Run, put together by the database and remembered until they are written to again.

For a page of 1,000 runs with 45 values each the database needs half the time of fetching 45,000 rows, and other threads
can work meanwhile. Most runs are over when they are looked at, and are looked at again and again.
"""

from __future__ import annotations

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy.engine import Connection

from runyard.store.dialect import array_literal, execute, is_sqlite
from runyard.store.run_inputs import inputs_and_outputs
from runyard.wire.base import Tag
from runyard.wire.runs import RunInfo

INFO_COLUMNS: Final = (
    "id, run_id, experiment_id, run_name, user_id, status, start_time, end_time, lifecycle_stage, artifact_uri, "
    "revision"
)
CACHE_BYTES: Final = 32 * 1024 * 1024
# What an entry takes beside its values.
_ENTRY_BYTES: Final = 250
_encode = msgspec.json.Encoder().encode

# A key holds no character that JSON escapes (see wire.names.check_key), and `literal` is JSON already.
_POSTGRESQL_METRIC: Final = (
    """'{"key":"' || k.name || '","value":' || v.literal || ',"timestamp":' || v.timestamp || ',"step":' || v.step """
    "|| '}'"
)
# Here SQLite's own function is quicker than a concatenation, and there PostgreSQL's slower.
_SQLITE_METRIC: Final = "json_object('key', k.name, 'value', json(v.literal), 'timestamp', v.timestamp, 'step', v.step)"
_SQLITE_PAIR: Final = "json_object('key', k.name, 'value', v.value)"
_POSTGRESQL_PAIR: Final = """'{"key":"' || k.name || '","value":' || to_json(v.value) || '}'"""
# All values of all runs in one pass, whatever the database knows of the tables: runs by their key, names by theirs.
_SQLITE_VALUES: Final = (
    "SELECT v.run, group_concat({member}) FROM {table} v CROSS JOIN keys k ON k.id = v.key "
    "WHERE v.run IN (SELECT value FROM json_each(?)) GROUP BY v.run"
)
_POSTGRESQL_VALUES: Final = (
    "SELECT v.run, string_agg({member}, ',') FROM {table} v JOIN keys k ON k.id = v.key "
    "WHERE v.run = ANY(?::bigint[]) GROUP BY v.run"
)


class _Statements(NamedTuple):
    info: str
    metrics: str
    params: str
    tags: str


_SQLITE: Final = _Statements(
    f"SELECT {INFO_COLUMNS} FROM runs WHERE id IN (SELECT value FROM json_each(?))",
    _SQLITE_VALUES.format(member=_SQLITE_METRIC, table="latest_metrics"),
    _SQLITE_VALUES.format(member=_SQLITE_PAIR, table="params"),
    _SQLITE_VALUES.format(member=_SQLITE_PAIR, table="run_tags"),
)
_POSTGRESQL: Final = _Statements(
    f"SELECT {INFO_COLUMNS} FROM runs WHERE id = ANY(?::bigint[])",
    _POSTGRESQL_VALUES.format(member=_POSTGRESQL_METRIC, table="latest_metrics"),
    _POSTGRESQL_VALUES.format(member=_POSTGRESQL_PAIR, table="params"),
    _POSTGRESQL_VALUES.format(member=_POSTGRESQL_PAIR, table="run_tags"),
)


class RunCache:
    """What is logged to runs, as it was last read, by the revision that it had then.

    A run's revision is replaced in the transaction of each write to it, and read in that of the values: one that is
    found again stands for the same values, whichever process wrote or read them.

    Args:
        max_bytes: what is used least recently is forgotten beyond it.
    """

    def __init__(self, max_bytes: int = CACHE_BYTES) -> None:
        self._max_bytes = max_bytes
        self._size_bytes = 0
        self._values: OrderedDict[str, tuple[int, bytes]] = OrderedDict()
        self._mutex = threading.Lock()

    def find(self, infos: Iterable[StoredRun]) -> dict[int, bytes]:
        """Return the values that are remembered, by row id."""
        found = {}
        with self._mutex:
            for row in infos:
                remembered = self._values.get(row.run_id)
                if remembered is not None and remembered[0] == row.revision:
                    self._values.move_to_end(row.run_id)
                    found[row.id] = remembered[1]
        return found

    def remember(self, row: StoredRun, values: bytes) -> None:
        with self._mutex:
            self._forget(row.run_id)
            self._values[row.run_id] = (row.revision, values)
            self._size_bytes += len(values) + _ENTRY_BYTES
            while self._size_bytes > self._max_bytes:
                self._forget(next(iter(self._values)))

    def _forget(self, run_id: str) -> None:
        forgotten = self._values.pop(run_id, None)
        if forgotten is not None:
            self._size_bytes -= len(forgotten[1]) + _ENTRY_BYTES


class StoredRun(NamedTuple):
    """A row of `INFO_COLUMNS`."""

    id: int
    run_id: str
    experiment_id: int
    run_name: str
    user_id: str
    status: str
    start_time: int
    end_time: int | None
    lifecycle_stage: str
    artifact_uri: str
    revision: int

    def info(self) -> RunInfo:
        return RunInfo(
            self.run_id,
            self.run_id,
            self.run_name,
            str(self.experiment_id),
            self.user_id,
            self.status,
            self.start_time,
            self.artifact_uri,
            self.lifecycle_stage,
            self.end_time,
        )


def read_runs(connection: Connection, cache: RunCache, row_ids: Sequence[int]) -> list[bytes]:
    """Return the runs with these row ids, in their order; one that is not there is left out."""
    if not row_ids:
        return []
    rows = [StoredRun._make(row) for row in _fetch(connection, _statements(connection).info, row_ids)]
    values = cache.find(rows)
    new = [row for row in rows if row.id not in values]
    for row, read in zip(new, _read_values(connection, [row.id for row in new]), strict=True):
        cache.remember(row, read)
        values[row.id] = read
    infos = {row.id: _encode(row.info()) for row in rows}
    return [b'{"info":%b,%b}' % (infos[row_id], values[row_id]) for row_id in row_ids if row_id in infos]


def _read_values(connection: Connection, row_ids: Sequence[int]) -> list[bytes]:
    if not row_ids:
        return []
    statements = _statements(connection)
    metrics, params, tags = (
        dict(_fetch(connection, statement, row_ids))
        for statement in (statements.metrics, statements.params, statements.tags)
    )
    inputs = inputs_and_outputs(connection, row_ids)
    return [
        _values(metrics.get(row_id), params.get(row_id), tags.get(row_id), inputs.get(row_id)) for row_id in row_ids
    ]


def _fetch(connection: Connection, statement: str, row_ids: Sequence[int]) -> list[tuple[Any, ...]]:
    # Straight from the driver, as plain tuples: there may be 50,000.
    ids = json.dumps(row_ids) if is_sqlite(connection) else array_literal(row_ids)
    rows: list[tuple[Any, ...]] = execute(connection, statement, (ids,)).fetchall()
    return rows


def _statements(connection: Connection) -> _Statements:
    return _SQLITE if is_sqlite(connection) else _POSTGRESQL


def new_run(info: RunInfo, tags: Mapping[str, str]) -> bytes:
    """Return a run that has nothing yet but tags."""
    members = b",".join(_encode(Tag(key, value)) for key, value in sorted(tags.items()))
    return b'{"info":%b,%b}' % (_encode(info), _values(None, None, members.decode(), None))


def _values(metrics: str | None, params: str | None, tags: str | None, inputs: bytes | None) -> bytes:
    lists = (("metrics", metrics), ("params", params), ("tags", tags))
    data = ",".join(f'"{name}":[{members}]' for name, members in lists if members is not None)
    return b'"data":{%b},%b' % (data.encode(), inputs or b'"inputs":{}')
