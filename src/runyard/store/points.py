"""Metric points in the database: writing them in bulk, and reading series whole or cut to what a chart shows."""

from __future__ import annotations

import itertools
import json
import math
import operator
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.store.dialect import driver_cursor, execute, is_sqlite
from runyard.store.schema import metrics

# run, key, step, timestamp, value, is_nan: a row of `metrics`.
Point = tuple[int, int, int, int, float, bool]

_SQLITE_POINTS: Final = "INSERT OR IGNORE INTO metrics (run, key, step, timestamp, value, is_nan) VALUES (?,?,?,?,?,?)"
_SQLITE_LATEST: Final = (
    "INSERT INTO latest_metrics (run, key, step, timestamp, value, is_nan, literal) VALUES (?,?,?,?,?,?,?) "
    "ON CONFLICT (run, key) DO UPDATE SET step = excluded.step, timestamp = excluded.timestamp, "
    "value = excluded.value, is_nan = excluded.is_nan, literal = excluded.literal "
    "WHERE (excluded.step, excluded.timestamp, excluded.value) > (step, timestamp, value)"
)
# One round trip a statement, however many rows: arrays go over, rows are made there.
_UNNESTED: Final = "SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[], ?::float8[], ?::bool[]"
_POSTGRESQL_POINTS: Final = (
    f"INSERT INTO metrics (run, key, step, timestamp, value, is_nan) {_UNNESTED}) ON CONFLICT DO NOTHING"
)
_POSTGRESQL_LATEST: Final = (
    f"INSERT INTO latest_metrics AS l (run, key, step, timestamp, value, is_nan, literal) {_UNNESTED}, ?::text[]) "
    "ON CONFLICT (run, key) DO UPDATE SET step = excluded.step, timestamp = excluded.timestamp, "
    "value = excluded.value, is_nan = excluded.is_nan, literal = excluded.literal "
    "WHERE (excluded.step, excluded.timestamp, excluded.value) > (l.step, l.timestamp, l.value)"
)


class SeriesPoint(NamedTuple):
    """A point in the order in which histories are told; NaN is value 0 and is_nan."""

    timestamp: int
    step: int
    value: float
    is_nan: bool


def write_points(connection: Connection, points: list[Point]) -> None:
    """Store ``points``, putting them in order, and make the last of each series its latest where it is later.

    A point that is stored already changes nothing, for clients send again after a time-out.
    """
    # A point compares as (run, key, step, timestamp, value): in the order of the tables' keys, and so that the last
    # of a series is its latest.
    points.sort()
    latest = {(point[0], point[1]): point for point in points}
    rows = [(*point, json_literal(point[4], point[5])) for point in latest.values()]
    if is_sqlite(connection):
        cursor = driver_cursor(connection)
        cursor.executemany(_SQLITE_POINTS, points)
        cursor.executemany(_SQLITE_LATEST, rows)
    else:
        execute(connection, _POSTGRESQL_POINTS, _arrays(points))
        arrays = (*_arrays(latest.values()), [row[-1] for row in rows])
        execute(connection, _POSTGRESQL_LATEST, arrays)


def _arrays(points: Iterable[Point]) -> tuple[str, ...]:
    """Return the columns of ``points`` as PostgreSQL writes arrays, which is ten times as quick as the driver does."""
    columns = zip(*points, strict=True)
    return tuple([f"{{{','.join(map(repr, column))}}}" for column in columns])


def json_literal(value: float, is_nan: bool) -> str:
    """Return the value as JSON text: a number that reads back as itself, or a string for what JSON has no number."""
    if is_nan:
        return '"NaN"'
    if math.isinf(value):
        return '"Infinity"' if value > 0 else '"-Infinity"'
    return repr(value)


def read_series(connection: Connection, run: int, key: int) -> list[SeriesPoint]:
    """Return a whole series in the order (timestamp, step, value)."""
    rows = _fetch(connection, _SERIES.where(metrics.c.run == run, metrics.c.key == key).order_by(*_STEP_ORDER))
    # Nearly always in order already, and so quicker here than sorted by the database.
    rows.sort()
    return rows


