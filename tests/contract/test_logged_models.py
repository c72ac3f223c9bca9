from __future__ import annotations

import pytest

from runyard.errors import InvalidFilter, InvalidParameter, NotFound
from runyard.store import experiments, logged_models
from runyard.store.engine import Database
from runyard.store.ingest import Ingest
from runyard.store.logged_models import ModelPoint
from runyard.store.run_writes import LogBatch
from runyard.wire.base import Tag
from runyard.wire.logged_models import LoggedModel, SearchedDataset, SearchOrder
from tests.contract.factories import (
    get,
    make_experiment,
    make_logged_model,
    make_run,
    point,
    search_logged_models,
    search_logged_models_page,
    statements_of,
)


def read(database: Database, model: LoggedModel) -> LoggedModel:
    found: LoggedModel = database.read(logged_models.get_logged_model, model.info.model_id)
    return found


def measure(ingest: Ingest, run_id: str, *points: ModelPoint) -> None:
    ingest.submit(LogBatch(run_id, metrics=[point("own", 1.0)], model_metrics=points)).result(10)


def metrics_of(model: LoggedModel) -> dict[tuple[str, str | None], object]:
    return {(metric.key, metric.dataset_name): metric.value for metric in model.data.metrics}


def test_a_logged_model_starts_pending_below_its_experiments_artifacts(database: Database) -> None:
    experiment_id = make_experiment(database, "e")
    model = make_logged_model(
        database, experiment_id, name="forest", model_type="sklearn", params={"depth": "3"}, tags={"team": "vision"}
    )
    info = model.info
    assert (info.name, info.model_type, info.status) == ("forest", "sklearn", "LOGGED_MODEL_PENDING")
    assert info.artifact_uri == f"mlflow-artifacts:/{experiment_id}/models/{info.model_id}/artifacts"
    assert (model.data.params, info.tags) == ([Tag("depth", "3")], [Tag("team", "vision")])
    assert read(database, model) == model


def test_a_logged_model_without_a_name_is_given_one(database: Database) -> None:
    assert make_logged_model(database, name=None).info.name


def test_a_logged_model_needs_an_active_experiment(database: Database) -> None:
    with pytest.raises(NotFound, match="77"):
        make_logged_model(database, "77")
    experiment_id = make_experiment(database, "e")
    database.write(experiments.delete_experiment, experiment_id)
    with pytest.raises(InvalidParameter, match=experiment_id):
        make_logged_model(database, experiment_id)


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("LOGGED_MODEL_READY", "LOGGED_MODEL_READY"),
        (2, "LOGGED_MODEL_READY"),
        ("LOGGED_MODEL_UPLOAD_FAILED", "LOGGED_MODEL_UPLOAD_FAILED"),
    ],
)
def test_finalizing_says_whether_the_files_are_there(database: Database, status: str | int, told: str) -> None:
    model = make_logged_model(database)
    database.write(logged_models.finalize_logged_model, model.info.model_id, status)
    assert read(database, model).info.status == told


def test_an_unknown_status_is_refused_with_the_valid_ones(database: Database) -> None:
    model = make_logged_model(database)
    for status in ("BOGUS", 17, -1):
        with pytest.raises(InvalidParameter, match="LOGGED_MODEL_READY"):
            database.write(logged_models.finalize_logged_model, model.info.model_id, status)


def test_a_deleted_model_is_found_by_nothing(database: Database) -> None:
    model = make_logged_model(database)
    model_id = model.info.model_id
    database.write(logged_models.delete_logged_model, model_id)
    assert search_logged_models(database) == []
    for operation, *arguments in (
        (logged_models.get_logged_model,),
        (logged_models.get_artifact_uri,),
        (logged_models.delete_logged_model,),
        (logged_models.finalize_logged_model, "LOGGED_MODEL_READY"),
        (logged_models.log_params, []),
        (logged_models.set_tags, []),
        (logged_models.delete_tag, "key"),
    ):
        with pytest.raises(NotFound, match=model_id):
            database.write(operation, model_id, *arguments)


def test_a_param_is_logged_once_and_another_value_is_refused(database: Database) -> None:
    model = make_logged_model(database, params={"depth": "3"})
    model_id = model.info.model_id
    database.write(logged_models.log_params, model_id, [Tag("depth", "3"), Tag("trees", "10")])
    with pytest.raises(InvalidParameter, match="depth"):
        database.write(logged_models.log_params, model_id, [Tag("new", "1"), Tag("depth", "4")])
    assert read(database, model).data.params == [Tag("depth", "3"), Tag("trees", "10")]


def test_tags_of_a_logged_model_are_overwritten_and_deleted(database: Database) -> None:
    model = make_logged_model(database, tags={"a": "1"})
    model_id = model.info.model_id
    database.write(logged_models.set_tags, model_id, [Tag("a", "2"), Tag("b", "3")])
    database.write(logged_models.delete_tag, model_id, "a")
    assert read(database, model).info.tags == [Tag("b", "3")]
    with pytest.raises(NotFound, match="a"):
        database.write(logged_models.delete_tag, model_id, "a")


