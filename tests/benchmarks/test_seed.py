"""What the seeded database holds is what a server would have written: it reads back through the store."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from benchmarks.seed import LONG_RUNS, Shape, seed
from runyard.store.engine import Database
from runyard.store.experiments import get_experiment_by_name
from runyard.store.schema import experiment_keys, metrics
from tests.contract.factories import pairs, search

SMALL = Shape(runs=240, metrics=8, params=7, columns=60)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def new_uri(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """A function that returns the URI of another empty database each time."""
    if request.param == "postgresql":
        create: Callable[[], str] = request.getfixturevalue("new_postgres_url")
        return create
    numbers = iter(range(100))
    return lambda: f"sqlite:///{tmp_path / f'{next(numbers)}.db'}"


def seeded(uri: str, shape: Shape, **options: Any) -> list[dict[str, Any]]:
    experiment_id = seed(uri, shape)
    database = Database(uri)
    found = search(database, experiment_id, **options)
    database.close()
    return found


def test_every_run_has_what_was_asked_for_and_all_columns_are_used(new_uri: Callable[[], str]) -> None:
    runs = seeded(new_uri(), SMALL)
    assert len(runs) == 240
    assert {len(run["data"]["metrics"]) for run in runs} == {8}
    assert {len(run["data"]["params"]) for run in runs} == {7}
    names = [{item["key"] for run in runs for item in run["data"][kind]} for kind in ("metrics", "params")]
    assert sum(map(len, names)) == 60
    tags = [pairs(run["data"]["tags"]) for run in runs]
    assert all(run["info"]["run_name"] == tag["mlflow.runName"] for run, tag in zip(runs, tags, strict=True))
    assert len({run["info"]["status"] for run in runs}) >= 4


def test_two_hundred_of_the_newest_are_children_of_twenty(new_uri: Callable[[], str]) -> None:
    runs = seeded(new_uri(), SMALL)
    parents = [pairs(run["data"]["tags"]).get("mlflow.parentRunId") for run in runs]
    assert len(list(filter(None, parents))) == 200
    assert set(parents) - {None} == {run["info"]["run_id"] for run in runs[200:220]}


def test_the_values_are_searched_as_if_they_were_logged(new_uri: Callable[[], str]) -> None:
    found = seeded(new_uri(), SMALL, filter_text="metrics.accuracy > 0.5 and params.lr = '0.01'")
    assert 0 < len(found) < 60
    for run in found:
        values = {metric["key"]: metric["value"] for metric in run["data"]["metrics"]}
        assert values["accuracy"] > 0.5
        assert pairs(run["data"]["params"])["lr"] == "0.01"


def test_the_same_seed_makes_the_same_runs_and_another_makes_others(new_uri: Callable[[], str]) -> None:
    first, again = (seeded(new_uri(), SMALL) for _ in range(2))
    assert first == again
    other = seeded(new_uri(), Shape(runs=240, metrics=8, params=7, columns=60, random_seed=1))
    assert {run["info"]["run_id"] for run in other}.isdisjoint(run["info"]["run_id"] for run in first)


def test_a_database_that_is_seeded_already_stays(new_uri: Callable[[], str]) -> None:
    uri = new_uri()
    assert seed(uri, SMALL) == seed(uri, SMALL)


def test_steps_and_series_have_their_points_and_names_are_recorded(new_uri: Callable[[], str]) -> None:
    uri = new_uri()
    [run] = seeded(uri, Shape(runs=1, metrics=6, params=6, columns=12, steps=9, series=1))
    assert {metric["step"] for metric in run["data"]["metrics"]} == {9}
    database = Database(uri)
    long = database.read(get_experiment_by_name, LONG_RUNS).experiment_id
    [long_run] = search(database, long)
    assert len(long_run["data"]["metrics"]) == 2000
    assert all(math.isfinite(metric["value"]) for metric in long_run["data"]["metrics"])
    points = sa.select(sa.func.count()).select_from(metrics)
    assert database.read(lambda connection: connection.execute(points).scalar_one()) == 6 * 10 + 2000 * 200
    recorded = sa.select(sa.func.count()).where(experiment_keys.c.experiment_id == int(long))
    assert database.read(lambda connection: connection.execute(recorded).scalar_one()) >= 2000
    database.close()


def test_a_shape_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="40 columns"):
        Shape(columns=30)
    with pytest.raises(ValueError, match="more than 5 metrics"):
        Shape(metrics=3)
