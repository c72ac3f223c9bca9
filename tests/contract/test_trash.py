"""Deleting for good what is in the trash, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from runyard.errors import InvalidParameter, NotFound
from runyard.store import logged_models, retention, run_inputs, runs, trash
from runyard.store.clock import now_ms
from runyard.store.engine import Database
from runyard.store.experiments import delete_experiment, get_experiment, restore_experiment
from runyard.store.ingest import Ingest
from runyard.store.retention import BY_HAND, MODEL, RUN, Kind
from runyard.store.run_writes import LogBatch
from runyard.store.schema import SCHEMA_METADATA, purges
from runyard.store.trash import Freed
from runyard.wire.runs import DatasetInputSpec, DatasetSpec, InputTag, ModelOutputSpec
from runyard.wire.trash import TrashSummary
from tests.contract.factories import (
    get,
    log,
    make_experiment,
    make_logged_model,
    make_model,
    make_run,
    make_version,
    point,
    search,
)

KEPT_ALWAYS = {"keys", "purges", "commits"}


def move_to_trash(ingest: Ingest, run_id: str) -> None:
    ingest.submit(runs.deletion(run_id)).result(10)


def make_full_run(database: Database, ingest: Ingest, experiment_id: str) -> str:
    """Return a run that has a row in every table of a run's, and of a logged model that it made."""
    run_id = make_run(ingest, experiment_id, metrics={"m": 1.0, "n": float("nan")}, params={"p": "1"}, tags={"t": "1"})
    model_id = make_logged_model(
        database, experiment_id, source_run_id=run_id, params={"p": "1"}, tags={"t": "1"}
    ).info.model_id
    dataset = DatasetInputSpec(
        dataset=DatasetSpec(name="d", digest="1", source_type="s", source="s"),
        tags=[InputTag("mlflow.data.context", "c")],
    )
    ingest.submit(run_inputs.log_inputs(run_id, [dataset], [model_id])).result(10)
    ingest.submit(run_inputs.log_outputs(run_id, [ModelOutputSpec(model_id=model_id, step=0)])).result(10)
    measured = logged_models.ModelPoint(model_id, "m", 1.0, 0, 0)
    ingest.submit(LogBatch(run_id, metrics=[point("m", 1.0)], model_metrics=[measured])).result(10)
    return run_id


def row_counts(database: Database) -> dict[str, int]:
    """Return how many rows each table has that any has."""

    def count(connection: Any) -> dict[str, int]:
        return {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in SCHEMA_METADATA.sorted_tables
            if table.name not in KEPT_ALWAYS
        }

    return {name: rows for name, rows in database.read(count).items() if rows}


def purge(database: Database, kind: Kind, row_ids: Sequence[int]) -> int:
    """Delete for good, as whoever empties the trash does; return how many of them."""
    expired = database.write(retention.claim, kind, row_ids, BY_HAND, now_ms()).expired
    return len(database.write(trash.delete_owners, kind, [Freed(owner, 1, 10) for owner in expired], "test"))


def delete_runs(database: Database, *run_ids: str) -> int:
    return purge(database, RUN, database.read(trash.get_deleted, RUN, run_ids))


def delete_whole_experiment(database: Database, experiment_id: str) -> None:
    [number] = database.read(trash.get_deleted_experiments, [experiment_id])
    assert database.write(retention.claim_experiment, number, BY_HAND, now_ms()) is None
    for kind in (RUN, MODEL):
        purge(database, kind, database.read(retention.list_of_experiment, kind, number))
    assert database.write(trash.delete_experiment, number, "test")


def test_the_summary_counts_deleted_experiments_and_the_deleted_runs_of_the_others(
    database: Database, ingest: Ingest
) -> None:
    assert database.read(trash.summarize_trash) == TrashSummary(experiment_count=0, run_count=0)
    experiment_id = make_experiment(database)
    for place in ("0", "0", experiment_id):
        move_to_trash(ingest, make_run(ingest, place))
        make_run(ingest, place)
    assert database.read(trash.summarize_trash) == TrashSummary(experiment_count=0, run_count=3)
    database.write(delete_experiment, experiment_id)
    assert database.read(trash.summarize_trash) == TrashSummary(experiment_count=1, run_count=2)


