from __future__ import annotations

import threading

import pytest

from runyard.errors import AlreadyExists, InvalidFilter, InvalidParameter, NotFound
from runyard.store import experiments, runs
from runyard.store.engine import Database
from runyard.store.ingest import Ingest
from tests.contract.factories import get, make_experiment, make_run


def names(database: Database, **options: object) -> list[str]:
    arguments = {
        "view_type": None,
        "filter_text": None,
        "order_by": ("name",),
        "max_results": 100,
        "page_token": None,
        **options,
    }
    found, _ = database.read(experiments.search_experiments, **arguments)  # type: ignore[arg-type]
    return [experiment.name for experiment in found]


def test_a_new_database_has_the_default_experiment_with_id_0(database: Database) -> None:
    experiment = database.read(experiments.get_experiment, "0")
    assert (experiment.name, experiment.lifecycle_stage) == ("Default", "active")
    assert experiment.artifact_location == "mlflow-artifacts:/0"


def test_an_experiment_gets_its_artifacts_under_the_root_unless_it_names_a_place(database: Database) -> None:
    first = make_experiment(database, "first")
    assert database.read(experiments.get_experiment, first).artifact_location == f"mlflow-artifacts:/{first}"
    second = database.write(
        experiments.create_experiment, "second", artifact_location="s3://bucket/x", artifact_root="/unused", tags=()
    )
    assert database.read(experiments.get_experiment, str(second)).artifact_location == "s3://bucket/x"


def test_a_taken_name_is_refused_without_a_word_of_sql(database: Database) -> None:
    make_experiment(database, "taken")
    with pytest.raises(AlreadyExists, match="'taken' already exists") as error:
        make_experiment(database, "taken")
    assert "INSERT" not in error.value.message.upper().replace("INSERTED", "")


def test_two_clients_that_create_one_name_at_once_get_one_experiment(database: Database) -> None:
    outcomes: list[str] = []

    def create() -> None:
        try:
            outcomes.append(make_experiment(database, "race"))
        except AlreadyExists:
            outcomes.append("exists")

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes)[1:] == ["exists"] * 7


def test_a_deleted_experiments_name_can_be_used_again(database: Database) -> None:
    old = make_experiment(database, "name")
    database.write(experiments.delete_experiment, old)
    new = make_experiment(database, "name")
    assert new != old
    assert database.read(experiments.get_experiment_by_name, "name").experiment_id == new
    with pytest.raises(AlreadyExists, match="name"):
        database.write(experiments.restore_experiment, old)


def test_a_deleted_experiment_is_found_by_its_name_while_no_active_one_has_it(database: Database) -> None:
    experiment_id = make_experiment(database, "gone")
    database.write(experiments.delete_experiment, experiment_id)
    found = database.read(experiments.get_experiment_by_name, "gone")
    assert (found.experiment_id, found.lifecycle_stage) == (experiment_id, "deleted")


def test_restoring_an_experiment_restores_the_runs_deleted_with_it_and_no_others(
    database: Database, ingest: Ingest
) -> None:
    experiment_id = make_experiment(database)
    kept, deleted_before = make_run(ingest, experiment_id), make_run(ingest, experiment_id)
    ingest.submit(runs.deletion(deleted_before)).result(10)
    database.write(experiments.delete_experiment, experiment_id)
    assert get(database, kept)["info"]["lifecycle_stage"] == "deleted"
    database.write(experiments.restore_experiment, experiment_id)
    assert get(database, kept)["info"]["lifecycle_stage"] == "active"
    assert get(database, deleted_before)["info"]["lifecycle_stage"] == "deleted"


def test_deleting_or_restoring_twice_is_not_found(database: Database) -> None:
    experiment_id = make_experiment(database)
    with pytest.raises(NotFound):
        database.write(experiments.restore_experiment, experiment_id)
    database.write(experiments.delete_experiment, experiment_id)
    with pytest.raises(NotFound):
        database.write(experiments.delete_experiment, experiment_id)


