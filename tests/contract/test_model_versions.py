from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from runyard.errors import InvalidParameter, NotFound
from runyard.store import logged_models, model_versions, registered_models
from runyard.store.engine import Database
from runyard.store.ingest import Ingest
from tests.contract.factories import (
    get,
    make_experiment,
    make_logged_model,
    make_model,
    make_run,
    make_version,
    search_versions,
    search_versions_page,
    statements_of,
    tags_of,
)


def test_a_version_starts_ready_in_no_stage_with_what_it_was_given(database: Database) -> None:
    make_model(database, "iris")
    made = make_version(
        database, "iris", "s3://bucket/model", description="first", run_link="https://example.com", origin="test"
    )
    assert made == database.read(model_versions.get_model_version, "iris", "1")
    assert (made.name, made.version, made.status, made.current_stage) == ("iris", "1", "READY", "None")
    assert (made.source, made.description, made.run_link) == ("s3://bucket/model", "first", "https://example.com")
    assert tags_of(made) == {"origin": "test"}
    assert made.creation_timestamp == made.last_updated_timestamp > 1_600_000_000_000


def test_numbers_go_up_by_one_and_are_never_given_twice(database: Database) -> None:
    make_model(database, "iris")
    assert [make_version(database, "iris").version for _ in range(3)] == ["1", "2", "3"]
    database.write(model_versions.delete_model_version, "iris", "3")
    assert make_version(database, "iris").version == "4"
    with pytest.raises(NotFound, match="3"):
        database.read(model_versions.get_model_version, "iris", "3")


def test_versions_made_at_once_by_many_get_a_number_each(database: Database) -> None:
    make_model(database, "iris")
    together = threading.Barrier(8)

    def make() -> str:
        together.wait(10)
        return str(make_version(database, "iris").version)

    with ThreadPoolExecutor(8) as pool:
        numbers = [future.result(30) for future in [pool.submit(make) for _ in range(8)]]
    assert sorted(numbers, key=int) == [str(number) for number in range(1, 9)]


def test_a_version_of_no_model_is_not_found(database: Database) -> None:
    with pytest.raises(NotFound, match="nobody"):
        make_version(database, "nobody")
    make_model(database, "iris")
    operations: list[tuple[Any, ...]] = [
        (model_versions.get_model_version,),
        (model_versions.get_download_uri,),
        (model_versions.update_model_version, "text"),
        (model_versions.delete_model_version,),
        (model_versions.set_tag, "key", "value"),
        (model_versions.delete_tag, "key"),
    ]
    for operation, *arguments in operations:
        with pytest.raises(NotFound, match="9"):
            database.write(operation, "iris", "9", *arguments)


@pytest.mark.parametrize("version", ["one", "", "-1", "1.0", "9" * 20, "\u0661"])
def test_a_version_that_is_no_number_is_refused_by_name(database: Database, version: str) -> None:
    make_model(database, "iris")
    with pytest.raises(InvalidParameter, match="version"):
        database.read(model_versions.get_model_version, "iris", version)


def test_a_version_of_a_runs_artifact_has_its_files_where_the_run_keeps_them(
    database: Database, ingest: Ingest
) -> None:
    make_model(database, "iris")
    run_id = make_run(ingest)
    made = make_version(database, "iris", f"runs:/{run_id}/models/best")
    assert made.source == f"runs:/{run_id}/models/best"
    assert made.run_id == run_id
    root = get(database, run_id)["info"]["artifact_uri"]
    assert database.read(model_versions.get_download_uri, "iris", "1") == f"{root}/models/best"
    with pytest.raises(NotFound, match="f" * 32):
        make_version(database, "iris", f"runs:/{'f' * 32}/model")


