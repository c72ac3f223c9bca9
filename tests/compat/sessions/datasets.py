"""Datasets: logged as a run's inputs, read back, and searched by."""

from __future__ import annotations

import json

import mlflow
import numpy as np
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Dataset as DatasetEntity, DatasetInput, InputTag

from tests.compat.sessions.session import refused, unique

client = MlflowClient()
experiment = mlflow.set_experiment(unique("datasets"))


def inputs_of_a_run() -> str:
    frame = pd.DataFrame({"x": [1, 2, 3], "y": ["a", "b", None]})
    training = mlflow.data.from_pandas(frame, source="s3://bucket/train.csv", name="training-set", targets="y")
    holdout = mlflow.data.from_numpy(np.arange(6.0).reshape(3, 2), name="holdout")
    with mlflow.start_run() as run:
        mlflow.log_input(training, context="train", tags={"quality": "good"})
        mlflow.log_input(holdout, context="validation")
        # The same again is no second input.
        mlflow.log_input(training, context="train", tags={"quality": "good"})
    inputs = {given.dataset.name: given for given in mlflow.get_run(run.info.run_id).inputs.dataset_inputs}
    assert set(inputs) == {"training-set", "holdout"}
    read = inputs["training-set"]
    assert {tag.key: tag.value for tag in read.tags} == {"mlflow.data.context": "train", "quality": "good"}
    assert read.dataset.digest == training.digest
    assert read.dataset.source_type == "s3"
    assert json.loads(read.dataset.source) == {"uri": "s3://bucket/train.csv"}
    assert json.loads(read.dataset.profile)["num_rows"] == 3
    assert json.loads(read.dataset.schema)["mlflow_colspec"][0]["name"] == "x"
    source = mlflow.data.get_source(read.dataset)
    assert source.uri == "s3://bucket/train.csv"
    return run.info.run_id


def several_at_once_by_the_client() -> str:
    run_id = client.create_run(experiment.experiment_id).info.run_id
    given = [
        DatasetInput(
            DatasetEntity(name=f"set-{index}", digest=f"d{index}", source_type="local", source="{}"),
            [InputTag("mlflow.data.context", "eval")],
        )
        for index in range(3)
    ]
    client.log_inputs(run_id, given)
    read = client.get_run(run_id).inputs.dataset_inputs
    assert sorted(entry.dataset.name for entry in read) == ["set-0", "set-1", "set-2"]
    # A dataset that another run has too keeps its inputs apart.
    other = client.create_run(experiment.experiment_id).info.run_id
    client.log_inputs(other, [DatasetInput(given[0].dataset, [InputTag("mlflow.data.context", "train")])])
    assert [tag.value for tag in client.get_run(other).inputs.dataset_inputs[0].tags] == ["train"]
    assert len(client.get_run(run_id).inputs.dataset_inputs) == 3
    return run_id


def searched_by(with_frame: str, with_three: str) -> None:
    def found(filter_string: str) -> list[str]:
        return [run.info.run_id for run in client.search_runs([experiment.experiment_id], filter_string)]

    assert found("datasets.name = 'training-set'") == [with_frame]
    assert found("dataset.name ILIKE 'TRAINING%'") == [with_frame]
    assert found("dataset.digest = 'd2'") == [with_three]
    assert found("dataset.context = 'eval'") == [with_three]
    assert found("dataset.name IN ('holdout', 'set-1')") == [with_three, with_frame]
    assert found("dataset.name = 'set-0' AND dataset.context = 'eval'") == [with_three]
    runs = client.search_runs([experiment.experiment_id], "dataset.name = 'training-set'")
    assert len(runs[0].inputs.dataset_inputs) == 2


def what_is_refused() -> None:
    run_id = client.create_run(experiment.experiment_id).info.run_id
    nameless = DatasetInput(DatasetEntity(name="n" * 501, digest="d", source_type="local", source="{}"), [])
    with refused("INVALID_PARAMETER_VALUE"):
        client.log_inputs(run_id, [nameless])


if __name__ == "__main__":
    with_frame = inputs_of_a_run()
    with_three = several_at_once_by_the_client()
    searched_by(with_frame, with_three)
    what_is_refused()
