"""Models: logged, registered, and loaded back by every URI that names one; each must predict as the original did."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from tests.compat.sessions.session import CLIENT_MAJOR, fails, refused, unique

client = MlflowClient()
mlflow.set_experiment(unique("loading"))
features, target = load_iris(return_X_y=True, as_frame=True)
# Named, so that the client need not find out in a process of its own.
REQUIREMENTS = ["scikit-learn"]


def fitted(regularization: float) -> LogisticRegression:
    return LogisticRegression(C=regularization, max_iter=300).fit(features, target)


def logged(model: LogisticRegression, **named: Any) -> Any:
    spelled = {"name": "model"} if CLIENT_MAJOR >= 3 else {"artifact_path": "model"}
    return mlflow.sklearn.log_model(model, pip_requirements=REQUIREMENTS, **spelled, **named)


def same(uri: str, model: LogisticRegression) -> None:
    """Load by ``uri``, as its own kind and as a Python function, and require the original's predictions."""
    expected = list(model.predict(features))
    assert list(mlflow.sklearn.load_model(uri).predict(features)) == expected, uri
    assert list(mlflow.pyfunc.load_model(uri).predict(features)) == expected, uri


def from_a_run() -> None:
    model = fitted(1.0)
    with mlflow.start_run() as run:
        info = logged(
            model, signature=infer_signature(features, model.predict(features)), input_example=features.head(2)
        )
    same(f"runs:/{run.info.run_id}/model", model)
    same(info.model_uri, model)
    read = mlflow.models.get_model_info(info.model_uri)
    assert read.run_id == run.info.run_id
    assert [column.name for column in read.signature.inputs] == list(features.columns)
    loaded = mlflow.pyfunc.load_model(info.model_uri)
    example = pd.DataFrame(loaded.input_example) if CLIENT_MAJOR >= 3 else features.head(2)
    assert len(loaded.predict(example)) == 2
    with fails("sepal length (cm)"):
        loaded.predict(pd.DataFrame({"wrong": [1.0]}))
    folder = Path(mlflow.artifacts.download_artifacts(info.model_uri, dst_path=tempfile.mkdtemp()))
    assert {"MLmodel", "requirements.txt", "conda.yaml", "python_env.yaml"} <= {p.name for p in folder.iterdir()}


def from_the_registry() -> None:
    name = unique("registered")
    models = {}
    for number, regularization in enumerate((0.01, 1.0, 50.0), start=1):
        models[str(number)] = fitted(regularization)
        with mlflow.start_run():
            info = logged(models[str(number)], registered_model_name=name)
            assert int(info.registered_model_version) == number
    client.transition_model_version_stage(name, "1", "Production")
    client.transition_model_version_stage(name, "2", "Staging")
    client.set_registered_model_alias(name, "champion", "2")
    for version, model in models.items():
        same(f"models:/{name}/{version}", model)
    same(f"models:/{name}/Production", models["1"])
    same(f"models:/{name}/production", models["1"])
    same(f"models:/{name}/Staging", models["2"])
    same(f"models:/{name}@champion", models["2"])
    same(f"models:/{name}/latest", models["3"])
    client.set_registered_model_alias(name, "champion", "3")
    same(f"models:/{name}@champion", models["3"])
    for uri, code in (
        (f"models:/{name}/99", "RESOURCE_DOES_NOT_EXIST"),
        (f"models:/{name}@nobody", "INVALID_PARAMETER_VALUE"),
        ("models:/not-there/1", "RESOURCE_DOES_NOT_EXIST"),
    ):
        with refused(code):
            mlflow.pyfunc.load_model(uri)
    with fails("Archived"):
        mlflow.pyfunc.load_model(f"models:/{name}/Archived")


def registered_afterwards() -> None:
    name = unique("afterwards")
    model = fitted(1.0)
    with mlflow.start_run() as run:
        logged(model)
    version = mlflow.register_model(f"runs:/{run.info.run_id}/model", name, tags={"by": "hand"})
    # The clients differ in whether a version is a string or a number.
    assert (version.name, str(version.version), version.run_id) == (name, "1", run.info.run_id)
    assert client.get_model_version(name, "1").tags == {"by": "hand"}
    # The name is there already: the client goes on.
    assert int(mlflow.register_model(f"runs:/{run.info.run_id}/model", name).version) == 2
    same(f"models:/{name}/1", model)

    copied = client.copy_model_version(f"models:/{name}/1", unique("copy"))
    assert int(copied.version) == 1
    same(f"models:/{copied.name}/1", model)
    again = client.copy_model_version(f"models:/{name}/1", copied.name)
    assert int(again.version) == 2
    found = client.search_model_versions(f"name = '{copied.name}'")
    assert [version.version for version in found] == ["2", "1"]


def a_python_function_with_artifacts() -> None:
    class Adder(mlflow.pyfunc.PythonModel):
        def load_context(self, context):
            self.amount = int(Path(context.artifacts["amount"]).read_text())

        def predict(self, context, model_input, params=None):
            return [value + self.amount for value in model_input["x"]]

    amount = Path(tempfile.mkdtemp()) / "amount.txt"
    amount.write_text("7")
    spelled = {"name": "adder"} if CLIENT_MAJOR >= 3 else {"artifact_path": "adder"}
    with mlflow.start_run() as run:
        mlflow.pyfunc.log_model(
            python_model=Adder(), artifacts={"amount": str(amount)}, pip_requirements=["mlflow"], **spelled
        )
    loaded = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/adder")
    assert list(loaded.predict(pd.DataFrame({"x": [1, 2]}))) == [8, 9]


if __name__ == "__main__":
    from_a_run()
    from_the_registry()
    registered_afterwards()
    a_python_function_with_artifacts()