def test_a_run_goes_with_all_that_was_logged_to_it_and_no_other_does(database: Database, ingest: Ingest) -> None:
    kept = make_full_run(database, ingest, "0")
    before, kept_before = row_counts(database), get(database, kept)
    gone = make_run(ingest, metrics={"m": 2.0}, params={"p": "2"}, tags={"t": "2"})
    move_to_trash(ingest, gone)
    assert delete_runs(database, gone) == 1
    assert row_counts(database) == before
    assert get(database, kept) == kept_before


def test_nothing_of_a_run_is_left_in_any_table(database: Database, ingest: Ingest) -> None:
    run_id = make_full_run(database, ingest, "0")
    full = row_counts(database)
    assert {
        "metrics",
        "latest_metrics",
        "params",
        "run_tags",
        "run_datasets",
        "run_dataset_tags",
        "run_models",
    } <= full.keys()
    move_to_trash(ingest, run_id)
    delete_runs(database, run_id)
    left = row_counts(database)
    assert {name for name in left if name.startswith("run")} | left.keys() & {
        "metrics",
        "latest_metrics",
        "params",
    } == set()


def test_a_run_that_was_read_before_is_not_found_any_more(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, metrics={"m": 1.0})
    assert get(database, run_id)["data"]["metrics"]
    move_to_trash(ingest, run_id)
    assert get(database, run_id)["info"]["lifecycle_stage"] == "deleted"
    delete_runs(database, run_id)
    with pytest.raises(NotFound, match=run_id):
        get(database, run_id)
    assert search(database, "0", view_type="ALL") == []
    with pytest.raises(NotFound, match=run_id):
        log(ingest, run_id, metrics=[point("m", 1.0)])


def test_an_experiment_goes_with_its_runs_models_and_datasets(database: Database, ingest: Ingest) -> None:
    before = row_counts(database)
    experiment_id = make_experiment(database, "gone", colour="red")
    make_full_run(database, ingest, experiment_id)
    move_to_trash(ingest, make_run(ingest, experiment_id))
    database.write(delete_experiment, experiment_id)
    delete_whole_experiment(database, experiment_id)
    assert row_counts(database) == before
    with pytest.raises(NotFound, match=experiment_id):
        database.read(get_experiment, experiment_id)
    assert make_experiment(database, "gone") != experiment_id


def test_a_run_that_was_restored_in_a_deleted_experiment_goes_with_it(database: Database, ingest: Ingest) -> None:
    experiment_id = make_experiment(database)
    run_id = make_run(ingest, experiment_id)
    database.write(delete_experiment, experiment_id)
    ingest.submit(runs.restoration(run_id)).result(10)
    delete_whole_experiment(database, experiment_id)
    with pytest.raises(NotFound):
        get(database, run_id)


def test_what_is_active_or_unknown_is_refused_by_name(database: Database, ingest: Ingest) -> None:
    deleted, active = make_run(ingest), make_run(ingest)
    move_to_trash(ingest, deleted)
    with pytest.raises(InvalidParameter, match=active):
        database.read(trash.get_deleted, RUN, [deleted, active])
    with pytest.raises(NotFound, match="nope"):
        database.read(trash.get_deleted, RUN, [deleted, "nope"])
    with pytest.raises(InvalidParameter, match="experiment 0"):
        database.read(trash.get_deleted_experiments, ["0"])
    with pytest.raises(NotFound, match="999"):
        database.read(trash.get_deleted_experiments, ["999"])
    with pytest.raises(InvalidParameter):
        database.read(trash.get_deleted_experiments, ["x"])