def test_a_version_of_a_logged_model_has_its_files_its_run_and_is_named_by_it(
    database: Database, ingest: Ingest
) -> None:
    make_model(database, "iris")
    run_id = make_run(ingest)
    model = make_logged_model(database, source_run_id=run_id)
    made = make_version(database, "iris", f"models:/{model.info.model_id}")
    assert (made.model_id, made.run_id) == (model.info.model_id, run_id)
    assert database.read(model_versions.get_download_uri, "iris", "1") == model.info.artifact_uri
    registrations = database.read(logged_models.get_logged_model, model.info.model_id).info.registrations
    assert [(entry.name, entry.version) for entry in registrations] == [("iris", "1")]


def test_a_copy_of_a_version_has_the_files_of_the_original(database: Database) -> None:
    make_model(database, "original")
    make_model(database, "copy")
    make_version(database, "original", "s3://bucket/model")
    made = make_version(database, "copy", "models:/original/1")
    assert made.source == "models:/original/1"
    assert database.read(model_versions.get_download_uri, "copy", "1") == "s3://bucket/model"
    with pytest.raises(NotFound, match="9"):
        make_version(database, "copy", "models:/original/9")


@pytest.mark.parametrize(
    "source",
    [
        "/etc/passwd",
        "file:///etc/passwd",
        "file://host/share",
        "relative/path",
        "s3://bucket/../other",
        "s3://bucket/%2e%2e/other",
        "http://169.254.169.254/latest",
        "https://example.com/model",
        "ftp://example.com/model",
        "hdfs://host/model",
        "models:/a/1/deeper",
        "models:/a@champion",
        "models:/",
    ],
)
def test_a_source_that_climbs_out_or_makes_the_server_fetch_is_refused(database: Database, source: str) -> None:
    make_model(database, "iris")
    with pytest.raises(InvalidParameter, match=r"source|artifact_location"):
        make_version(database, "iris", source)
    assert database.read(registered_models.get_registered_model, "iris").latest_versions == []


def test_a_local_source_must_be_inside_its_runs_artifacts(database: Database, ingest: Ingest, tmp_path) -> None:
    experiment_id = make_experiment(database, "local", artifact_location=str(tmp_path / "artifacts"))
    run_id = make_run(ingest, experiment_id)
    root = get(database, run_id)["info"]["artifact_uri"]
    make_model(database, "iris")
    assert make_version(database, "iris", f"{root}/model", run_id=run_id).version == "1"
    for source, of_run in ((f"{root}/model", ""), (f"{root}/../../x", run_id), (str(tmp_path), run_id)):
        with pytest.raises(InvalidParameter):
            make_version(database, "iris", source, run_id=of_run)


def test_stages_are_taken_in_any_case_and_told_in_one(database: Database) -> None:
    make_model(database, "iris")
    make_version(database, "iris")
    for stage, told in (
        ("PRODUCTION", "Production"),
        ("staging", "Staging"),
        ("archived", "Archived"),
        ("none", "None"),
    ):
        moved = database.write(model_versions.transition_stage, "iris", "1", stage, archives_existing=False)
        assert moved.current_stage == told
    with pytest.raises(InvalidParameter, match="None, Staging, Production, Archived"):
        database.write(model_versions.transition_stage, "iris", "1", "Testing", archives_existing=False)


def test_archiving_moves_the_others_of_that_stage_and_only_those(database: Database) -> None:
    make_model(database, "iris")
    make_model(database, "other")
    for _ in range(3):
        make_version(database, "iris")
    make_version(database, "other")
    for name, version, stage in (
        ("iris", "1", "Production"),
        ("iris", "2", "Staging"),
        ("other", "1", "Production"),
    ):
        database.write(model_versions.transition_stage, name, version, stage, archives_existing=False)
    database.write(model_versions.transition_stage, "iris", "3", "Production", archives_existing=True)
    # Again: the one that is there already stays.
    database.write(model_versions.transition_stage, "iris", "3", "Production", archives_existing=True)
    stages = {f"{version.name} {version.version}": version.current_stage for version in search_versions(database)}
    assert stages == {"iris 1": "Archived", "iris 2": "Staging", "iris 3": "Production", "other 1": "Production"}


