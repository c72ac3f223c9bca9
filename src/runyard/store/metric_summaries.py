"""What there is of each metric of a run: how many points, from where to where, and the extremes."""

from __future__ import annotations

from sqlalchemy.engine import Connection

from runyard.store.dialect import fetch
from runyard.store.run_writes import run_not_found
from runyard.wire.base import JsonFloat, json_float
from runyard.wire.run_tables import MAX_SUMMARIES, MetricSummaries, MetricSummary, SummarizeMetrics

_LATEST = (
    "SELECT k.name, l.key, l.step, l.value, l.is_nan FROM latest_metrics l JOIN keys k ON k.id = l.key WHERE l.run = ?"
)
# One pass over each series for what needs all points, then up to the first point that has each extreme.
_SERIES = (
    "WITH s AS MATERIALIZED (SELECT key, count(*) AS points, min(step) AS first_step, "
    "min(CASE WHEN NOT is_nan THEN value END) AS low, max(CASE WHEN NOT is_nan THEN value END) AS high "
    "FROM metrics WHERE run = ? AND key {ids} GROUP BY key) "
    "SELECT s.key, s.points, s.first_step, s.low, "
    "(SELECT m.step FROM metrics m WHERE m.run = ? AND m.key = s.key AND m.value = s.low AND NOT m.is_nan "
    "ORDER BY m.step LIMIT 1), s.high, "
    "(SELECT m.step FROM metrics m WHERE m.run = ? AND m.key = s.key AND m.value = s.high AND NOT m.is_nan "
    "ORDER BY m.step LIMIT 1) FROM s"
)


def summarize_metrics(connection: Connection, request: SummarizeMetrics) -> MetricSummaries:
    """Return a summary of each metric that the run has, in the order asked for or by name.

    Raises:
        NotFound: there is no such run.
    """
    found = fetch(connection, "SELECT id FROM runs WHERE run_id = ?", request.run_id)
    if not found:
        raise run_not_found(request.run_id)
    [(run,)] = found
    if request.metric_keys is None:
        latest = fetch(connection, f"{_LATEST} ORDER BY k.name LIMIT ?", run, MAX_SUMMARIES)
    else:
        named = {row[0]: row for row in fetch(connection, f"{_LATEST} AND k.name {{texts}}", run, request.metric_keys)}
        latest = [named[name] for name in dict.fromkeys(request.metric_keys) if name in named]
    if not latest:
        return MetricSummaries(metrics=[])
    series = {row[0]: row[1:] for row in fetch(connection, _SERIES, run, [row[1] for row in latest], run, run)}
    summaries = []
    for name, key, last_step, last, is_nan in latest:
        count, first_step, minimum, minimum_step, maximum, maximum_step = series[key]
        summaries.append(
            MetricSummary(
                key=name,
                count=count,
                first_step=first_step,
                last_step=last_step,
                last="NaN" if is_nan else json_float(last),
                minimum=_number(minimum),
                minimum_step=minimum_step,
                maximum=_number(maximum),
                maximum_step=maximum_step,
            )
        )
    return MetricSummaries(metrics=summaries)


def _number(value: float | None) -> JsonFloat | None:
    return None if value is None else json_float(value)
