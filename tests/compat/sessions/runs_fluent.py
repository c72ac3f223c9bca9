"""Runs by the fluent API: params, metrics, tags, nesting, and how a run ends."""

from __future__ import annotations

import math

import mlflow
from mlflow import MlflowClient

from tests.compat.sessions.session import IS_RUNYARD, fails, refused, unique

client = MlflowClient()


def params_metrics_and_tags() -> None:
    with mlflow.start_run(run_name="everything", description="what it **is**", tags={"given": "at start"}) as run:
        mlflow.log_param("rate", 0.1)
        mlflow.log_params({"layers": [64, 32], "nothing": None, "flag": True, "empty": "", "text": "añ🙂'\"%_\\"})
        mlflow.log_metric("loss", 0.5)
        mlflow.log_metrics({"accuracy": 0.75, "zero": 0, "negative": -1e-300, "huge": 1.7e308})
        mlflow.set_tag("phase", "one")
        mlflow.set_tag("phase", "two")
        mlflow.set_tags({"number": 7, "dropped": "soon"})
        mlflow.delete_tag("dropped")
        assert mlflow.active_run().info.run_id == run.info.run_id
        mlflow.log_param("rate", 0.1)
        with refused("INVALID_PARAMETER_VALUE", naming="rate"):
            mlflow.log_param("rate", 0.2)

    read = mlflow.get_run(run.info.run_id)
    assert mlflow.active_run() is None
    assert mlflow.last_active_run().info.run_id == run.info.run_id
    assert read.info.run_name == "everything"
    assert read.info.status == "FINISHED"
    assert read.info.lifecycle_stage == "active"
    assert read.info.end_time >= read.info.start_time > 1_600_000_000_000
    assert read.info.artifact_uri == f"mlflow-artifacts:/{read.info.experiment_id}/{read.info.run_id}/artifacts"
    assert read.data.params == {
        "rate": "0.1",
        "layers": "[64, 32]",
        "nothing": "None",
        "flag": "True",
        "empty": "",
        "text": "añ🙂'\"%_\\",
    }, read.data.params
    assert read.data.metrics == {
        "loss": 0.5,
        "accuracy": 0.75,
        "zero": 0.0,
        "negative": -1e-300,
        "huge": 1.7e308,
    }, read.data.metrics
    tags = read.data.tags
    assert tags["phase"] == "two"
    assert tags["number"] == "7"
    assert tags["given"] == "at start"
    assert "dropped" not in tags
    assert tags["mlflow.runName"] == "everything"
    assert tags["mlflow.note.content"] == "what it **is**"
    assert tags["mlflow.source.type"] == "LOCAL"
    assert tags["mlflow.user"]


def metrics_over_steps() -> None:
    with mlflow.start_run() as run:
        for step in range(10):
            mlflow.log_metric("curve", step / 10, step=step)
        # Logged late: the latest value is that of the greatest step, not of the last request.
        mlflow.log_metric("curve", 99, step=5)
        mlflow.log_metric("curve", -1, step=-3)
        mlflow.log_metrics({"other": 1}, step=4)
        mlflow.log_metric("timed", 1.5, step=0, timestamp=1_700_000_000_123)
        mlflow.log_metric("timed", 2.5, step=0, timestamp=1_700_000_000_122)
        # The same point again is no second point.
        mlflow.log_metric("timed", 1.5, step=0, timestamp=1_700_000_000_123)
    read = mlflow.get_run(run.info.run_id)
    assert read.data.metrics == {"curve": 0.9, "other": 1.0, "timed": 1.5}, read.data.metrics
    history = client.get_metric_history(run.info.run_id, "curve")
    assert len(history) == 12
    assert [(point.timestamp, point.step) for point in history] == sorted((p.timestamp, p.step) for p in history)
    assert {point.value for point in history if point.step == 5} == {0.5, 99.0}
    timed = client.get_metric_history(run.info.run_id, "timed")
    assert [(p.timestamp, p.value) for p in timed] == [(1_700_000_000_122, 2.5), (1_700_000_000_123, 1.5)]
    assert client.get_metric_history(run.info.run_id, "unknown") == []


def values_that_are_not_finite() -> None:
    with mlflow.start_run() as run:
        mlflow.log_metric("nan", math.nan)
        mlflow.log_metric("up", math.inf)
        mlflow.log_metrics({"down": -math.inf, "mixed": 1.0}, step=1)
        mlflow.log_metric("mixed", math.nan, step=2)
        mlflow.log_metric("mixed", math.inf, step=3)
    metrics = mlflow.get_run(run.info.run_id).data.metrics
    assert math.isnan(metrics["nan"])
    mixed = [point.value for point in client.get_metric_history(run.info.run_id, "mixed")]
    assert mixed[0] == 1.0
    assert math.isnan(mixed[1])
    if IS_RUNYARD:
        assert (metrics["up"], metrics["down"], mixed[2]) == (math.inf, -math.inf, math.inf), metrics
    else:
        assert (metrics["up"], metrics["down"]) == (1.7976931348623157e308, -1.7976931348623157e308)


