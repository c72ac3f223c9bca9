"""Calls larger than a request may be, which the client splits, and logging that does not wait."""

from __future__ import annotations

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

from tests.compat.sessions.session import unique

client = MlflowClient()
experiment = mlflow.set_experiment(unique("many"))


def calls_that_the_client_splits() -> None:
    with mlflow.start_run() as run:
        mlflow.log_params({f"p{index}": index for index in range(250)})
        mlflow.log_metrics({f"m{index}": index for index in range(1500)}, step=1)
        mlflow.set_tags({f"t{index}": index for index in range(130)})
    data = mlflow.get_run(run.info.run_id).data
    assert data.params == {f"p{index}": str(index) for index in range(250)}
    assert data.metrics == {f"m{index}": float(index) for index in range(1500)}
    assert {key: value for key, value in data.tags.items() if key.startswith("t")} == {
        f"t{index}": str(index) for index in range(130)
    }


def batches_at_their_limits() -> None:
    run_id = client.create_run(experiment.experiment_id).info.run_id
    client.log_batch(
        run_id,
        metrics=[Metric("m", step, 1_700_000_000_000, step) for step in range(800)],
        params=[Param(f"p{index}", "v") for index in range(100)],
        tags=[RunTag(f"t{index}", "v") for index in range(100)],
    )
    run = client.get_run(run_id)
    assert run.data.metrics == {"m": 799.0}
    assert len(run.data.params) == 100
    points = [Metric("m", step, 1_700_000_000_000, step) for step in range(800, 1800)]
    client.log_batch(run_id, metrics=points)
    history = client.get_metric_history(run_id, "m")
    assert [point.step for point in history] == list(range(1800))
    # The client cuts what is over a request's limits.
    client.log_batch(run_id, params=[Param(f"q{index}", "v") for index in range(101)])
    assert len(client.get_run(run_id).data.params) == 201


def logging_that_does_not_wait() -> None:
    with mlflow.start_run() as run:
        waiting = [mlflow.log_metric("loss", 1 / (step + 1), step=step, synchronous=False) for step in range(500)]
        waiting.append(mlflow.log_params({"a": 1, "b": 2}, synchronous=False))
        waiting.append(mlflow.set_tags({"c": "three"}, synchronous=False))
        waiting.append(mlflow.log_param("d", 4, synchronous=False))
        for operation in waiting:
            operation.wait()
    run = mlflow.get_run(run.info.run_id)
    assert run.data.params == {"a": "1", "b": "2", "d": "4"}
    assert run.data.tags["c"] == "three"
    assert run.data.metrics == {"loss": 1 / 500}
    history = client.get_metric_history(run.info.run_id, "loss")
    assert sorted(point.step for point in history) == list(range(500))


def asynchronous_by_default() -> None:
    mlflow.config.enable_async_logging()
    try:
        with mlflow.start_run() as run:
            for step in range(100):
                mlflow.log_metric("loss", step, step=step)
            mlflow.log_param("kind", "async")
            mlflow.set_tag("kind", "async")
        mlflow.flush_async_logging()
    finally:
        mlflow.config.enable_async_logging(False)
    run = mlflow.get_run(run.info.run_id)
    assert (run.data.metrics, run.data.params) == ({"loss": 99.0}, {"kind": "async"})
    assert len(client.get_metric_history(run.info.run_id, "loss")) == 100


def a_history_longer_than_a_page() -> None:
    run_id = client.create_run(experiment.experiment_id).info.run_id
    count = 26_000
    for first in range(0, count, 1000):
        client.log_batch(
            run_id,
            metrics=[Metric("long", step, 1_700_000_000_000 + step, step) for step in range(first, first + 1000)],
        )
    history = client.get_metric_history(run_id, "long")
    assert [point.step for point in history] == list(range(count))


if __name__ == "__main__":
    calls_that_the_client_splits()
    batches_at_their_limits()
    logging_that_does_not_wait()
    asynchronous_by_default()
    a_history_longer_than_a_page()
