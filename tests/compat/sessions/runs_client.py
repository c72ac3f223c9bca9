"""Runs by ``MlflowClient``: every call names its run, and nothing is remembered between calls."""

from __future__ import annotations

import time

from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType

from tests.compat.sessions.session import CLIENT_MAJOR, refused, unique

client = MlflowClient()
experiment_id = client.create_experiment(unique("client-runs"))


def create_and_update() -> None:
    run = client.create_run(experiment_id, start_time=1_700_000_000_000, tags={"a": "1"}, run_name="first")
    run_id = run.info.run_id
    assert len(run_id) == 32
    assert run.info.status == "RUNNING"
    assert run.info.start_time == 1_700_000_000_000
    assert run.info.end_time is None
    assert run.info.experiment_id == experiment_id
    assert run.data.tags["a"] == "1"
    assert run.data.tags["mlflow.runName"] == "first"

    client.update_run(run_id, status="SCHEDULED", name="second")
    read = client.get_run(run_id)
    assert (read.info.status, read.info.run_name) == ("SCHEDULED", "second")
    assert read.data.tags["mlflow.runName"] == "second"
    client.update_run(run_id, name="third")
    assert client.get_run(run_id).info.status == "SCHEDULED"

    client.set_terminated(run_id, end_time=1_700_000_001_000)
    read = client.get_run(run_id)
    assert (read.info.status, read.info.end_time) == ("FINISHED", 1_700_000_001_000)
    client.set_terminated(run_id, "FAILED")
    assert client.get_run(run_id).info.status == "FAILED"


def log_to_it() -> None:
    run_id = client.create_run(experiment_id).info.run_id
    assert client.log_param(run_id, "p", 1) == 1
    client.log_metric(run_id, "m", 0.5, timestamp=1_700_000_000_000, step=3)
    client.set_tag(run_id, "t", "v")
    client.log_batch(
        run_id,
        metrics=[Metric("m", value, 1_700_000_000_000 + step, step) for step, value in enumerate([5, 6, 7, 8, 9])],
        params=[Param("q", "two"), Param("p", "1")],
        tags=[RunTag("t", "first"), RunTag("t", "last"), RunTag("u", "")],
    )
    run = client.get_run(run_id)
    assert run.data.params == {"p": "1", "q": "two"}
    assert run.data.metrics == {"m": 9.0}
    assert (run.data.tags["t"], run.data.tags["u"]) == ("last", "")
    history = client.get_metric_history(run_id, "m")
    assert [(p.key, p.value, p.timestamp, p.step) for p in history] == [
        ("m", 0.5, 1_700_000_000_000, 3),
        *[("m", float(5 + step), 1_700_000_000_000 + step, step) for step in range(5)],
    ] or [(p.value, p.timestamp, p.step) for p in history] == [
        (5.0, 1_700_000_000_000, 0),
        (0.5, 1_700_000_000_000, 3),
        *[(float(5 + step), 1_700_000_000_000 + step, step) for step in range(1, 5)],
    ], history
    client.delete_tag(run_id, "u")
    assert "u" not in client.get_run(run_id).data.tags
    with refused("RESOURCE_DOES_NOT_EXIST", naming="u"):
        client.delete_tag(run_id, "u")


def a_batch_is_all_or_nothing() -> None:
    run_id = client.create_run(experiment_id).info.run_id
    client.log_param(run_id, "fixed", "1")
    now = int(time.time() * 1000)
    with refused("INVALID_PARAMETER_VALUE", naming="fixed"):
        client.log_batch(
            run_id, metrics=[Metric("m", 1, now, 0)], params=[Param("other", "x"), Param("fixed", "2")], tags=[]
        )
    run = client.get_run(run_id)
    assert run.data.params == {"fixed": "1"}, run.data.params
    assert "m" not in run.data.metrics


def delete_and_restore() -> None:
    run_id = client.create_run(experiment_id, tags={"group": "deleted"}).info.run_id
    client.delete_run(run_id)
    assert client.get_run(run_id).info.lifecycle_stage == "deleted"
    with refused("INVALID_PARAMETER_VALUE"):
        client.log_metric(run_id, "m", 1)
    with refused("INVALID_PARAMETER_VALUE"):
        client.set_tag(run_id, "t", "v")
    with refused("INVALID_PARAMETER_VALUE"):
        client.update_run(run_id, name="x")

    def found(view_type: str) -> list[str]:
        runs = client.search_runs([experiment_id], "tags.group = 'deleted'", view_type)
        return [run.info.run_id for run in runs]

    assert found(ViewType.ACTIVE_ONLY) == []
    assert found(ViewType.DELETED_ONLY) == [run_id]
    assert found(ViewType.ALL) == [run_id]
    client.delete_run(run_id)
    client.restore_run(run_id)
    client.restore_run(run_id)
    assert found(ViewType.ACTIVE_ONLY) == [run_id]
    client.log_metric(run_id, "m", 1)


def metrics_of_models_and_datasets() -> None:
    if CLIENT_MAJOR < 3:
        return
    run_id = client.create_run(experiment_id).info.run_id
    model = client.create_logged_model(experiment_id, name="measured", source_run_id=run_id)
    client.log_metric(
        run_id, "auc", 0.9, step=1, model_id=model.model_id, dataset_name="holdout", dataset_digest="d1g35t"
    )
    client.log_batch(run_id, metrics=[Metric("f1", 0.8, 1_700_000_000_000, 2, model_id=model.model_id)])
    read = client.get_logged_model(model.model_id)
    measured = {metric.key: metric for metric in read.metrics}
    assert (measured["auc"].value, measured["auc"].dataset_name, measured["auc"].dataset_digest) == (
        0.9,
        "holdout",
        "d1g35t",
    )
    assert measured["auc"].run_id == run_id
    assert measured["f1"].value == 0.8
    assert client.get_run(run_id).data.metrics == {"auc": 0.9, "f1": 0.8}


def what_is_refused() -> None:
    run_id = client.create_run(experiment_id).info.run_id
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.create_run("987654321")
    with refused("INVALID_PARAMETER_VALUE"):
        client.create_run("not-a-number")
    with refused("INVALID_PARAMETER_VALUE"):
        client.log_metric(run_id, "m", 1, timestamp=-1)
    with refused("INVALID_PARAMETER_VALUE"):
        client.log_batch(run_id, params=[Param("twice", "1"), Param("twice", "2")])
    absent = "f" * 32
    for call in (client.get_run, client.delete_run, client.restore_run, client.set_terminated):
        with refused("RESOURCE_DOES_NOT_EXIST", naming=absent):
            call(absent)


if __name__ == "__main__":
    create_and_update()
    log_to_it()
    a_batch_is_all_or_nothing()
    delete_and_restore()
    metrics_of_models_and_datasets()
    what_is_refused()