def nested_runs() -> None:
    experiment = mlflow.set_experiment(unique("nested"))
    with mlflow.start_run(run_name="parent") as parent:
        mlflow.log_param("level", "parent")
        for index in range(3):
            with mlflow.start_run(run_name=f"child-{index}", nested=True) as child:
                mlflow.log_metric("score", index)
                assert mlflow.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id
        with mlflow.start_run(nested=True), mlflow.start_run(run_name="grandchild", nested=True) as grandchild:
            pass
        assert mlflow.active_run().info.run_id == parent.info.run_id
        with fails("already active"):
            mlflow.start_run()
    assert mlflow.get_parent_run(parent.info.run_id) is None
    assert mlflow.get_parent_run(grandchild.info.run_id) is not None
    children = mlflow.search_runs(
        [experiment.experiment_id],
        f"tags.`mlflow.parentRunId` = '{parent.info.run_id}' AND metrics.score >= 1",
        order_by=["metrics.score DESC"],
        output_format="list",
    )
    assert [run.info.run_name for run in children] == ["child-2", "child-1"]
    mlflow.set_experiment("Default")


def a_run_that_fails() -> None:
    try:
        with mlflow.start_run() as run:
            raise ValueError("the training diverged")
    except ValueError:
        pass
    assert mlflow.get_run(run.info.run_id).info.status == "FAILED"
    run = mlflow.start_run()
    mlflow.end_run("KILLED")
    assert mlflow.get_run(run.info.run_id).info.status == "KILLED"


def a_run_taken_up_again() -> None:
    with mlflow.start_run(tags={"mlflow.runName": "named by its tag"}) as run:
        mlflow.log_metric("loss", 1, step=1)
    assert run.info.run_name == "named by its tag"
    with mlflow.start_run(run_id=run.info.run_id) as again:
        assert again.info.status == "RUNNING"
        mlflow.log_metric("loss", 2, step=2)
        # The name is its tag, and the other way round.
        mlflow.set_tag("mlflow.runName", "renamed")
    read = mlflow.get_run(run.info.run_id)
    assert read.info.status == "FINISHED"
    assert read.info.run_name == "renamed"
    assert read.data.metrics == {"loss": 2.0}
    # A finished run takes more.
    mlflow.log_metric("late", 3, run_id=run.info.run_id)
    assert mlflow.get_run(run.info.run_id).data.metrics == {"loss": 2.0, "late": 3.0}


def a_run_without_a_name_is_given_one() -> None:
    with mlflow.start_run() as run:
        pass
    words = run.info.run_name.split("-")
    assert len(words) == 3, run.info.run_name
    assert words[2].isdigit()
    assert mlflow.get_run(run.info.run_id).data.tags["mlflow.runName"] == run.info.run_name


def keys_and_values_at_their_limits() -> None:
    with mlflow.start_run() as run:
        key = "k" * 250
        mlflow.log_metric(key, 1)
        mlflow.log_param(key, "p" * 6000)
        mlflow.set_tag(key, "t" * 8000)
        mlflow.log_param("päram/with.dots-and_more words", "v")
        for name in ("k" * 251, "/absolute", "up/../there", "bad#sign"):
            with refused("INVALID_PARAMETER_VALUE"):
                mlflow.log_metric(name, 1)
            with refused("INVALID_PARAMETER_VALUE"):
                mlflow.log_param(name, 1)
    read = mlflow.get_run(run.info.run_id)
    assert read.data.params == {key: "p" * 6000, "päram/with.dots-and_more words": "v"}
    assert read.data.metrics == {key: 1.0}
    assert read.data.tags[key] == "t" * 8000


def what_is_not_there() -> None:
    absent = "0123456789abcdef0123456789abcdef"
    with refused("RESOURCE_DOES_NOT_EXIST", naming=absent):
        mlflow.get_run(absent)
    with refused("RESOURCE_DOES_NOT_EXIST", naming=absent):
        mlflow.log_metric("a", 1, run_id=absent)
    with refused("RESOURCE_DOES_NOT_EXIST", naming=absent):
        mlflow.start_run(run_id=absent)


if __name__ == "__main__":
    params_metrics_and_tags()
    metrics_over_steps()
    values_that_are_not_finite()
    nested_runs()
    a_run_that_fails()
    a_run_taken_up_again()
    a_run_without_a_name_is_given_one()
    keys_and_values_at_their_limits()
    what_is_not_there()
