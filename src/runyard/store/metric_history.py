"""Reading the series of metrics by the names that clients know."""

from __future__ import annotations

import sys
from collections.abc import Collection, Mapping
from typing import Final, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.errors import InvalidParameter
from runyard.search import page_tokens
from runyard.store.points import SeriesPoint, read_buckets, read_series, read_series_page
from runyard.store.run_writes import run_not_found
from runyard.store.schema import keys, runs
from runyard.wire.base import json_float
from runyard.wire.runs import Metric

MAX_PAGE: Final = 25_000
MAX_RUNS_PER_REQUEST: Final = 100
MAX_POINTS_PER_RUN: Final = 2_500


def get_history(
    connection: Connection, run_id: str, metric_key: str, *, max_results: int | None, page_token: str | None
) -> tuple[list[Metric], str | None]:
    """Return a series in the order (timestamp, step, value), whole or a page of it with the next page's token."""
    if max_results is not None and max_results <= 0:
        raise InvalidParameter(f"Invalid value {max_results} for max_results: it must be positive")
    run = _run_rows(connection, [run_id])[run_id]
    key = _key(connection, metric_key)
    search = page_tokens.fingerprint("metric history", run_id, metric_key)
    after = _place(page_token, search) if page_token else None
    if key is None:
        return [], None
    # Without a number asked for, a series is answered whole, as clients expect.
    if max_results is None and after is None:
        return _metrics(metric_key, read_series(connection, run, key)), None
    limit = min(max_results or MAX_PAGE, MAX_PAGE)
    points = read_series_page(connection, run, key, limit=limit + 1, after=after)
    if len(points) <= limit:
        return _metrics(metric_key, points), None
    timestamp, step, value, is_nan = points[limit - 1]
    next_page_token = page_tokens.encode(search, (timestamp, step, value, int(is_nan)))
    return _metrics(metric_key, points[:limit]), next_page_token


def get_history_bulk(
    connection: Connection, run_ids: Collection[str], metric_key: str, *, max_results: int
) -> list[Metric]:
    """Return the series of several runs, each in the order (timestamp, step, value), at most ``max_results`` points."""
    rows = _checked_runs(connection, run_ids)
    key = _key(connection, metric_key)
    found: list[Metric] = []
    if key is not None:
        for run_id, run in rows.items():
            points = read_series_page(connection, run, key, limit=max_results - len(found), after=None)
            found += _metrics(metric_key, points, run_id)
            if len(found) >= max_results:
                break
    return found


def get_history_bulk_interval(
    connection: Connection,
    run_ids: Collection[str],
    metric_key: str,
    *,
    start_step: int | None,
    end_step: int | None,
    max_results: int,
) -> list[Metric]:
    """Return the series of several runs between two steps, each cut to at most ``max_results`` points.

    The points are real ones, chosen so that a chart shows the same picture; see `points.read_buckets`.
    """
    if not 1 <= max_results <= MAX_POINTS_PER_RUN:
        raise InvalidParameter(
            f"Invalid value {max_results} for max_results: it must be between 1 and {MAX_POINTS_PER_RUN}"
        )
    if (start_step is None) != (end_step is None):
        raise InvalidParameter("start_step and end_step must be given together, or neither")
    if start_step is not None and end_step is not None and start_step > end_step:
        raise InvalidParameter(f"end_step must be greater than start_step, got {start_step} and {end_step}")
    rows = _checked_runs(connection, run_ids)
    key = _key(connection, metric_key)
    found: list[Metric] = []
    if key is not None:
        for run_id, run in rows.items():
            points = read_buckets(
                connection, run, key, start_step=start_step, end_step=end_step, max_points=max_results
            )
            found += _metrics(metric_key, points, run_id)
    return found


def _place(page_token: str, search: str) -> SeriesPoint:
    place = page_tokens.decode(page_token, search, (int, int, float, int))
    if len(place) != 4 or None in place:
        raise InvalidParameter("page_token is not valid: it does not hold a place in this history")
    timestamp, step, value, is_nan = cast("tuple[int, int, float, int]", place)
    return SeriesPoint(timestamp, step, value, bool(is_nan))


def _key(connection: Connection, name: str) -> int | None:
    return connection.execute(sa.select(keys.c.id).where(keys.c.name == name)).scalar()


def _checked_runs(connection: Connection, run_ids: Collection[str]) -> Mapping[str, int]:
    if not run_ids:
        raise InvalidParameter("Missing value for required parameter 'run_ids': name at least one run")
    if len(run_ids) > MAX_RUNS_PER_REQUEST:
        raise InvalidParameter(
            f"Invalid number of run_ids: at most {MAX_RUNS_PER_REQUEST} may be named, got {len(run_ids)}"
        )
    return _run_rows(connection, run_ids)


def _run_rows(connection: Connection, run_ids: Collection[str]) -> Mapping[str, int]:
    statement = sa.select(runs.c.run_id, runs.c.id).where(runs.c.run_id.in_(run_ids))
    found = {row.run_id: row.id for row in connection.execute(statement)}
    for run_id in run_ids:
        if run_id not in found:
            raise run_not_found(run_id)
    return {run_id: found[run_id] for run_id in run_ids}


def _metrics(key: str, points: Collection[SeriesPoint], run_id: str | None = None) -> list[Metric]:
    return [
        Metric(
            key,
            "NaN" if is_nan else value if -_MAX <= value <= _MAX else json_float(value),
            timestamp,
            step,
            None,
            None,
            None,
            run_id,
        )
        for timestamp, step, value, is_nan in points
    ]


_MAX: Final = sys.float_info.max
