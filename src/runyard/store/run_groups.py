"""Groups of runs that have the same values, and aggregates of their metrics."""

from __future__ import annotations

import heapq
import itertools
import math
from array import array
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.search.tokens import check_text
from runyard.search.vocabularies import Family, Field
from runyard.store.dialect import fetch
from runyard.store.run_columns import TEXT_ATTRIBUTES, VALUE_TABLES, parse_column, text_attribute
from runyard.store.run_tables import run_search
from runyard.store.schema import latest_metrics, runs
from runyard.wire.base import JsonFloat, json_float
from runyard.wire.run_tables import MAX_GROUPS, GroupRuns, MetricAggregate, RunGroups

_FAMILIES: Final = (Family.PARAM, Family.TAG, Family.ATTRIBUTE)
# A join a value is quicker than a query a value, but SQLite joins no more than 64 tables.
_MAX_JOINED: Final = 50
_ROWS_AT_ONCE: Final = 10_000


def group_runs(connection: Connection, request: GroupRuns) -> RunGroups:
    """Return the groups of the runs that a search finds, the largest first.

    The sums are made here: neither database's own are good for all numbers (SQLite has no deviation, PostgreSQL refuses
    a sum beyond a double).
    """
    fields = [parse_column("group_by", column, TEXT_ATTRIBUTES, _FAMILIES) for column in request.group_by]
    names = list(dict.fromkeys(request.metrics))
    for name in names:
        check_text("metrics", name)
    numbers, groups, columns = _read(connection, request, fields, names)
    run_counts = Counter(numbers)
    # The largest first; of equal size in the order of their values, what has none last.
    shown = heapq.nsmallest(
        MAX_GROUPS,
        range(len(groups)),
        key=lambda number: (-run_counts[number], [(text is None, text or "") for text in groups[number]]),
    )
    places = [-1] * len(groups)
    for place, number in enumerate(shown):
        places[number] = place
    return RunGroups(
        values=[list(groups[number]) for number in shown],
        run_counts=[run_counts[number] for number in shown],
        metrics={
            name: _aggregate(_distributed(numbers, column, places, len(shown)))
            for name, column in zip(names, columns, strict=True)
        },
        total_count=len(groups),
    )


def _read(
    connection: Connection, request: GroupRuns, fields: Sequence[Field], names: Sequence[str]
) -> tuple[array[int], list[tuple[str | None, ...]], list[array[float]]]:
    """Return of each run the number of its group, the groups' values by number, and of each metric the runs' values.

    One statement reads all of it. A value that is absent or NaN is NaN.
    """
    query, base = run_search(request)
    wanted = sorted({*names, *(field.name for field in fields)})
    ids = dict(fetch(connection, "SELECT name, id FROM keys WHERE name {texts}", wanted))
    statement = base.select_from(runs)
    is_joined = len(fields) + len(names) <= _MAX_JOINED
    for field in fields:
        if field.family is Family.ATTRIBUTE:
            statement = statement.add_columns(text_attribute(field.name))
        else:
            statement = _with_value(statement, VALUE_TABLES[field.family], ids.get(field.name), is_joined=is_joined)
    for name in names:
        statement = _with_value(statement, latest_metrics, ids.get(name), is_joined=is_joined)
    cursor: Any = connection.execute(query.matching(statement)).cursor
    width = len(fields)
    # Of values that are new it takes the next number.
    by_values: dict[tuple[str | None, ...], int] = defaultdict(itertools.count().__next__)
    numbers = array("q")
    columns = [array("d") for _ in names]
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        read = list(zip(*rows, strict=True))
        numbers.extend([by_values[values] for values in zip(*read[:width], strict=True)])
        for column, values in zip(columns, read[width:], strict=True):
            column.extend([math.nan if value is None else value for value in values])
    return numbers, list(by_values), columns


def _with_value(statement: sa.Select[Any], table: sa.Table, key: int | None, *, is_joined: bool) -> sa.Select[Any]:
    """Return ``statement`` with the value that a run has for a key."""
    if key is None:
        return statement.add_columns(sa.null())
    row = table.alias()
    conditions = [row.c.run == runs.c.id, row.c.key == key]
    if table is latest_metrics:
        conditions.append(sa.not_(row.c.is_nan))
    if is_joined:
        return statement.add_columns(row.c.value).outerjoin_from(runs, row, sa.and_(*conditions))
    return statement.add_columns(sa.select(row.c.value).where(*conditions).correlate(runs).scalar_subquery())


def _distributed(
    numbers: Sequence[int], column: Sequence[float], places: Sequence[int], count: int
) -> list[list[float]]:
    """Return the values of each group that has a place."""
    groups: list[list[float]] = [[] for _ in range(count)]
    for number, value in zip(numbers, column, strict=True):
        if value == value:
            place = places[number]
            if place >= 0:
                groups[place].append(value)
    return groups


def _aggregate(groups: Sequence[Sequence[float]]) -> MetricAggregate:
    moments = [_moments(values) for values in groups]
    return MetricAggregate(
        counts=[len(values) for values in groups],
        means=[_number(mean) for mean, _ in moments],
        deviations=[_number(deviation) for _, deviation in moments],
        minima=[_number(min(values, default=None)) for values in groups],
        maxima=[_number(max(values, default=None)) for values in groups],
    )


def _moments(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return mean and standard deviation of the sample, in two passes; of infinities, what IEEE makes of them."""
    count = len(values)
    if count == 0:
        return None, None
    try:
        mean = math.fsum(values) / count
    except OverflowError:
        # The sum is beyond a double, the mean is not.
        mean = math.fsum(value / count for value in values)
    except ValueError:
        # Infinities of both signs.
        mean = math.nan
    if count == 1:
        return mean, None
    if not math.isfinite(mean):
        return mean, math.nan
    # hypot does not overflow where the squares would.
    return mean, math.hypot(*[value - mean for value in values]) / math.sqrt(count - 1)


def _number(value: float | None) -> JsonFloat | None:
    return None if value is None else json_float(value)
