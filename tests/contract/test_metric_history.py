from __future__ import annotations

import math
import random
from typing import Any

import pytest

from runyard.errors import InvalidParameter, NotFound
from runyard.store import metric_history
from runyard.store.engine import Database
from runyard.store.ingest import Ingest
from tests.contract.factories import log, make_run, point

NAN = float("nan")


def history(database: Database, run_id: str, key: str = "m", **options: Any) -> list[tuple[int, int, object]]:
    arguments = {"max_results": None, "page_token": None, **options}
    found, _ = database.read(metric_history.get_history, run_id, key, **arguments)
    return [(metric.timestamp, metric.step, metric.value) for metric in found]


def interval(database: Database, *run_ids: str, **options: Any) -> list[tuple[int, object]]:
    arguments = {"start_step": None, "end_step": None, "max_results": 1000, **options}
    found = database.read(metric_history.get_history_bulk_interval, run_ids, "m", **arguments)
    return [(metric.step, metric.value) for metric in found]


def log_series(ingest: Ingest, run_id: str, values: list[float]) -> None:
    for start in range(0, len(values), 1000):
        part = enumerate(values[start : start + 1000], start)
        log(ingest, run_id, metrics=[point("m", value, step=step, timestamp=step) for step, value in part])


def test_the_same_point_sent_again_is_one_point(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    for _ in range(3):
        log(ingest, run_id, metrics=[point("m", 1.5, step=1, timestamp=2), point("m", NAN, step=2, timestamp=2)])
    assert history(database, run_id) == [(2, 1, 1.5), (2, 2, "NaN")]


def test_history_is_in_the_order_of_time_then_step_then_value(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    points = [(9, 0, 1.0), (1, 5, 2.0), (1, 5, -2.0), (1, -4, 7.0), (3, 2, 0.5)]
    log(ingest, run_id, metrics=[point("m", value, step=step, timestamp=time) for time, step, value in points])
    assert history(database, run_id) == sorted(points)


@pytest.mark.parametrize("strays", [[], [(2, 99)], [(38, 0)], [(20, 20), (20, 20)], [(0, 40), (39, 0), (17, 3)]])
def test_pages_are_in_time_wherever_a_step_is_not(
    database: Database, ingest: Ingest, strays: list[tuple[int, int]]
) -> None:
    run_id = make_run(ingest)
    points = [(step, step, 0.5) for step in range(40)] + [(time, step, 7.0) for step, time in strays]
    log(ingest, run_id, metrics=[point("m", value, step=step, timestamp=time) for time, step, value in points])
    paged: list[tuple[int, int, object]] = []
    token = None
    while True:
        page, token = database.read(metric_history.get_history, run_id, "m", max_results=7, page_token=token)
        paged += [(metric.timestamp, metric.step, metric.value) for metric in page]
        if token is None:
            break
    assert paged == sorted(set(points))


def test_pages_of_a_history_hold_every_point_once(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    generator = random.Random(5)
    points = [
        point("m", generator.choice([1.0, 2.5, NAN, math.inf]), step=generator.randint(-5, 5), timestamp=time // 3)
        for time in range(60)
    ]
    log(ingest, run_id, metrics=points)
    whole = history(database, run_id)
    paged: list[tuple[int, int, object]] = []
    token = None
    while True:
        found, token = database.read(metric_history.get_history, run_id, "m", max_results=7, page_token=token)
        paged += [(metric.timestamp, metric.step, metric.value) for metric in found]
        if token is None:
            break
    assert paged == whole
    assert len(paged) == len(set(points))


def test_an_unknown_metric_has_no_history_and_an_unknown_run_is_not_found(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    assert history(database, run_id, "never") == []
    with pytest.raises(NotFound, match="nope"):
        history(database, "nope")
    with pytest.raises(NotFound, match="nope"):
        interval(database, run_id, "nope")


def test_a_short_series_is_told_whole(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    log_series(ingest, run_id, [0.5, NAN, 3.0])
    assert interval(database, run_id) == [(0, 0.5), (1, "NaN"), (2, 3.0)]


def test_a_long_series_keeps_every_buckets_least_greatest_and_last_value(database: Database, ingest: Ingest) -> None:
    generator = random.Random(3)
    values = [generator.random() for _ in range(5000)]
    values[1234], values[4321] = 99.0, -99.0
    run_id = make_run(ingest)
    log_series(ingest, run_id, values)
    found = interval(database, run_id, max_results=300)
    assert len(found) <= 300
    assert all(values[step] == value for step, value in found)
    assert [step for step, _ in found] == sorted(step for step, _ in found)
    buckets = 100
    for number in range(buckets):
        bucket = range(5000 * number // buckets, 5000 * (number + 1) // buckets)
        kept = {step for step, _ in found if step in bucket}
        assert min(bucket, key=values.__getitem__) in kept
        assert max(bucket, key=values.__getitem__) in kept
        assert bucket[-1] in kept


def test_a_long_series_shows_that_it_has_nan_and_infinity(database: Database, ingest: Ingest) -> None:
    values = [float(step) for step in range(3000)]
    values[700], values[2222] = NAN, math.inf
    run_id = make_run(ingest)
    log_series(ingest, run_id, values)
    found = dict(interval(database, run_id, max_results=100))
    assert found[700] == "NaN"
    assert found[2222] == "Infinity"


def test_a_range_of_steps_is_cut_on_its_own(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    log_series(ingest, run_id, [float(step) for step in range(2000)])
    found = interval(database, run_id, start_step=100, end_step=119, max_results=30)
    assert [step for step, _ in found] == list(range(100, 120))


@pytest.mark.parametrize("max_results", [1, 2, 3, 4, 5])
def test_even_a_handful_of_points_is_answered(database: Database, ingest: Ingest, max_results: int) -> None:
    run_id = make_run(ingest)
    log_series(ingest, run_id, [*(float(step) for step in range(50)), NAN])
    assert 1 <= len(interval(database, run_id, max_results=max_results)) <= max_results


def test_what_cannot_be_cut_is_refused(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    for options in ({"max_results": 0}, {"max_results": 2501}, {"start_step": 1}, {"start_step": 5, "end_step": 1}):
        with pytest.raises(InvalidParameter):
            interval(database, run_id, **options)
    with pytest.raises(InvalidParameter, match="100"):
        interval(database, *(f"{number}" for number in range(101)))
    with pytest.raises(InvalidParameter, match="max_results"):
        history(database, run_id, max_results=0)


def test_several_runs_are_answered_in_the_order_asked(database: Database, ingest: Ingest) -> None:
    first, second = make_run(ingest, metrics={"m": 1.0}), make_run(ingest, metrics={"m": 2.0})
    found = database.read(metric_history.get_history_bulk, [second, first], "m", max_results=25_000)
    assert [(metric.run_id, metric.value) for metric in found] == [(second, 2.0), (first, 1.0)]
