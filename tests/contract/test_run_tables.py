from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from runyard.errors import InvalidFilter, InvalidParameter
from runyard.store import run_inputs, run_tables, runs
from runyard.store.clock import now_ms
from runyard.store.engine import Database
from runyard.store.experiments import delete_experiment
from runyard.store.ingest import Ingest
from runyard.wire.run_tables import FindRuns, GetRunTable, ListRunIds
from runyard.wire.runs import DatasetInputSpec, DatasetSpec
from tests.contract.factories import (
    log,
    make_experiment,
    make_logged_model,
    make_model,
    make_run,
    make_version,
    point,
    search_page,
    statements_of,
)

NAN, INFINITY = float("nan"), float("inf")
ALL_ATTRIBUTES = [f"attributes.{name}" for name in run_tables.TABLE_ATTRIBUTES]


def table(database: Database, columns: list[str], **options: Any) -> dict[str, Any]:
    request = GetRunTable(**{"experiment_ids": ["0"], "columns": columns, **options})
    found: dict[str, Any] = json.loads(database.read(run_tables.get_run_table, request))
    return found


def ids(database: Database, **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        database.read(run_tables.list_run_ids, ListRunIds(**{"experiment_ids": ["0"], **options}))
    )
    return found


def found_names(database: Database, text: str, **options: Any) -> list[str]:
    return [run.run_name for run in database.read(run_tables.find_runs, FindRuns(text=text, **options)).runs]


def test_a_column_has_a_cell_for_each_run_and_null_where_there_is_no_value(database: Database, ingest: Ingest) -> None:
    first = make_run(ingest, start_time=1, metrics={"a": 0.1 + 0.2}, params={"p": '"1"\n'}, tags={"t": "größe"})
    second = make_run(ingest, start_time=2, metrics={"b": 1.0}, params={"a": "x"})
    assert table(database, ["metrics.a", "params.p", "tags.t", "metrics.absent", "params.absent", "params.a"]) == {
        "run_ids": [second, first],
        "columns": {
            "metrics.a": [None, 0.1 + 0.2],
            "params.p": [None, '"1"\n'],
            "tags.t": [None, "größe"],
            "metrics.absent": [None, None],
            "params.absent": [None, None],
            "params.a": ["x", None],
        },
        "next_page_token": None,
    }


@pytest.mark.parametrize("value, cell", [(NAN, "NaN"), (INFINITY, "Infinity"), (-INFINITY, "-Infinity")])
def test_a_metric_that_json_has_no_number_for_is_a_text(
    database: Database, ingest: Ingest, value: float, cell: str
) -> None:
    make_run(ingest, metrics={"m": value})
    assert table(database, ["metrics.m"])["columns"] == {"metrics.m": [cell]}