def test_what_is_named_twice_is_deleted_once(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    move_to_trash(ingest, run_id)
    assert delete_runs(database, run_id, run_id) == 1


def test_what_is_restored_before_it_is_claimed_stays(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest, metrics={"m": 1.0})
    move_to_trash(ingest, run_id)
    row_ids = database.read(trash.get_deleted, RUN, [run_id])
    ingest.submit(runs.restoration(run_id)).result(10)
    assert purge(database, RUN, row_ids) == 0
    assert get(database, run_id)["data"]["metrics"]
    experiment_id = make_experiment(database)
    kept = make_run(ingest, experiment_id)
    database.write(delete_experiment, experiment_id)
    database.write(restore_experiment, experiment_id)
    assert database.write(retention.claim_experiment, int(experiment_id), BY_HAND, now_ms()) is not None
    assert purge(database, RUN, database.read(retention.list_of_experiment, RUN, int(experiment_id))) == 0
    assert get(database, kept)["info"]["lifecycle_stage"] == "active"


def test_nothing_brings_back_what_is_claimed(database: Database, ingest: Ingest) -> None:
    experiment_id = make_experiment(database)
    run_id, other = make_run(ingest), make_run(ingest, experiment_id)
    move_to_trash(ingest, run_id)
    database.write(delete_experiment, experiment_id)
    row_ids = database.read(trash.get_deleted, RUN, [run_id])
    database.write(retention.claim, RUN, row_ids, BY_HAND, now_ms())
    database.write(retention.claim_experiment, int(experiment_id), BY_HAND, now_ms())
    for claimed in (run_id, other):
        with pytest.raises(InvalidParameter, match="is being deleted for good"):
            ingest.submit(runs.restoration(claimed)).result(10)
    with pytest.raises(InvalidParameter, match="is being deleted for good"):
        database.write(restore_experiment, experiment_id)
    make_model(database, "model")
    for source in (f"runs:/{run_id}/model", f"s3://bucket/0/{run_id}/artifacts/model"):
        with pytest.raises(InvalidParameter, match=f"{run_id} is being deleted for good"):
            make_version(database, "model", source)
    with pytest.raises(InvalidParameter, match=f"{run_id} is being deleted for good"):
        make_version(database, "model", "s3://elsewhere", run_id=run_id)


def test_what_a_model_version_came_from_stays(database: Database, ingest: Ingest) -> None:
    make_model(database, "model")
    by_source, by_name, by_place, free = (make_run(ingest) for _ in range(4))
    model_id = make_logged_model(database).info.model_id
    make_version(database, "model", f"runs:/{by_source}/model")
    make_version(database, "model", "s3://elsewhere/model", run_id=by_name)
    make_version(database, "model", f"s3://bucket/0/{by_place}/artifacts/model")
    make_version(database, "model", f"models:/{model_id}")
    database.write(logged_models.delete_logged_model, model_id)
    for run_id in (by_source, by_name, by_place, free):
        move_to_trash(ingest, run_id)
    assert purge(database, MODEL, database.read(trash.get_deleted, MODEL, [model_id])) == 0
    assert delete_runs(database, by_source, by_name, by_place, free) == 1
    assert {run["info"]["run_id"] for run in search(database, view_type="ALL")} == {by_source, by_name, by_place}


def test_what_is_above_or_below_the_files_of_a_version_stays(database: Database, ingest: Ingest) -> None:
    experiment_id = make_experiment(database, artifact_location="s3://bucket/place")
    run_id = make_run(ingest, experiment_id)
    make_model(database, "model")
    make_version(database, "model", "s3://bucket/place")
    move_to_trash(ingest, run_id)
    assert delete_runs(database, run_id) == 0


def test_each_thing_that_went_is_on_record_with_what_it_freed(database: Database, ingest: Ingest) -> None:
    experiment_id = make_experiment(database)
    run_id = make_run(ingest, experiment_id)
    model_id = make_logged_model(database, experiment_id).info.model_id
    database.write(delete_experiment, experiment_id)
    delete_whole_experiment(database, experiment_id)
    rows = database.read(lambda connection: connection.execute(sa.select(purges).order_by(purges.c.id)).all())
    assert [(row.kind, row.name, row.experiment_id, row.actor, row.file_count, row.size_bytes) for row in rows] == [
        ("run", run_id, experiment_id, "test", 1, 10),
        ("logged model", model_id, experiment_id, "test", 1, 10),
        ("experiment", experiment_id, experiment_id, "test", 0, 0),
    ]
    assert all(now_ms() - 60_000 < row.deleted_time <= row.time for row in rows)


def test_very_many_points_go_in_steps(database: Database, ingest: Ingest) -> None:
    kept = make_run(ingest, metrics={"m": 1.0})
    run_id = make_run(ingest)
    log(ingest, run_id, metrics=[point(key, step / 7, step=step) for key in "ab" for step in range(14)])
    log(ingest, run_id, metrics=[point("a", float("nan"), step=3)])
    move_to_trash(ingest, run_id)
    [row_id] = database.read(trash.get_deleted, RUN, [run_id])
    assert not database.write(trash.delete_points, row_id, max_points=10)
    database.write(retention.claim, RUN, [row_id], BY_HAND, now_ms())

    def left() -> int:
        return database.read(trash.count_points, [row_id]).get(row_id, 0)

    steps = [left()]
    while database.write(trash.delete_points, row_id, max_points=10):
        steps.append(left())
    assert steps == [29, 19, 9]
    assert delete_runs(database, run_id) == 1
    assert left() == 0
    assert len(get(database, kept)["data"]["metrics"]) == 1
