"""The model registry: models and versions made, tagged, aliased, staged, searched, renamed, copied and deleted."""

from __future__ import annotations

import mlflow
from mlflow import MlflowClient

from tests.compat.sessions.session import CLIENT_MAJOR, IS_RUNYARD, refused, unique

client = MlflowClient()
experiment_id = client.create_experiment(unique("registry"))
run = client.create_run(experiment_id)
SOURCE = f"{run.info.artifact_uri}/model"


def new_version(name: str, **named):
    return client.create_model_version(name, SOURCE, run.info.run_id, **named)


def registered_models() -> None:
    name = unique("Régistered model")
    made = client.create_registered_model(name, tags={"team": "vision", "n": "1"}, description="what it is")
    assert made.name == name
    assert made.creation_timestamp > 1_600_000_000_000
    with refused("RESOURCE_ALREADY_EXISTS"):
        client.create_registered_model(name)
    read = client.get_registered_model(name)
    assert (read.description, read.tags, read.latest_versions, read.aliases) == (
        "what it is",
        {"team": "vision", "n": "1"},
        [],
        {},
    )
    updated = client.update_registered_model(name, "what it *became*")
    assert updated.description == "what it *became*"
    client.set_registered_model_tag(name, "n", "2")
    client.delete_registered_model_tag(name, "team")
    read = client.get_registered_model(name)
    assert read.tags == {"n": "2"}
    assert read.last_updated_timestamp >= read.creation_timestamp

    new_version(name)
    new_name = unique("renamed")
    client.set_registered_model_alias(name, "best", "1")
    client.rename_registered_model(name, new_name)
    with refused("RESOURCE_DOES_NOT_EXIST", naming=name):
        client.get_registered_model(name)
    assert client.get_model_version(new_name, "1").name == new_name
    assert client.get_model_version_by_alias(new_name, "best").version == "1"
    taken = unique("taken")
    client.create_registered_model(taken)
    with refused("RESOURCE_ALREADY_EXISTS"):
        client.rename_registered_model(new_name, taken)
    client.transition_model_version_stage(new_name, "1", "Production")
    client.delete_registered_model(new_name)
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_registered_model(new_name)
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_model_version(new_name, "1")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.delete_registered_model(new_name)


def versions() -> None:
    name = unique("versions")
    client.create_registered_model(name)
    first = new_version(name, tags={"a": "1"}, description="the first", run_link="https://example.com/run")
    assert (first.name, first.version, first.current_stage, first.status) == (name, "1", "None", "READY")
    assert (first.run_id, first.source, first.run_link) == (run.info.run_id, SOURCE, "https://example.com/run")
    second = new_version(name)
    assert second.version == "2"
    read = client.get_model_version(name, "1")
    assert (read.tags, read.description) == ({"a": "1"}, "the first")
    assert client.update_model_version(name, "1", "changed").description == "changed"
    client.set_model_version_tag(name, "1", "b", "x" * 3000)
    client.set_model_version_tag(name, "1", "a", 2)
    client.delete_model_version_tag(name, "1", "a")
    assert client.get_model_version(name, "1").tags == {"b": "x" * 3000}
    assert client.get_model_version_download_uri(name, "1") == SOURCE
    if CLIENT_MAJOR >= 3:
        mlflow.set_model_version_tag(name, "1", "c", "by the fluent API")
        assert client.get_model_version(name, "1").tags["c"] == "by the fluent API"

    # A number is never given twice.
    client.delete_model_version(name, "2")
    with refused("RESOURCE_DOES_NOT_EXIST", naming="2"):
        client.get_model_version(name, "2")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.delete_model_version(name, "2")
    assert new_version(name).version == "3"
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_model_version(name, "99")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        new_version(unique("absent"))