@pytest.mark.parametrize("stage", ["None", "Archived"])
def test_archiving_the_others_goes_with_the_stages_that_serve_only(database: Database, stage: str) -> None:
    make_model(database, "iris")
    make_version(database, "iris")
    with pytest.raises(InvalidParameter, match="archive_existing_versions"):
        database.write(model_versions.transition_stage, "iris", "1", stage, archives_existing=True)


def test_promotions_at_once_leave_one_version_in_production(database: Database) -> None:
    make_model(database, "iris")
    for _ in range(6):
        make_version(database, "iris")
    together = threading.Barrier(6)

    def promote(version: int) -> None:
        together.wait(10)
        database.write(model_versions.transition_stage, "iris", version, "Production", archives_existing=True)

    with ThreadPoolExecutor(6) as pool:
        for future in [pool.submit(promote, version) for version in range(1, 7)]:
            future.result(30)
    stages = sorted(version.current_stage for version in search_versions(database))
    assert stages == ["Archived"] * 5 + ["Production"]


def test_tags_and_description_of_a_version_change_and_its_time_with_them(database: Database) -> None:
    make_model(database, "iris")
    make_version(database, "iris", a="1")
    database.write(model_versions.set_tag, "iris", "1", "a", "2")
    database.write(model_versions.set_tag, "iris", "1", "b", "3")
    database.write(model_versions.delete_tag, "iris", "1", "a")
    database.write(model_versions.delete_tag, "iris", "1", "a")
    changed = database.write(model_versions.update_model_version, "iris", "1", "better")
    assert (tags_of(changed), changed.description) == ({"b": "3"}, "better")
    assert changed.last_updated_timestamp >= changed.creation_timestamp


def test_versions_are_found_by_what_they_are(database: Database, ingest: Ingest) -> None:
    run_id = make_run(ingest)
    make_model(database, "iris")
    make_version(database, "iris", "s3://bucket/1", even="False")
    make_version(database, "iris", "s3://bucket/2", run_id=run_id, even="True")
    make_version(database, "iris", "s3://bucket/3", even="False")
    database.write(model_versions.transition_stage, "iris", "3", "Production", archives_existing=False)

    def found(filter_text: str) -> set[str]:
        return {version.version for version in search_versions(database, filter_text=filter_text)}

    assert found("name = 'iris'") == {"1", "2", "3"}
    assert found(f"run_id = '{run_id}'") == {"2"}
    assert found(f"run_id IN ('{run_id}', 'x')") == {"2"}
    assert found("source_path = 's3://bucket/1'") == {"1"}
    assert found("version_number >= 2") == {"2", "3"}
    assert found("tags.even = 'False' AND current_stage != 'Production'") == {"1"}
    assert found("current_stage = 'Production' OR version_number = 1") == {"1", "3"}
    assert found("creation_timestamp > 0 AND NOT tags.even = 'False'") == {"2"}


def test_pages_of_versions_meet_every_version_once(database: Database) -> None:
    make_model(database, "iris")
    for _ in range(5):
        make_version(database, "iris")
    order = ["version_number ASC"]
    first, token = search_versions_page(database, order_by=order, max_results=2)
    second, token = search_versions_page(database, order_by=order, max_results=2, page_token=token)
    third, token = search_versions_page(database, order_by=order, max_results=2, page_token=token)
    assert [[version.version for version in page] for page in (first, second, third)] == [
        ["1", "2"],
        ["3", "4"],
        ["5"],
    ]
    assert token is None


def test_a_page_of_versions_costs_the_same_statements_however_many_it_has(database: Database) -> None:
    make_model(database, "iris")
    make_version(database, "iris", key="value")
    one = statements_of(database, lambda: search_versions(database))
    for _ in range(8):
        make_version(database, "iris", key="value")
    assert statements_of(database, lambda: search_versions(database)) == one <= 4