def test_a_metrics_cell_is_its_latest_value(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    log(ingest, run_id, metrics=[point("m", 7.0, step=2), point("m", 9.0, step=1)])
    assert table(database, ["metrics.m"])["columns"] == {"metrics.m": [7.0]}


@pytest.mark.parametrize("key", ["a.b.c", "a b", "a/b", "a:b-c", "."])
def test_a_key_is_all_that_follows_the_first_dot(database: Database, ingest: Ingest, key: str) -> None:
    make_run(ingest, tags={key: "value"})
    assert table(database, [f"tags.{key}"])["columns"] == {f"tags.{key}": ["value"]}


def test_a_key_that_no_run_can_have_is_a_column_of_nulls(database: Database, ingest: Ingest) -> None:
    make_run(ingest)
    columns = ["params.`'\"; DROP", "tags.*", "metrics.%s ? {ids}"]
    assert table(database, columns)["columns"] == {column: [None] for column in columns}


@pytest.mark.parametrize(
    "column", ["loss", "metric.loss", "metrics.", "dataset.name", "", ".", "attributes.parent", "attributes."]
)
def test_a_column_of_another_form_is_refused_by_name(database: Database, column: str) -> None:
    with pytest.raises(InvalidParameter, match="Invalid value") as refused:
        table(database, ["metrics.m", column])
    assert repr(column) in refused.value.message


def test_attributes_are_those_of_the_run(database: Database, ingest: Ingest) -> None:
    experiment_id = make_experiment(database, "vision")
    run_id = make_run(ingest, experiment_id, name="one", start_time=5)
    ingest.submit(runs.update(run_id, status="FINISHED", end_time=12, run_name=None)).result(10)
    cells = table(database, ALL_ATTRIBUTES, experiment_ids=[experiment_id])["columns"]
    assert {name.partition(".")[2]: column for name, column in cells.items()} == {
        "run_id": [run_id],
        "run_name": ["one"],
        "status": ["FINISHED"],
        "user_id": [""],
        "experiment_id": [experiment_id],
        "experiment_name": ["vision"],
        "lifecycle_stage": ["active"],
        "artifact_uri": [f"mlflow-artifacts:/{experiment_id}/{run_id}/artifacts"],
        "start_time": [5],
        "end_time": [12],
        "duration": [7],
        "deleted_time": [None],
        "child_count": [0],
        "datasets": [None],
        "models": [None],
    }


def test_a_run_that_goes_on_has_no_duration(database: Database, ingest: Ingest) -> None:
    make_run(ingest)
    cells = table(database, ["attributes.duration", "attributes.end_time"])["columns"]
    assert cells == {"attributes.duration": [None], "attributes.end_time": [None]}


def test_a_run_in_the_trash_has_the_time_at_which_it_got_there(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    before = now_ms()
    ingest.submit(runs.deletion(run_id)).result(10)
    [deleted_time] = table(database, ["attributes.deleted_time"], run_ids=[run_id])["columns"][
        "attributes.deleted_time"
    ]
    assert before <= deleted_time <= now_ms()


def test_children_are_counted_where_they_are_not_in_the_trash(database: Database, ingest: Ingest) -> None:
    parent, other = make_run(ingest, start_time=9), make_run(ingest, start_time=8)
    tags = {"mlflow.parentRunId": parent}
    child, deleted = make_run(ingest, tags=tags), make_run(ingest, tags=tags)
    make_run(ingest, make_experiment(database), tags=tags)
    make_run(ingest, tags={"similar": parent})
    make_run(ingest, tags={"mlflow.parentRunId": child})
    ingest.submit(runs.deletion(deleted)).result(10)
    rows = table(database, ["attributes.child_count"], run_ids=[parent, other, child])
    assert rows["columns"] == {"attributes.child_count": [2, 0, 1]}


def test_datasets_and_models_are_listed_by_name(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, start_time=1)
    make_run(ingest)
    datasets = [
        DatasetInputSpec(dataset=DatasetSpec(name=name, digest=digest, source_type="local", source="{}"))
        for name, digest in (("train", "a1"), ("test", "b2"))
    ]
    ingest.submit(run_inputs.log_inputs(run_id, datasets, [])).result(10)
    model = make_logged_model(database, name="net", source_run_id=run_id)
    make_model(database, "registered: one")
    make_version(database, "registered: one", run_id=run_id)
    cells = table(database, ["attributes.datasets", "attributes.models"])["columns"]
    assert sorted(cells["attributes.datasets"][0]) == ["test (b2)", "train (a1)"]
    assert cells["attributes.models"][0] == [f"m:{model.info.model_id}:net", "v:registered: one:1"]
    assert [column[1] for column in cells.values()] == [None, None]


def test_rows_by_run_ids_are_in_their_order_whatever_the_experiment_and_the_stage(
    database: Database, ingest: Ingest
) -> None:
    first, second = make_run(ingest, metrics={"m": 1}), make_run(ingest, metrics={"m": 2})
    elsewhere = make_run(ingest, make_experiment(database), metrics={"m": 3})
    ingest.submit(runs.deletion(second)).result(10)
    asked = [elsewhere, "unknown", second, first, second]
    assert table(database, ["metrics.m"], run_ids=asked) == {
        "run_ids": [elsewhere, second, first],
        "columns": {"metrics.m": [3.0, 2.0, 1.0]},
        "next_page_token": None,
    }
    assert table(database, ["metrics.m"], run_ids=[])["run_ids"] == []


def test_no_columns_are_as_good_as_many(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    assert table(database, [])["run_ids"] == [run_id]
    assert table(database, ["metrics.m", *ALL_ATTRIBUTES], experiment_ids=[])["run_ids"] == []


def test_filter_order_and_view_are_those_of_runs_search(database: Database, ingest: Ingest) -> None:
    low, high = make_run(ingest, metrics={"m": 1}), make_run(ingest, metrics={"m": 2})
    make_run(ingest)
    deleted = make_run(ingest)
    ingest.submit(runs.deletion(deleted)).result(10)
    search = {"filter": "metrics.m > 0", "order_by": ["metrics.m DESC"]}
    assert table(database, [], **search)["run_ids"] == ids(database, **search)["run_ids"] == [high, low]
    assert table(database, [], run_view_type="DELETED_ONLY")["run_ids"] == [deleted]
    assert ids(database, run_view_type="ALL")["total_count"] == 4
    for read in (table, ids):
        arguments: list[Any] = [["metrics.m"]] if read is table else []
        call: Callable[..., object] = read
        with pytest.raises(InvalidFilter):
            call(database, *arguments, filter="metrics.m >")
        with pytest.raises(InvalidFilter):
            call(database, *arguments, order_by=["bogus.m"])
        with pytest.raises(InvalidParameter, match="run_view_type"):
            call(database, *arguments, run_view_type="SOME")
        with pytest.raises(InvalidParameter, match="experiment ID"):
            call(database, *arguments, experiment_ids=["x"])


ORDERS = [[], ["metrics.m DESC"], ["params.p"], ["attributes.end_time", "tags.t DESC"], ["attributes.run_name DESC"]]


@pytest.mark.parametrize("order_by", ORDERS, ids=str)
def test_the_pages_of_a_table_are_the_ids_in_their_order(
    database: Database, ingest: Ingest, order_by: list[str]
) -> None:
    values = [1.0, 2.0, NAN, INFINITY, -INFINITY, None]
    for index in range(23):
        value = values[index % len(values)]
        make_run(
            ingest,
            name=f"run {index % 4}",
            start_time=index // 3,
            metrics={} if value is None else {"m": value},
            params={"p": str(index % 3)} if index % 2 else {},
            tags={"t": str(index % 5)},
        )
    whole = ids(database, order_by=order_by)
    assert whole["total_count"] == len(whole["run_ids"]) == 23
    paged: list[str] = []
    token = None
    while True:
        page = table(database, ["metrics.m"], order_by=order_by, max_results=5, page_token=token)
        paged += page["run_ids"]
        token = page["next_page_token"]
        if token is None:
            break
    assert paged == whole["run_ids"]
    assert ids(database, order_by=order_by, max_results=7) == {"run_ids": paged[:7], "total_count": 23}
    assert ids(database, order_by=order_by, max_results=23) == whole


def test_a_page_token_is_good_for_its_own_search_alone(database: Database, ingest: Ingest) -> None:
    for index in range(3):
        make_run(ingest, start_time=index)
    token = table(database, [], max_results=1)["next_page_token"]
    for change in ({"filter": "attributes.status = 'RUNNING'"}, {"order_by": ["metrics.m"]}, {"run_view_type": "ALL"}):
        with pytest.raises(InvalidParameter, match="another search"):
            table(database, [], page_token=token, **change)
    with pytest.raises(InvalidParameter, match="page_token"):
        table(database, [], page_token="bogus")
    # It is the same search that runs/search makes.
    assert search_page(database, max_results=1)[1] == token


def test_ids_of_no_runs_are_an_empty_list(database: Database) -> None:
    assert ids(database) == ids(database, experiment_ids=["77"]) == {"run_ids": [], "total_count": 0}


def test_a_table_costs_the_same_number_of_statements_whatever_it_holds(database: Database, ingest: Ingest) -> None:
    columns = ["metrics.a", "metrics.b", "params.a", "tags.a", *ALL_ATTRIBUTES]
    counts = []
    for index in range(30):
        make_run(ingest, start_time=index, metrics={"a": 1, "b": 2}, params={"a": "1"}, tags={"a": "1"})
        if index in (0, 29):
            counts.append(statements_of(database, lambda: table(database, columns)))
    assert counts == [11, 11]
    assert statements_of(database, lambda: ids(database)) == 1


def test_a_run_is_found_by_a_part_of_its_name_in_any_case(database: Database, ingest: Ingest) -> None:
    for index, name in enumerate(["Größe-Eins", "größe-zwei", "other", "100%_[a-c]*?^x", "100 abc"]):
        make_run(ingest, name=name, start_time=index)
    assert found_names(database, "GRÖSSE") == []
    assert found_names(database, "GRÖß") == ["größe-zwei", "Größe-Eins"]
    assert found_names(database, "HER") == ["other"]
    for text in ("%_", "[a-c]", "*?", "^X", "]", "?"):
        assert found_names(database, text) == ["100%_[a-c]*?^x"]
    assert found_names(database, "", max_results=2) == ["100 abc", "100%_[a-c]*?^x"]


def test_a_run_is_found_by_the_start_of_its_id(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, make_experiment(database, "vision"), name="zzz", start_time=4)
    [run] = database.read(run_tables.find_runs, FindRuns(text=run_id[:12])).runs
    assert (run.run_id, run.experiment_name, run.status, run.start_time) == (run_id, "vision", "RUNNING", 4)
    assert found_names(database, run_id[1:13]) == []


def test_what_is_in_the_trash_is_not_found(database: Database, ingest: Ingest) -> None:
    experiment_id = make_experiment(database)
    make_run(ingest, experiment_id, name="lost")
    deleted = make_run(ingest, name="lost")
    ingest.submit(runs.deletion(deleted)).result(10)
    database.write(delete_experiment, experiment_id)
    assert found_names(database, "lost") == []