def stages() -> None:
    name = unique("stages")
    client.create_registered_model(name)
    for _ in range(4):
        new_version(name)

    def latest(stages: list[str] | None = None) -> dict[str, str]:
        return {version.current_stage: version.version for version in client.get_latest_versions(name, stages)}

    assert latest() == {"None": "4"}
    assert client.transition_model_version_stage(name, "1", "production").current_stage == "Production"
    client.transition_model_version_stage(name, "2", "Staging")
    client.transition_model_version_stage(name, "3", "Staging")
    assert latest() == {"None": "4", "Production": "1", "Staging": "3"}
    assert latest(["Staging"]) == {"Staging": "3"}
    assert latest(["staging", "Archived"]) == {"Staging": "3"}
    assert {v.version for v in client.get_registered_model(name).latest_versions} == {"1", "3", "4"}

    client.transition_model_version_stage(name, "3", "Production", archive_existing_versions=True)
    stage_of = {v.version: v.current_stage for v in client.search_model_versions(f"name = '{name}'")}
    assert stage_of == {"1": "Archived", "2": "Staging", "3": "Production", "4": "None"}
    client.transition_model_version_stage(name, "4", "Production")
    assert latest(["Production"]) == {"Production": "4"}
    client.transition_model_version_stage(name, "4", "None")
    assert latest(["Production"]) == {"Production": "3"}

    with refused("INVALID_PARAMETER_VALUE"):
        client.transition_model_version_stage(name, "1", "Testing")
    with refused("INVALID_PARAMETER_VALUE"):
        client.get_latest_versions(name, ["Testing"])
    if IS_RUNYARD:
        # Upstream answers 500, and the client tries again and again.
        with refused("INVALID_PARAMETER_VALUE"):
            client.transition_model_version_stage(name, "1", "Archived", archive_existing_versions=True)
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.transition_model_version_stage(name, "99", "Staging")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.get_latest_versions(unique("absent"))


def aliases() -> None:
    name = unique("aliases")
    client.create_registered_model(name)
    new_version(name)
    new_version(name)
    client.set_registered_model_alias(name, "champion", "1")
    client.set_registered_model_alias(name, "Challenger_2", "2")
    assert client.get_registered_model(name).aliases == {"champion": "1", "Challenger_2": "2"}
    assert client.get_model_version_by_alias(name, "champion").version == "1"
    client.set_registered_model_alias(name, "champion", "2")
    assert client.get_model_version_by_alias(name, "champion").version == "2"
    assert sorted(client.get_model_version(name, "2").aliases) == ["Challenger_2", "champion"]
    assert client.get_model_version(name, "1").aliases == []
    client.delete_registered_model_alias(name, "Challenger_2")
    client.delete_registered_model_alias(name, "Challenger_2")
    assert client.get_registered_model(name).aliases == {"champion": "2"}
    with refused("INVALID_PARAMETER_VALUE", naming="Challenger_2"):
        client.get_model_version_by_alias(name, "Challenger_2")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.set_registered_model_alias(name, "champion", "99")
    for alias in ("latest", "v1", "with space", "dot.ted", "a" * 256):
        with refused("INVALID_PARAMETER_VALUE"):
            client.set_registered_model_alias(name, alias, "1")
    client.delete_model_version(name, "2")
    assert client.get_registered_model(name).aliases == {}