def test_a_deleted_experiment_takes_no_runs_tags_or_name(database: Database, ingest: Ingest) -> None:
    experiment_id = make_experiment(database)
    database.write(experiments.delete_experiment, experiment_id)
    with pytest.raises(InvalidParameter, match="active"):
        make_run(ingest, experiment_id)
    with pytest.raises(InvalidParameter, match="deleted"):
        database.write(experiments.set_experiment_tag, experiment_id, "k", "v")
    with pytest.raises(InvalidParameter, match="deleted"):
        database.write(experiments.rename_experiment, experiment_id, "new")


@pytest.mark.parametrize("experiment_id", ["abc", "", "-1", "9" * 30, "1.5", "\u0661"])
def test_an_id_that_is_no_number_is_refused_by_name(database: Database, experiment_id: str) -> None:
    with pytest.raises(InvalidParameter, match="experiment ID"):
        database.read(experiments.get_experiment, experiment_id)


def test_an_unknown_experiment_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound, match="id=77"):
        database.read(experiments.get_experiment, "77")
    with pytest.raises(NotFound, match="nobody"):
        database.read(experiments.get_experiment_by_name, "nobody")


def test_renaming_onto_a_taken_name_is_refused_and_onto_itself_is_fine(database: Database) -> None:
    first, _ = make_experiment(database, "first"), make_experiment(database, "second")
    with pytest.raises(AlreadyExists, match="second"):
        database.write(experiments.rename_experiment, first, "second")
    database.write(experiments.rename_experiment, first, "first")
    database.write(experiments.rename_experiment, first, "third")
    assert database.read(experiments.get_experiment, first).name == "third"


def test_tags_are_set_changed_and_deleted(database: Database) -> None:
    experiment_id = make_experiment(database, "tagged", team="vision")
    database.write(experiments.set_experiment_tag, experiment_id, "team", "speech")
    database.write(experiments.set_experiment_tag, experiment_id, "stage", "early")
    tags = {tag.key: tag.value for tag in database.read(experiments.get_experiment, experiment_id).tags}
    assert tags == {"team": "speech", "stage": "early"}
    database.write(experiments.delete_experiment_tag, experiment_id, "stage")
    with pytest.raises(NotFound, match="stage"):
        database.write(experiments.delete_experiment_tag, experiment_id, "stage")


def test_searches_see_the_stage_asked_for(database: Database) -> None:
    make_experiment(database, "alive")
    database.write(experiments.delete_experiment, make_experiment(database, "dead"))
    assert names(database) == ["Default", "alive"]
    assert names(database, view_type="DELETED_ONLY") == ["dead"]
    assert names(database, view_type=3) == ["Default", "alive", "dead"]
    with pytest.raises(InvalidParameter, match="ACTIVE_ONLY"):
        names(database, view_type="BOGUS")


def test_searches_filter_by_name_and_tag(database: Database) -> None:
    make_experiment(database, "Alpha", team="vision")
    make_experiment(database, "beta", team="speech")
    assert names(database, filter_text="name LIKE 'A%'") == ["Alpha"]
    assert names(database, filter_text="name LIKE 'a%'") == []
    assert names(database, filter_text="name ILIKE 'a%'") == ["Alpha"]
    assert names(database, filter_text="tags.team = 'speech'") == ["beta"]
    with pytest.raises(InvalidFilter, match="character"):
        names(database, filter_text="name ==== 'x'")


def test_pages_hold_every_experiment_once(database: Database) -> None:
    for number in range(7):
        make_experiment(database, f"e{number}")
    seen: list[str] = []
    token = None
    while True:
        found, token = database.read(
            experiments.search_experiments,
            view_type=None,
            filter_text=None,
            order_by=(),
            max_results=3,
            page_token=token,
        )
        seen += [experiment.name for experiment in found]
        if token is None:
            break
    assert sorted(seen) == sorted(["Default", *(f"e{number}" for number in range(7))])