def test_of_each_metric_run_and_dataset_the_latest_point_is_shown(database: Database, ingest: Ingest) -> None:
    model = make_logged_model(database)
    model_id, run_id = model.info.model_id, make_run(ingest)
    measure(
        ingest,
        run_id,
        ModelPoint(model_id, "auc", 0.9, 10, 2),
        ModelPoint(model_id, "auc", 0.8, 20, 1),
        ModelPoint(model_id, "auc", 0.7, 10, 1, "holdout", "d1"),
        ModelPoint(model_id, "loss", float("nan"), 10, 1),
    )
    # An older point that comes late changes nothing.
    measure(ingest, run_id, ModelPoint(model_id, "auc", 0.1, 99, 0))
    assert metrics_of(read(database, model)) == {("auc", None): 0.9, ("auc", "holdout"): 0.7, ("loss", None): "NaN"}
    assert {metric.run_id for metric in read(database, model).data.metrics} == {run_id}


def test_a_batch_about_an_unknown_model_is_refused_as_a_whole(database: Database, ingest: Ingest) -> None:
    known, run_id = make_logged_model(database), make_run(ingest)
    unknown = "m-" + "0" * 32
    with pytest.raises(NotFound, match=unknown):
        measure(ingest, run_id, ModelPoint(known.info.model_id, "auc", 1, 0, 0), ModelPoint(unknown, "auc", 1, 0, 0))
    assert read(database, known).data.metrics == []
    assert "metrics" not in get(database, run_id)["data"]


def test_logged_models_are_found_by_what_they_are_and_measured(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    for index, name in enumerate(("a", "b", "c")):
        model = make_logged_model(database, name=name, params={"depth": str(index)}, tags={"even": str(index % 2 == 0)})
        measure(
            ingest,
            run_id,
            ModelPoint(model.info.model_id, "auc", 0.1 * index, 0, 0),
            ModelPoint(model.info.model_id, "auc", 0.9 - 0.1 * index, 5, 0, "holdout", "d1"),
        )

    def found(**options) -> list[str]:
        return search_logged_models(database, **options)

    assert found(filter_text="name IN ('a', 'c')", order_by=[SearchOrder("name", ascending=True)]) == ["a", "c"]
    assert found(filter_text="params.depth = '1' AND tags.even = 'False'") == ["b"]
    assert found(filter_text="status = 'PENDING' AND metrics.auc < 0.05") == ["a"]
    # The later of the two values counts.
    assert found(order_by=[SearchOrder("metrics.auc", ascending=False)]) == ["a", "b", "c"]
    assert found(
        order_by=[SearchOrder("metrics.auc", ascending=True, dataset_name="holdout", dataset_digest="d1")]
    ) == ["c", "b", "a"]
    on_holdout = [SearchedDataset("holdout", "d1")]
    assert found(filter_text="metrics.auc > 0.85", datasets=on_holdout) == ["a"]
    assert found(filter_text="metrics.auc > 0.85", datasets=[SearchedDataset("other")]) == []
    with pytest.raises(InvalidFilter, match="colour"):
        found(filter_text="colour = 'red'")


def test_logged_models_are_shown_newest_first_and_in_pages(database: Database) -> None:
    for name in "abcde":
        make_logged_model(database, name=name)
    order = [SearchOrder("name", ascending=True)]
    first, token = search_logged_models_page(database, order_by=order, max_results=2)
    second, token = search_logged_models_page(database, order_by=order, max_results=2, page_token=token)
    third, token = search_logged_models_page(database, order_by=order, max_results=2, page_token=token)
    assert (first, second, third, token) == (["a", "b"], ["c", "d"], ["e"], None)
    assert sorted(search_logged_models(database)) == list("abcde")


def test_a_search_sees_the_models_of_its_experiments_only(database: Database) -> None:
    experiment_id = make_experiment(database, "e")
    make_logged_model(database, name="here")
    make_logged_model(database, experiment_id, name="there")
    assert search_logged_models(database, experiment_ids=[experiment_id]) == ["there"]
    assert sorted(search_logged_models(database, experiment_ids=["0", experiment_id])) == ["here", "there"]


def test_a_page_of_logged_models_costs_the_same_statements_however_many_it_has(
    database: Database, ingest: Ingest
) -> None:
    def fill(count: int) -> None:
        for _ in range(count):
            model = make_logged_model(database, params={"depth": "3"}, tags={"a": "1"})
            measure(ingest, run_id, ModelPoint(model.info.model_id, "auc", 1, 0, 0))

    run_id = make_run(ingest)
    fill(1)
    one = statements_of(database, lambda: search_logged_models(database))
    fill(8)
    assert statements_of(database, lambda: search_logged_models(database)) == one <= 6