def search_models() -> None:
    group = unique("group")
    names = [f"{group}-{letter}" for letter in "abcde"]
    for index, name in enumerate(names):
        client.create_registered_model(name, tags={"group": group, "even": str(index % 2 == 0)})
        new_version(name)

    def found(filter_string: str, **named) -> list[str]:
        return [model.name[-1] for model in client.search_registered_models(filter_string, **named)]

    mine = f"tags.group = '{group}'"
    assert found(mine) == list("abcde")
    assert found(mine, order_by=["name DESC"]) == list("edcba")
    assert found(mine, order_by=["timestamp DESC", "name ASC"]) == list("edcba")
    assert found(mine, order_by=["last_updated_timestamp ASC"]) == list("abcde")
    assert found(f"name = '{names[1]}'") == ["b"]
    assert found(f"name LIKE '{group}-%' AND tags.even = 'True'") == list("ace")
    assert found(f"name ILIKE '{group.upper()}-C'") == ["c"]
    assert found(f"{mine} AND tags.even != 'True'") == list("bd")
    assert found(f"{mine} AND tags.even ILIKE 'f%'") == list("bd")
    pages, token = [], None
    while True:
        page = client.search_registered_models(mine, max_results=2, page_token=token)
        pages.append("".join(model.name[-1] for model in page))
        token = page.token
        if not token:
            break
    assert pages == ["ab", "cd", "e"], pages
    assert [version.version for version in client.search_registered_models(mine)[0].latest_versions] == ["1"]
    assert len(mlflow.search_registered_models(max_results=3, filter_string=mine)) == 3
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_registered_models("colour = 'red'")
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_registered_models(max_results=1_000_000)


def search_versions() -> None:
    name, other = unique("searched"), unique("searched")
    for model in (name, other):
        client.create_registered_model(model)
        for index in range(3):
            new_version(model, tags={"index": str(index)})

    def found(filter_string: str, **named) -> list[str]:
        return [version.version for version in client.search_model_versions(filter_string, **named)]

    assert found(f"name = '{name}'") == ["3", "2", "1"]
    assert found(f"name = '{name}'", order_by=["version_number ASC"]) == ["1", "2", "3"]
    assert found(f"name = '{name}'", order_by=["creation_timestamp ASC", "version_number ASC"])[0] == "1"
    assert found(f"name = '{name}' AND tags.index = '1'") == ["2"]
    assert found(f"name = '{name}' AND tags.`index` != '1'") == ["3", "1"]
    assert found(f"name = '{name}' AND version_number > 1") == ["3", "2"]
    assert found(f"name = '{name}' AND run_id = '{run.info.run_id}'") == ["3", "2", "1"]
    assert found(f"name = '{name}' AND run_id IN ('{run.info.run_id}', 'other')") == ["3", "2", "1"]
    assert found(f"name = '{name}' AND source_path = '{SOURCE}'") == ["3", "2", "1"]
    assert found(f"name = '{name}' AND source_path = 's3://elsewhere'") == []
    assert found(f"name LIKE 'searched-%' AND run_id = '{run.info.run_id}'") == ["3", "2", "1"] * 2
    first = client.search_model_versions(f"name = '{name}'", max_results=2)
    assert [version.version for version in first] == ["3", "2"]
    rest = client.search_model_versions(f"name = '{name}'", max_results=2, page_token=first.token)
    assert [version.version for version in rest] == ["1"]
    assert len(mlflow.search_model_versions(filter_string=f"name = '{name}'")) == 3
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_model_versions("colour = 'red'")


def what_is_refused() -> None:
    for name in ("", " ", "with/slash", "with:colon"):
        with refused("INVALID_PARAMETER_VALUE"):
            client.create_registered_model(name)
    absent = unique("absent")
    with refused("RESOURCE_DOES_NOT_EXIST", naming=absent):
        client.update_registered_model(absent, "x")
    with refused("RESOURCE_DOES_NOT_EXIST", naming=absent):
        client.set_registered_model_tag(absent, "a", "b")
    with refused("RESOURCE_DOES_NOT_EXIST", naming=absent):
        client.rename_registered_model(absent, unique("x"))
    name = unique("sources")
    client.create_registered_model(name)
    for source in ("/etc/passwd", "file:///etc", "../up", f"{run.info.artifact_uri}/../../other"):
        with refused("INVALID_PARAMETER_VALUE"):
            client.create_model_version(name, source, run.info.run_id)


if __name__ == "__main__":
    registered_models()
    versions()
    stages()
    aliases()
    search_models()
    search_versions()
    what_is_refused()
