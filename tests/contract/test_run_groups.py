from __future__ import annotations

import math
import statistics
from typing import Any

import pytest

from runyard.errors import InvalidFilter, InvalidParameter
from runyard.store import runs
from runyard.store.engine import Database
from runyard.store.ingest import Ingest
from runyard.store.run_groups import group_runs
from runyard.wire.run_tables import GroupRuns, MetricAggregate, RunGroups
from tests.contract.factories import make_experiment, make_run, statements_of

NAN, INFINITY = float("nan"), float("inf")


def groups(database: Database, group_by: list[str], *metrics: str, **options: Any) -> RunGroups:
    request = GroupRuns(**{"experiment_ids": ["0"], "group_by": group_by, "metrics": list(metrics), **options})
    return database.read(group_runs, request)


def aggregate_of(database: Database, ingest: Ingest, values: list[float]) -> MetricAggregate:
    for value in values:
        make_run(ingest, name="same", metrics={"m": value})
    return groups(database, ["attributes.run_name"], "m").metrics["m"]


def test_runs_with_the_same_values_are_a_group_and_the_largest_is_first(database: Database, ingest: Ingest) -> None:
    for optimizer, team, count in (("adam", "a", 1), ("sgd", "a", 3), ("sgd", "b", 2), (None, "a", 1)):
        for _ in range(count):
            make_run(ingest, params={"opt": optimizer} if optimizer else {}, tags={"team": team})
    found = groups(database, ["params.opt", "tags.team"])
    assert found.values == [["sgd", "a"], ["sgd", "b"], ["adam", "a"], [None, "a"]]
    assert found.run_counts == [3, 2, 1, 1]
    assert (found.total_count, found.metrics) == (4, {})


def test_runs_can_be_grouped_by_text_attributes(database: Database, ingest: Ingest) -> None:
    experiment_id = make_experiment(database, "vision")
    make_run(ingest)
    finished = [make_run(ingest, experiment_id) for _ in range(2)]
    for run_id in finished:
        ingest.submit(runs.update(run_id, status="FINISHED", end_time=1, run_name=None)).result(10)
    names = ["attributes.status", "attributes.experiment_id", "attributes.experiment_name", "attributes.user_id"]
    found = groups(database, names, experiment_ids=["0", experiment_id])
    assert found.values == [["FINISHED", experiment_id, "vision", ""], ["RUNNING", "0", "Default", ""]]


def test_aggregates_are_those_of_the_sample(database: Database, ingest: Ingest) -> None:
    values = [0.1, 0.25, 3.0, -7.5]
    found = aggregate_of(database, ingest, [*values, NAN])
    assert found.counts == [4]
    assert found.means == [pytest.approx(statistics.fmean(values), rel=1e-15)]
    assert found.deviations == [pytest.approx(statistics.stdev(values), rel=1e-14)]
    assert (found.minima, found.maxima) == ([-7.5], [3.0])


def test_a_small_deviation_of_great_numbers_is_exact(database: Database, ingest: Ingest) -> None:
    found = aggregate_of(database, ingest, [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16])
    assert found.deviations == [pytest.approx(math.sqrt(30), rel=1e-14)]


def test_one_value_has_no_deviation_and_none_has_nothing(database: Database, ingest: Ingest) -> None:
    make_run(ingest, name="a", metrics={"m": 2, "n": NAN})
    found = groups(database, ["attributes.run_name"], "m", "n", "absent").metrics
    assert found["m"] == MetricAggregate(counts=[1], means=[2.0], deviations=[None], minima=[2.0], maxima=[2.0])
    nothing = MetricAggregate(counts=[0], means=[None], deviations=[None], minima=[None], maxima=[None])
    assert found["n"] == found["absent"] == nothing


@pytest.mark.parametrize(
    "values, mean, deviation, minimum, maximum",
    [
        ([1.0, INFINITY], "Infinity", "NaN", 1.0, "Infinity"),
        ([-INFINITY, 1.0], "-Infinity", "NaN", "-Infinity", 1.0),
        ([INFINITY, -INFINITY], "NaN", "NaN", "-Infinity", "Infinity"),
        ([1.5e308, 1.5e308, 1.5e308], 1.5e308, 0.0, 1.5e308, 1.5e308),
        ([1.5e308, -1.5e308], 0.0, "Infinity", -1.5e308, 1.5e308),
    ],
)
def test_no_number_is_too_great(
    database: Database,
    ingest: Ingest,
    values: list[float],
    mean: object,
    deviation: object,
    minimum: object,
    maximum: object,
) -> None:
    found = aggregate_of(database, ingest, values)
    assert (found.means, found.minima, found.maxima) == ([mean], [minimum], [maximum])
    assert found.deviations == [deviation]


def test_only_the_runs_of_the_filter_are_grouped(database: Database, ingest: Ingest) -> None:
    for index in range(4):
        make_run(ingest, params={"p": str(index % 2)}, metrics={"m": index})
    found = groups(database, ["params.p"], "m", filter="metrics.m > 0")
    assert (found.values, found.run_counts) == ([["1"], ["0"]], [2, 1])
    assert found.metrics["m"].means == [2.0, 2.0]
    with pytest.raises(InvalidFilter):
        groups(database, ["params.p"], filter="bogus")


def test_more_metrics_than_tables_can_be_joined_give_the_same(database: Database, ingest: Ingest) -> None:
    make_run(ingest, params={"p": "1"}, metrics={f"m{index}": index for index in range(100)})
    found = groups(database, ["params.p"], *(f"m{index}" for index in range(100)))
    assert found.values == [["1"]]
    assert [found.metrics[f"m{index}"].means for index in range(100)] == [[float(index)] for index in range(100)]


def test_no_runs_are_no_groups(database: Database) -> None:
    found = groups(database, ["params.p"], "m")
    assert (found.values, found.run_counts, found.total_count) == ([], [], 0)
    assert found.metrics["m"].counts == []


def test_at_most_a_thousand_groups_are_told_and_all_are_counted(database: Database, ingest: Ingest) -> None:
    futures = [
        ingest.submit(runs.creation("0", user_id="", run_name=f"{index:04}", start_time=0, tags={}))
        for index in range(1001)
    ]
    for future in futures:
        future.result(30)
    make_run(ingest, name="1000")
    found = groups(database, ["attributes.run_name"], "m")
    assert (len(found.values), found.total_count) == (1000, 1001)
    assert found.values[:2] == [["1000"], ["0000"]]


@pytest.mark.parametrize("column", ["metrics.m", "attributes.start_time", "attributes.child_count", "p"])
def test_what_runs_cannot_be_grouped_by_is_refused(database: Database, column: str) -> None:
    with pytest.raises(InvalidParameter, match="group_by"):
        groups(database, [column])


def test_groups_are_read_by_two_statements(database: Database, ingest: Ingest) -> None:
    make_run(ingest, params={"p": "1"}, metrics={"m": 1})
    assert statements_of(database, lambda: groups(database, ["params.p"], "m", "n")) == 2