def read_series_page(
    connection: Connection, run: int, key: int, *, limit: int, after: SeriesPoint | None
) -> list[SeriesPoint]:
    """Return at most ``limit`` points of a series after ``after``, in the order (timestamp, step, value)."""
    series = [metrics.c.run == run, metrics.c.key == key]
    # Points are stored by step, and in nearly every series that is their order in time: sorted already.
    stored = _SERIES.where(*series).order_by(*_STEP_ORDER).limit(limit)
    if after is not None:
        place = (after.step, after.timestamp, after.value, after.is_nan)
        stored = stored.where(sa.tuple_(*_STEP_ORDER) > sa.tuple_(*map(sa.literal, place)))
    rows = _fetch(connection, stored)
    if _is_page_in_time(connection, series, rows, limit, after):
        return rows
    statement = _SERIES.where(*series).order_by(*_TIME_ORDER).limit(limit)
    if after is not None:
        statement = statement.where(sa.tuple_(*_TIME_ORDER) > sa.tuple_(*map(sa.literal, after)))
    return _fetch(connection, statement)


def _is_page_in_time(
    connection: Connection,
    series: Sequence[sa.ColumnElement[bool]],
    rows: Sequence[SeriesPoint],
    limit: int,
    after: SeriesPoint | None,
) -> bool:
    """Return whether the ``rows`` that follow ``after`` by step are those that follow it in time."""
    if not all(map(operator.le, rows, itertools.islice(rows, 1, None))):
        return False
    # Points that come before by step, and after in time; or the other way round.
    strays = []
    if after is not None:
        if rows and tuple(rows[0]) <= tuple(after):
            return False
        strays.append(sa.and_(metrics.c.step < after.step, metrics.c.timestamp > after.timestamp))
    if len(rows) == limit:
        timestamp, step, *_ = rows[-1]
        strays.append(sa.and_(metrics.c.step > step, metrics.c.timestamp < timestamp))
    return not any(connection.execute(sa.select(sa.exists().where(*series, stray))).scalar_one() for stray in strays)


