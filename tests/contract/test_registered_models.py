from __future__ import annotations

import pytest

from runyard.errors import AlreadyExists, InvalidFilter, InvalidParameter, NotFound
from runyard.store import model_versions, registered_models
from runyard.store.engine import Database
from tests.contract.factories import (
    make_model,
    make_version,
    search_models,
    search_models_page,
    statements_of,
    tags_of,
)


def test_a_model_starts_with_its_description_tags_and_no_versions(database: Database) -> None:
    make_model(database, "iris", description="petals", team="vision", stale="no")
    model = database.read(registered_models.get_registered_model, "iris")
    assert (model.name, model.description, tags_of(model)) == ("iris", "petals", {"team": "vision", "stale": "no"})
    assert model.creation_timestamp == model.last_updated_timestamp > 1_600_000_000_000
    assert (model.latest_versions, model.aliases) == ([], [])


def test_a_name_is_taken_once_and_free_again_after_its_model_is_deleted(database: Database) -> None:
    make_model(database, "iris")
    with pytest.raises(AlreadyExists, match="iris"):
        make_model(database, "iris")
    make_model(database, "IRIS")
    database.write(registered_models.delete_registered_model, "iris")
    make_model(database, "iris")
    # And it is a new model, not the old one come back.
    assert make_version(database, "iris").version == "1"


def test_what_is_not_there_is_not_found_by_any_operation(database: Database) -> None:
    for operation, *arguments in (
        (registered_models.get_registered_model,),
        (registered_models.update_registered_model, "text"),
        (registered_models.rename_registered_model, "other"),
        (registered_models.delete_registered_model,),
        (registered_models.set_tag, "key", "value"),
        (registered_models.delete_tag, "key"),
        (registered_models.set_alias, "champion", "1"),
        (registered_models.delete_alias, "champion"),
        (registered_models.get_version_by_alias, "champion"),
        (registered_models.get_latest_versions, []),
    ):
        with pytest.raises(NotFound, match="nobody"):
            database.write(operation, "nobody", *arguments)


def test_renaming_takes_versions_tags_and_aliases_along(database: Database) -> None:
    make_model(database, "old", team="vision")
    make_version(database, "old")
    database.write(registered_models.set_alias, "old", "champion", "1")
    model = database.write(registered_models.rename_registered_model, "old", "new")
    assert (model.name, tags_of(model)) == ("new", {"team": "vision"})
    assert [(alias.alias, alias.version) for alias in model.aliases] == [("champion", "1")]
    assert database.read(model_versions.get_model_version, "new", "1").name == "new"
    with pytest.raises(NotFound, match="old"):
        database.read(registered_models.get_registered_model, "old")
    assert database.read(registered_models.get_version_by_alias, "new", "champion").version == "1"


def test_renaming_onto_a_taken_name_is_refused_and_onto_itself_is_fine(database: Database) -> None:
    make_model(database, "a")
    make_model(database, "b")
    with pytest.raises(AlreadyExists, match="b"):
        database.write(registered_models.rename_registered_model, "a", "b")
    assert database.write(registered_models.rename_registered_model, "a", "a").name == "a"


def test_tags_are_overwritten_and_deleted_and_deleting_none_is_no_error(database: Database) -> None:
    make_model(database, "iris", a="1")
    database.write(registered_models.set_tag, "iris", "a", "2")
    database.write(registered_models.set_tag, "iris", "b", "x" * 100_000)
    database.write(registered_models.delete_tag, "iris", "a")
    database.write(registered_models.delete_tag, "iris", "a")
    assert tags_of(database.read(registered_models.get_registered_model, "iris")) == {"b": "x" * 100_000}


def test_deleting_a_model_deletes_its_versions_whatever_their_stages(database: Database) -> None:
    make_model(database, "iris")
    make_version(database, "iris")
    database.write(registered_models.set_alias, "iris", "champion", "1")
    database.write(model_versions.transition_stage, "iris", "1", "Production", archives_existing=False)
    database.write(registered_models.delete_registered_model, "iris")
    with pytest.raises(NotFound):
        database.read(model_versions.get_model_version, "iris", "1")
    make_model(database, "iris")
    model = database.read(registered_models.get_registered_model, "iris")
    assert (model.aliases, model.latest_versions) == ([], [])


def test_an_alias_moves_to_the_version_it_was_set_on_last(database: Database) -> None:
    make_model(database, "iris")
    for _ in range(2):
        make_version(database, "iris")
    database.write(registered_models.set_alias, "iris", "champion", "1")
    database.write(registered_models.set_alias, "iris", "Champion", "1")
    database.write(registered_models.set_alias, "iris", "champion", "2")
    assert database.read(registered_models.get_version_by_alias, "iris", "champion").version == "2"
    assert database.read(registered_models.get_version_by_alias, "iris", "Champion").version == "1"
    assert database.read(model_versions.get_model_version, "iris", "1").aliases == ["Champion"]


