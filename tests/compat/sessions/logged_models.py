"""Logged models, which the 3.x client keeps beside runs: made, finished, tagged, measured, searched and deleted."""

from __future__ import annotations

import math

import mlflow
from mlflow import MlflowClient
from mlflow.entities import LoggedModelInput, LoggedModelStatus, Metric
from sklearn.linear_model import LinearRegression

from tests.compat.sessions.session import IS_RUNYARD, refused, unique

client = MlflowClient()
experiment = mlflow.set_experiment(unique("logged-models"))


def made_and_finished() -> None:
    model = mlflow.initialize_logged_model(
        name="net", params={"depth": "3"}, tags={"owner": "ana"}, model_type="Classifier"
    )
    model_id = model.model_id
    assert model_id.startswith("m-")
    assert len(model_id) == 34
    assert model.experiment_id == experiment.experiment_id
    assert model.status == LoggedModelStatus.PENDING
    assert model.artifact_location.endswith(f"{experiment.experiment_id}/models/{model_id}/artifacts")
    finished = mlflow.finalize_logged_model(model_id, LoggedModelStatus.READY)
    assert finished.status == LoggedModelStatus.READY
    read = mlflow.get_logged_model(model_id)
    assert (read.name, read.params, read.model_type) == ("net", {"depth": "3"}, "Classifier")
    assert read.tags["owner"] == "ana"
    assert read.creation_timestamp > 1_600_000_000_000
    assert read.last_updated_timestamp >= read.creation_timestamp

    failed = mlflow.initialize_logged_model(name="net")
    assert mlflow.finalize_logged_model(failed.model_id, "FAILED").status == LoggedModelStatus.FAILED
    nameless = mlflow.initialize_logged_model()
    assert nameless.name


def params_and_tags() -> None:
    model_id = mlflow.create_external_model(name="external", tags={"a": "1"}).model_id
    assert mlflow.get_logged_model(model_id).status == LoggedModelStatus.READY
    mlflow.log_model_params({"k": "v", "long": "x" * 400}, model_id=model_id)
    mlflow.set_logged_model_tags(model_id, {"a": "2", "b": "3"})
    mlflow.delete_logged_model_tag(model_id, "b")
    read = mlflow.get_logged_model(model_id)
    assert read.params == {"k": "v", "long": "x" * 400}
    assert {key: value for key, value in read.tags.items() if not key.startswith("mlflow.")} == {"a": "2"}
    with refused("RESOURCE_DOES_NOT_EXIST"):
        mlflow.delete_logged_model_tag(model_id, "b")


def many_params() -> None:
    params = {f"p{index}": str(index) for index in range(250)}
    model = mlflow.initialize_logged_model(name="many", params=params)
    assert mlflow.get_logged_model(model.model_id).params == params


def measured_in_a_run() -> None:
    with mlflow.start_run() as run:
        model = mlflow.initialize_logged_model(name="measured")
        mlflow.log_metric("auc", 0.7, step=1, model_id=model.model_id)
        mlflow.log_metric("auc", 0.9, step=2, model_id=model.model_id)
        mlflow.log_metrics({"f1": 0.5, "loss": 0.1}, step=3, model_id=model.model_id)
    read = mlflow.get_logged_model(model.model_id)
    assert read.source_run_id == run.info.run_id
    by_step = sorted((metric.key, metric.step, metric.value, metric.run_id) for metric in read.metrics)
    assert (by_step[0][0], by_step[-1]) == ("auc", ("loss", 3, 0.1, run.info.run_id)), by_step
    assert ("auc", 2, 0.9, run.info.run_id) in by_step
    assert mlflow.get_run(run.info.run_id).data.metrics == {"auc": 0.9, "f1": 0.5, "loss": 0.1}


def inputs_and_outputs_of_a_run() -> None:
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(
            LinearRegression().fit([[0.0], [1.0]], [0.0, 1.0]), name="line", pip_requirements=["scikit-learn"], step=4
        )
    read = mlflow.get_run(run.info.run_id)
    outputs = read.outputs.model_outputs
    assert [(output.model_id, output.step) for output in outputs] == [(info.model_id, 4)]
    logged = mlflow.get_logged_model(info.model_id)
    assert (logged.name, logged.source_run_id, logged.status) == ("line", run.info.run_id, LoggedModelStatus.READY)
    assert mlflow.last_logged_model().model_id == info.model_id
    assert math.isclose(mlflow.sklearn.load_model(f"models:/{info.model_id}").predict([[2.0]])[0], 2.0)
    paths = {file.path for file in client.list_logged_model_artifacts(info.model_id)}
    assert {"MLmodel", "requirements.txt"} <= paths, paths

    with mlflow.start_run() as evaluation:
        client.log_inputs(evaluation.info.run_id, models=[LoggedModelInput(info.model_id)])
    assert [entry.model_id for entry in mlflow.get_run(evaluation.info.run_id).inputs.model_inputs] == [info.model_id]

    name = unique("from-logged")
    version = mlflow.register_model(f"models:/{info.model_id}", name)
    assert (version.source, version.run_id) == (f"models:/{info.model_id}", run.info.run_id), version
    assert name in mlflow.get_logged_model(info.model_id).tags["mlflow.modelVersions"]
    assert mlflow.sklearn.load_model(f"models:/{name}/1").predict([[3.0]])[0] > 2.9