def read_buckets(
    connection: Connection, run: int, key: int, *, start_step: int | None, end_step: int | None, max_points: int
) -> list[SeriesPoint]:
    """Return at most ``max_points`` real points of a series that draw the same picture, in the order (step, timestamp).

    The range of steps is cut into equal buckets; of each, the points with the least and the greatest value, the last
    one, and one NaN where there is one are kept, so that no spike is lost. A series that fits is returned whole.

    Args:
        start_step, end_step: both included; None for the ends of the series.
        max_points: at least 1.
    """
    series = [metrics.c.run == run, metrics.c.key == key]
    if start_step is not None:
        series.append(metrics.c.step >= start_step)
    if end_step is not None:
        series.append(metrics.c.step <= end_step)
    whole = _fetch(connection, _SERIES.where(*series).order_by(*_STEP_ORDER).limit(max_points + 1))
    if len(whole) <= max_points:
        return whole
    backwards = [column.desc() for column in _STEP_ORDER]
    ends = [whole[0], *_fetch(connection, _SERIES.where(*series).order_by(*backwards).limit(1))]
    first, last = map(SeriesPoint._make, ends)
    has_nan = connection.execute(sa.select(sa.exists().where(*series, metrics.c.is_nan))).scalar_one()
    per_bucket = 4 if has_nan else 3
    if max_points < per_bucket:
        return [first, last][-max_points:]
    return _read_cut(connection, run, key, first.step, last.step, max_points // per_bucket, has_nan)


def _fetch(connection: Connection, statement: sa.Select[tuple[int, int, float, bool]]) -> list[SeriesPoint]:
    # Straight from the driver, as plain tuples: an object a point would double the time of a long series.
    cursor: Any = connection.execute(statement).cursor
    rows: list[SeriesPoint] = cursor.fetchall()
    return rows


def _read_cut(
    connection: Connection, run: int, key: int, first_step: int, last_step: int, buckets: int, has_nan: bool
) -> list[SeriesPoint]:
    span = last_step - first_step + 1
    bounds = [first_step + span * i // buckets for i in range(buckets + 1)]
    ranges = [(start, end) for start, end in itertools.pairwise(bounds) if start < end]
    parameters = {"run": run, "key": key, "ranges": json.dumps(ranges)}
    condition = "AND NOT is_nan" if has_nan else ""
    is_lite = is_sqlite(connection)
    buckets_of, extremes = (_lite if is_lite else _postgresql)(condition)
    picks = [_LAST, *extremes, *([_SOME_NAN] if has_nan else [])]
    statement = f"WITH {buckets_of} SELECT {', '.join(picks)} FROM b"
    places = {
        tuple(map(int, place.split(",")))
        for row in connection.execute(sa.text(statement), parameters)
        for place in row
        if place is not None
    }
    parameters["places"] = json.dumps(sorted(places))
    rows = connection.execute(sa.text(_LITE_PLACES if is_lite else _POSTGRESQL_PLACES), parameters)
    return list(map(SeriesPoint._make, rows))


_SERIES: Final = sa.select(metrics.c.timestamp, metrics.c.step, metrics.c.value, metrics.c.is_nan)
_STEP_ORDER: Final = (metrics.c.step, metrics.c.timestamp, metrics.c.value, metrics.c.is_nan)
_TIME_ORDER: Final = (metrics.c.timestamp, metrics.c.step, metrics.c.value, metrics.c.is_nan)


def _lite(condition: str) -> tuple[str, tuple[str, str]]:
    """Return the table of buckets, and the picks of the least and the greatest value of each."""
    buckets = (
        "b AS MATERIALIZED (SELECT json_extract(value, '$[0]') AS s, json_extract(value, '$[1]') AS e "
        "FROM json_each(:ranges))"
    )
    # SQLite gives the columns beside min() and max() from the row that has it: one pass each, no sorting.
    low, high = (
        f"(SELECT {_PLACE} FROM (SELECT {extreme}(value), step, timestamp {_IN_BUCKET} {condition}))"
        for extreme in ("min", "max")
    )
    return buckets, (low, high)


def _postgresql(condition: str) -> tuple[str, tuple[str, str]]:
    """Do the same for PostgreSQL: one pass for both values, then up to the first point that has each."""
    buckets = (
        "r AS MATERIALIZED (SELECT (value->>0)::bigint AS s, (value->>1)::bigint AS e "
        "FROM json_array_elements(CAST(:ranges AS json))), "
        "b AS MATERIALIZED (SELECT b.s, b.e, extremes.* FROM r AS b CROSS JOIN LATERAL "
        f"(SELECT min(value) AS low, max(value) AS high {_IN_BUCKET} {condition}) AS extremes)"
    )
    low, high = (
        f"(SELECT {_PLACE} {_IN_BUCKET} {condition} AND value = b.{extreme} LIMIT 1)" for extreme in ("low", "high")
    )
    return buckets, (low, high)


# A bucket is a range of the table's key, read in its order; to group by a computed bucket would sort the whole series.
# Each pick names its point as 'step,timestamp', which is exact, where a value as text might not be.
_IN_BUCKET: Final = "FROM metrics WHERE run = :run AND key = :key AND step >= b.s AND step < b.e"
_PLACE: Final = "step || ',' || timestamp"
_LAST: Final = f"(SELECT {_PLACE} {_IN_BUCKET} ORDER BY step DESC, timestamp DESC LIMIT 1)"
_SOME_NAN: Final = f"(SELECT {_PLACE} {_IN_BUCKET} AND is_nan LIMIT 1)"
_PICKED: Final = (
    "SELECT timestamp, step, value, is_nan FROM metrics WHERE run = :run AND key = :key AND (step, timestamp) IN"
)
_IN_ORDER: Final = "ORDER BY step, timestamp, value, is_nan"
_LITE_PLACES: Final = (
    f"{_PICKED} (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(:places)) {_IN_ORDER}"
)
_POSTGRESQL_PLACES: Final = (
    f"{_PICKED} (SELECT (value->>0)::bigint, (value->>1)::bigint FROM json_array_elements(CAST(:places AS json))) "
    f"{_IN_ORDER}"
)