def test_an_unknown_alias_is_an_invalid_parameter_and_deleting_one_is_no_error(database: Database) -> None:
    make_model(database, "iris")
    database.write(registered_models.delete_alias, "iris", "nobody")
    with pytest.raises(InvalidParameter, match="nobody"):
        database.read(registered_models.get_version_by_alias, "iris", "nobody")
    with pytest.raises(NotFound, match="7"):
        database.write(registered_models.set_alias, "iris", "champion", "7")


def test_an_alias_ends_with_its_version(database: Database) -> None:
    make_model(database, "iris")
    make_version(database, "iris")
    database.write(registered_models.set_alias, "iris", "champion", "1")
    database.write(model_versions.delete_model_version, "iris", "1")
    assert database.read(registered_models.get_registered_model, "iris").aliases == []
    with pytest.raises(InvalidParameter, match="champion"):
        database.read(registered_models.get_version_by_alias, "iris", "champion")


def test_a_change_to_a_model_or_its_versions_moves_its_time_on(database: Database) -> None:
    make_model(database, "iris")
    make_version(database, "iris")
    for change in (
        lambda: database.write(registered_models.update_registered_model, "iris", "text"),
        lambda: database.write(registered_models.set_tag, "iris", "key", "value"),
        lambda: database.write(registered_models.set_alias, "iris", "champion", "1"),
        lambda: make_version(database, "iris"),
        lambda: database.write(model_versions.transition_stage, "iris", "1", "Staging", archives_existing=False),
    ):
        before = database.read(registered_models.get_registered_model, "iris").last_updated_timestamp
        change()
        while database.read(registered_models.get_registered_model, "iris").last_updated_timestamp == before:
            change()


def test_the_latest_versions_are_the_newest_of_each_stage(database: Database) -> None:
    make_model(database, "iris")
    for _ in range(5):
        make_version(database, "iris")
    for version, stage in (("1", "Production"), ("2", "Production"), ("3", "Staging")):
        database.write(model_versions.transition_stage, "iris", version, stage, archives_existing=False)

    def latest(*stages: str) -> set[tuple[str, str]]:
        found = database.read(registered_models.get_latest_versions, "iris", stages)
        return {(version.current_stage, version.version) for version in found}

    assert latest() == {("None", "5"), ("Staging", "3"), ("Production", "2")}
    assert latest("production", "ARCHIVED") == {("Production", "2")}
    assert latest("Archived") == set()
    with pytest.raises(InvalidParameter, match="None, Staging, Production, Archived"):
        latest("latest")
    model = database.read(registered_models.get_registered_model, "iris")
    assert {(version.current_stage, version.version) for version in model.latest_versions} == latest()


def test_a_search_shows_models_by_name_and_no_prompts_unless_asked(database: Database) -> None:
    for name in ("b", "a", "c"):
        make_model(database, name)
    make_model(database, "prompt", **{"mlflow.prompt.is_prompt": "true"})
    assert search_models(database) == ["a", "b", "c"]
    assert search_models(database, filter_text="tag.`mlflow.prompt.is_prompt` = 'true'") == ["prompt"]
    # What stock clients add to every search; models without the tag must match.
    assert search_models(database, filter_text="tag.`mlflow.prompt.is_prompt` != 'true'") == ["a", "b", "c"]


def test_models_are_found_by_name_tag_and_time(database: Database) -> None:
    for index, name in enumerate(("alpha", "beta", "gamma")):
        make_model(database, name, even=str(index % 2 == 0))
    assert search_models(database, filter_text="name LIKE '%a%' AND tags.even = 'True'") == ["alpha", "gamma"]
    assert search_models(database, filter_text="name ILIKE 'BETA'") == ["beta"]
    assert search_models(database, filter_text="name IN ('alpha', 'beta') OR tags.even = 'True'") == [
        "alpha",
        "beta",
        "gamma",
    ]
    assert search_models(database, filter_text="creation_timestamp > 0", order_by=["name DESC"]) == [
        "gamma",
        "beta",
        "alpha",
    ]
    with pytest.raises(InvalidFilter, match="colour"):
        search_models(database, filter_text="colour = 'red'")


def test_pages_of_models_meet_every_model_once_while_others_come_and_go(database: Database) -> None:
    for number in range(7):
        make_model(database, f"m{number}")
    first, token = search_models_page(database, max_results=3)
    assert first == ["m0", "m1", "m2"]
    database.write(registered_models.delete_registered_model, "m1")
    make_model(database, "m00")
    second, token = search_models_page(database, max_results=3, page_token=token)
    third, token = search_models_page(database, max_results=3, page_token=token)
    assert (second, third, token) == (["m3", "m4", "m5"], ["m6"], None)


def test_a_page_of_models_costs_the_same_statements_however_many_models_it_has(database: Database) -> None:
    def fill(*names: str) -> None:
        for name in names:
            make_model(database, name, key="value")
            make_version(database, name)
            database.write(registered_models.set_alias, name, "champion", "1")

    fill("a")
    one = statements_of(database, lambda: search_models(database))
    fill(*"bcdefgh")
    assert statements_of(database, lambda: search_models(database)) == one <= 6
