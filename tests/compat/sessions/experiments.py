"""Experiments: made, found, tagged, renamed, searched page by page, deleted and restored."""

from __future__ import annotations

import mlflow
from mlflow import MlflowClient
from mlflow.entities import ViewType

from tests.compat.sessions.session import IS_RUNYARD, refused, unique

client = MlflowClient()


def set_and_get() -> None:
    name = unique("set")
    made = mlflow.set_experiment(name)
    assert made.name == name
    assert made.lifecycle_stage == "active"
    assert made.artifact_location == f"mlflow-artifacts:/{made.experiment_id}", made.artifact_location
    assert made.creation_time > 1_600_000_000_000
    assert made.last_update_time >= made.creation_time
    again = mlflow.set_experiment(name)
    assert again.experiment_id == made.experiment_id
    by_id = mlflow.set_experiment(experiment_id=made.experiment_id)
    assert by_id.name == name
    assert mlflow.get_experiment_by_name(name).experiment_id == made.experiment_id
    assert mlflow.get_experiment(made.experiment_id).name == name
    assert mlflow.get_experiment_by_name(unique("absent")) is None
    assert client.get_experiment("0").name == "Default"


def create_with_location_and_tags() -> None:
    name = unique("crea-té/with spaces")
    experiment_id = mlflow.create_experiment(
        name, artifact_location="s3://bucket/somewhere", tags={"team": "vision", "mlflow.note.content": "# Título\nñ"}
    )
    experiment = client.get_experiment(experiment_id)
    assert experiment.name == name
    assert experiment.artifact_location == "s3://bucket/somewhere"
    assert experiment.tags == {"team": "vision", "mlflow.note.content": "# Título\nñ"}, experiment.tags
    with refused("RESOURCE_ALREADY_EXISTS"):
        client.create_experiment(name)


def tags() -> None:
    experiment = mlflow.set_experiment(unique("tags"))
    mlflow.set_experiment_tag("a", 1)
    mlflow.set_experiment_tags({"b": "two", "c": "three"})
    client.set_experiment_tag(experiment.experiment_id, "a", "other")
    assert mlflow.get_experiment(experiment.experiment_id).tags == {"a": "other", "b": "two", "c": "three"}
    # Deleting a tag came with the 3.x client.
    if hasattr(client, "delete_experiment_tag"):
        client.delete_experiment_tag(experiment.experiment_id, "b")
        assert mlflow.get_experiment(experiment.experiment_id).tags == {"a": "other", "c": "three"}
        with refused("RESOURCE_DOES_NOT_EXIST", naming="b"):
            client.delete_experiment_tag(experiment.experiment_id, "b")


def rename() -> None:
    old, new = unique("old"), unique("new")
    experiment_id = client.create_experiment(old)
    before = client.get_experiment(experiment_id)
    client.rename_experiment(experiment_id, new)
    after = client.get_experiment(experiment_id)
    assert after.name == new
    assert after.last_update_time >= before.last_update_time
    assert client.get_experiment_by_name(old) is None
    other = client.create_experiment(unique("other"))
    with refused("RESOURCE_ALREADY_EXISTS" if IS_RUNYARD else "BAD_REQUEST"):
        client.rename_experiment(other, new)


def delete_and_restore() -> None:
    name = unique("deleted")
    experiment_id = client.create_experiment(name)
    run_id = client.create_run(experiment_id).info.run_id
    client.delete_experiment(experiment_id)
    assert client.get_experiment(experiment_id).lifecycle_stage == "deleted"
    assert client.get_experiment_by_name(name).lifecycle_stage == "deleted"
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.delete_experiment(experiment_id)
    with refused("INVALID_PARAMETER_VALUE"):
        client.create_run(experiment_id)

    found = client.search_experiments(view_type=ViewType.DELETED_ONLY, filter_string=f"name = '{name}'")
    assert [experiment.experiment_id for experiment in found] == [experiment_id]
    assert not client.search_experiments(view_type=ViewType.ACTIVE_ONLY, filter_string=f"name = '{name}'")
    assert len(client.search_experiments(view_type=ViewType.ALL, filter_string=f"name = '{name}'")) == 1

    client.restore_experiment(experiment_id)
    assert client.get_experiment(experiment_id).lifecycle_stage == "active"
    assert client.get_run(run_id).info.lifecycle_stage == "active"
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.restore_experiment(experiment_id)


def a_deleted_experiments_name() -> None:
    name = unique("reused")
    first = client.create_experiment(name)
    client.delete_experiment(first)
    if not IS_RUNYARD:
        with refused("RESOURCE_ALREADY_EXISTS"):
            client.create_experiment(name)
        return
    second = client.create_experiment(name)
    assert second != first
    assert client.get_experiment_by_name(name).experiment_id == second
    with refused("RESOURCE_ALREADY_EXISTS"):
        client.restore_experiment(first)


def search() -> None:
    group = unique("group")
    names = [f"{group}-{index}" for index in range(5)]
    ids = [client.create_experiment(name, tags={"group": group, "index": str(i)}) for i, name in enumerate(names)]

    def found(filter_string: str = f"tags.group = '{group}'", **named) -> list[str]:
        return [experiment.name for experiment in mlflow.search_experiments(filter_string=filter_string, **named)]

    assert found() == names[::-1]
    assert found(order_by=["name ASC"]) == names
    assert found(order_by=["name DESC"]) == names[::-1]
    assert found(order_by=["experiment_id"]) == names
    assert found(order_by=["creation_time DESC", "experiment_id ASC"])[-1] == names[0]
    assert found(order_by=["last_update_time ASC", "name"]) == names
    assert found(f"name LIKE '{group}-%'", order_by=["name"]) == names
    assert found(f"name ILIKE '{group.upper()}-%'", order_by=["name"]) == names
    assert found(f"name = '{names[2]}'") == [names[2]]
    assert found(f"attribute.name = '{names[2]}'") == [names[2]]
    assert found(f"tags.group = '{group}' AND tags.`index` != '0'", order_by=["name"]) == names[1:]
    assert found(f"tags.group = '{group}' AND tags.index LIKE '3'") == [names[3]]
    assert found(f"tags.group = '{group}' AND creation_time > 0 AND last_update_time > 0", order_by=["name"]) == names
    assert found(f"tags.group = '{group}' AND creation_time > 99999999999999") == []
    assert found(max_results=2, order_by=["name"]) == names[:2]

    pages, token = [], None
    while True:
        page = client.search_experiments(
            filter_string=f"tags.group = '{group}'", order_by=["name"], max_results=2, page_token=token
        )
        pages.append([experiment.experiment_id for experiment in page])
        token = page.token
        if not token:
            break
    assert pages == [ids[:2], ids[2:4], ids[4:]], pages

    with refused("INVALID_PARAMETER_VALUE"):
        client.search_experiments(filter_string="name ==== 'x'")
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_experiments(filter_string="colour = 'red'")
    with refused("INVALID_PARAMETER_VALUE"):
        client.search_experiments(max_results=50_001)


def what_is_not_there() -> None:
    with refused("RESOURCE_DOES_NOT_EXIST", naming="987654321"):
        client.get_experiment("987654321")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.set_experiment_tag("987654321", "a", "b")
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.rename_experiment("987654321", unique("x"))
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.delete_experiment("987654321")


if __name__ == "__main__":
    set_and_get()
    create_with_location_and_tags()
    tags()
    rename()
    delete_and_restore()
    a_deleted_experiments_name()
    search()
    what_is_not_there()
