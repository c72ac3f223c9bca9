from __future__ import annotations

import concurrent.futures
import random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from runyard.errors import InvalidParameter, NotFound
from runyard.store import runs
from runyard.store.engine import Database
from runyard.store.ingest import Ingest
from runyard.store.run_columns import list_column_values, list_run_columns
from runyard.store.run_writes import LogBatch
from runyard.wire.run_tables import ListColumnValues, ListRunColumns
from tests.contract.factories import log, make_experiment, make_run, point


def columns(database: Database, *experiment_ids: str) -> tuple[list[str], list[str], list[str]]:
    found = database.read(list_run_columns, ListRunColumns(experiment_ids=list(experiment_ids or ("0",))))
    return found.metrics, found.params, found.tags


def values(database: Database, column: str, *experiment_ids: str, **options: Any) -> list[str]:
    request = ListColumnValues(experiment_ids=list(experiment_ids or ("0",)), column=column, **options)
    return database.read(list_column_values, request).values


def test_names_are_those_of_the_experiments_by_kind_and_sorted(database: Database, ingest: Ingest) -> None:
    other = make_experiment(database)
    make_run(ingest, metrics={"b": 1, "a": 1}, params={"a": "1"}, tags={"t": "1"})
    make_run(ingest, other, metrics={"a": 1, "c": 1}, params={"é": "1"})
    assert columns(database) == (["a", "b"], ["a"], ["mlflow.runName", "t"])
    assert columns(database, other) == (["a", "c"], ["é"], ["mlflow.runName"])
    assert columns(database, "0", other) == (["a", "b", "c"], ["a", "é"], ["mlflow.runName", "t"])
    assert columns(database, "77") == ([], [], [])


def test_every_way_to_set_a_tag_makes_its_name_known(database: Database, ingest: Ingest) -> None:
    creation = runs.creation("0", user_id="", run_name="n", start_time=0, tags={"at creation": "1"})
    ingest.submit(creation).result(10)
    ingest.submit(runs.model_history(make_run(ingest), {"model": 1})).result(10)
    assert columns(database)[2] == ["at creation", "mlflow.log-model.history", "mlflow.runName"]


def test_a_name_stays_when_its_run_is_in_the_trash(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, metrics={"m": 1})
    ingest.submit(runs.deletion(run_id)).result(10)
    assert columns(database)[0] == ["m"]


def test_what_a_refused_write_named_is_not_known(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, params={"p": "1"})
    with pytest.raises(InvalidParameter):
        log(ingest, run_id, metrics=[point("m", 1)], params=[("p", "2")], tags=[("t", "1")])
    with pytest.raises(NotFound):
        ingest.submit(runs.tag_deletion(run_id, "never set")).result(10)
    assert columns(database) == ([], ["p"], ["mlflow.runName"])
    # Nor remembered as if it were.
    log(ingest, run_id, metrics=[point("m", 1)])
    assert columns(database)[0] == ["m"]


def test_a_write_that_was_undone_leaves_nothing_remembered(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    broken = LogBatch(run_id, metrics=[("m", 0, 0, 1.0, False), ("m", 0, 2**70, 1.0, False)], params=[("p", "1")])
    with pytest.raises(InvalidParameter):
        ingest.submit(broken).result(10)
    assert columns(database)[:2] == ([], [])
    log(ingest, run_id, metrics=[point("m", 1)], params=[("p", "1")])
    assert columns(database)[:2] == (["m"], ["p"])


def test_writers_that_name_the_same_things_at_once_all_succeed(database: Database) -> None:
    writers = [Ingest(database) for _ in range(3)]
    names = [f"m{index}" for index in range(60)]

    def write(seed: int) -> None:
        own = random.Random(seed)
        for _ in range(4):
            run_id = make_run(writers[seed])
            log(writers[seed], run_id, metrics=[point(name, 1) for name in own.sample(names, 30)])
            log(writers[seed], run_id, params=[(name, "1") for name in own.sample(names, 30)])

    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        list(pool.map(write, range(3)))
    for writer in writers:
        writer.close()
    for kind, table in enumerate(("latest_metrics", "params")):
        logged = sa.text(f"SELECT DISTINCT name FROM {table} v JOIN keys ON keys.id = v.key")
        assert columns(database)[kind] == sorted(database.read(Connection.scalars, logged))


def test_values_are_each_told_once_and_those_of_the_newest_runs_first(database: Database, ingest: Ingest) -> None:
    for index, value in enumerate(["b", "a", "b", "c", "A"]):
        make_run(ingest, start_time=index, params={"p": value}, tags={"t": value * 2})
    make_run(ingest, make_experiment(database), start_time=9, params={"p": "elsewhere"})
    assert values(database, "params.p") == ["A", "c", "b", "a"]
    assert values(database, "params.p", max_results=2) == ["A", "c"]
    assert values(database, "tags.t", contains="aA") == ["AA", "aa"]
    assert values(database, "params.p", "0", "1")[0] == "elsewhere"
    assert values(database, "params.t") == values(database, "tags.unknown") == values(database, "params.p", "77") == []


def test_values_of_text_attributes_are_listed(database: Database, ingest: Ingest) -> None:
    make_run(ingest, name="one", start_time=1)
    make_run(ingest, name="two", start_time=2)
    assert values(database, "attributes.run_name") == ["two", "one"]
    assert values(database, "attributes.run_name", contains="ON") == ["one"]
    assert values(database, "attributes.status") == ["RUNNING"]
    assert values(database, "attributes.experiment_id") == ["0"]
    assert values(database, "attributes.experiment_name") == ["Default"]


def test_values_of_runs_in_the_trash_are_not_listed(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, params={"p": "1"})
    ingest.submit(runs.deletion(run_id)).result(10)
    assert values(database, "params.p") == []


@pytest.mark.parametrize("column", ["metrics.m", "attributes.start_time", "attributes.models", "p", "params."])
def test_what_has_no_texts_is_refused(database: Database, column: str) -> None:
    with pytest.raises(InvalidParameter, match="column"):
        values(database, column)
