"""Automatic logging of scikit-learn: what `fit` leaves behind without a line of logging."""

from __future__ import annotations

import mlflow
from mlflow import MlflowClient
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from tests.compat.sessions.session import CLIENT_MAJOR, unique

client = MlflowClient()
experiment = mlflow.set_experiment(unique("autolog"))
features, target = load_iris(return_X_y=True, as_frame=True)


def one_fit() -> None:
    model = LogisticRegression(max_iter=300, C=0.5)
    model.fit(features, target)
    run = mlflow.last_active_run()
    assert run.info.status == "FINISHED"
    assert run.data.params["C"] == "0.5"
    assert run.data.params["max_iter"] == "300"
    assert run.data.metrics["training_accuracy_score"] > 0.9
    assert run.data.metrics["training_score"] == model.score(features, target)
    assert run.data.tags["estimator_name"] == "LogisticRegression"
    inputs = run.inputs.dataset_inputs
    assert [tag.value for tag in inputs[0].tags if tag.key == "mlflow.data.context"] == ["train"]
    artifacts = {info.path for info in client.list_artifacts(run.info.run_id)}
    assert {"estimator.html", "training_confusion_matrix.png"} <= artifacts, artifacts
    if CLIENT_MAJOR >= 3:
        outputs = run.outputs.model_outputs
        assert len(outputs) == 1
        assert mlflow.get_logged_model(outputs[0].model_id).name == "model"
    else:
        assert "model" in artifacts
    loaded = mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model")
    assert list(loaded.predict(features)) == list(model.predict(features))


def a_search_over_parameters() -> None:
    search = GridSearchCV(LogisticRegression(max_iter=300), {"C": [0.1, 1.0]}, cv=2)
    with mlflow.start_run(run_name="grid") as parent:
        search.fit(features, target)
    read = mlflow.get_run(parent.info.run_id)
    assert read.data.params["best_C"] == str(search.best_params_["C"])
    assert read.data.metrics["best_cv_score"] == search.best_score_
    children = mlflow.search_runs(
        [experiment.experiment_id],
        f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'",
        order_by=["params.C ASC"],
        output_format="list",
    )
    assert [child.data.params["C"] for child in children] == ["0.1", "1.0"]
    assert all("mean_test_score" in child.data.metrics for child in children)
    assert "cv_results.csv" in {info.path for info in client.list_artifacts(parent.info.run_id)}


if __name__ == "__main__":
    mlflow.sklearn.autolog()
    one_fit()
    a_search_over_parameters()