def the_active_model() -> None:
    model = mlflow.set_active_model(name=unique("active"))
    with mlflow.start_run():
        mlflow.log_metric("loss", 0.5)
    assert mlflow.get_active_model_id() == model.model_id
    assert [metric.value for metric in mlflow.get_logged_model(model.model_id).metrics] == [0.5]
    mlflow.clear_active_model()


def search() -> None:
    searched = client.create_experiment(unique("searched-models"))
    run_id = client.create_run(searched).info.run_id
    models = []
    for index in range(5):
        model = client.create_logged_model(
            searched,
            name="abcde"[index],
            source_run_id=run_id,
            params={"depth": str(index)},
            tags={"even": str(index % 2 == 0)},
            model_type="tree" if index < 2 else "net",
        )
        if index != 3:
            client.log_metric(run_id, "auc", index / 10, step=1, model_id=model.model_id)
        client.log_metric(
            run_id, "on", -index, model_id=model.model_id, dataset_name=f"set-{index % 2}", dataset_digest="d"
        )
        models.append(model)
    client.finalize_logged_model(models[4].model_id, LoggedModelStatus.READY)

    def found(filter_string: str | None = None, **named) -> str:
        page = mlflow.search_logged_models([searched], filter_string, output_format="list", **named)
        return "".join(model.name for model in page)

    assert found() == "edcba"
    assert found(order_by=[{"field_name": "name", "ascending": True}]) == "abcde"
    assert found(order_by=[{"field_name": "creation_timestamp", "ascending": True}]) == "abcde"
    assert found(order_by=[{"field_name": "metrics.auc", "ascending": False}]) == "ecbad"
    assert found(order_by=[{"field_name": "metrics.auc", "ascending": True}]) == "abced"
    assert found("name = 'b'") == "b"
    assert found("name LIKE '%' AND model_type = 'tree'") == "ba"
    assert found("name IN ('a', 'c')") == "ca"
    assert found(f"model_id = '{models[2].model_id}'") == "c"
    assert found(f"source_run_id = '{run_id}'") == "edcba"
    if IS_RUNYARD:
        # Upstream compares the number that it stores for the status.
        assert found("status = 'READY'") == "e"
    assert found("metrics.auc >= 0.1") == "ecb"
    assert found("params.depth = '3'") == "d"
    assert found("tags.even = 'False' AND model_type != 'tree'") == "d"
    assert found("metrics.on > -4", datasets=[{"dataset_name": "set-0", "dataset_digest": "d"}]) == "ca"
    assert found(f"creation_timestamp >= {models[0].creation_timestamp}", max_results=2) == "ed"
    frame = mlflow.search_logged_models([searched], order_by=[{"field_name": "name"}])
    assert list(frame["name"]) == list("abcde")

    names, token = "", None
    while True:
        page = client.search_logged_models([searched], max_results=2, page_token=token)
        names += "".join(model.name for model in page)
        token = page.token
        if not token:
            break
    assert names == "edcba"
    if IS_RUNYARD:
        # Upstream answers 500, and the client tries again and again.
        with refused("INVALID_PARAMETER_VALUE"):
            found("colour = 'red'")


def deleted() -> None:
    model = mlflow.initialize_logged_model(name="gone")
    client.delete_logged_model(model.model_id)
    with refused("RESOURCE_DOES_NOT_EXIST", naming=model.model_id):
        client.get_logged_model(model.model_id)
    found = client.search_logged_models([experiment.experiment_id], "name = 'gone'")
    assert list(found) == []


def what_is_refused() -> None:
    for name in ("with/slash", "with:colon", "dot.ted", "100%", "quo'te"):
        with refused("INVALID_PARAMETER_VALUE"):
            client.create_logged_model(experiment.experiment_id, name=name)
    absent = "m-" + "0" * 32
    with refused("RESOURCE_DOES_NOT_EXIST", naming=absent):
        client.get_logged_model(absent)
    with refused("RESOURCE_DOES_NOT_EXIST"):
        client.finalize_logged_model(absent, LoggedModelStatus.READY)
    with refused("RESOURCE_DOES_NOT_EXIST" if IS_RUNYARD else "BAD_REQUEST"):
        client.log_batch(
            client.create_run(experiment.experiment_id).info.run_id,
            metrics=[Metric("m", 1, 1_700_000_000_000, 0, model_id=absent)],
        )


if __name__ == "__main__":
    made_and_finished()
    params_and_tags()
    many_params()
    measured_in_a_run()
    inputs_and_outputs_of_a_run()
    the_active_model()
    search()
    deleted()
    what_is_refused()
