"""Models logged with a run, registered, and loaded again by every URI that names them, with no server between."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

import runyard as mlflow
from runyard.client.models import ModelInfo
from runyard.entities import LoggedModel
from runyard.errors import InvalidParameter, NotFound
from runyard.models import infer_signature
from runyard.types import DataType
from runyard.utils.environment import _mlflow_conda_env


@pytest.fixture
def fitted() -> LinearRegression:
    """A model of y = 2x."""
    return LinearRegression().fit([[1.0], [2.0]], [2.0, 4.0])


pytestmark = pytest.mark.usefixtures("place")


def logged(info: ModelInfo) -> LoggedModel:
    assert info.logged_model is not None
    return mlflow.get_logged_model(info.logged_model.model_id)


def test_a_logged_model_is_loaded_by_every_uri_that_names_it(fitted: LinearRegression):
    with mlflow.start_run() as run:
        info = mlflow.sklearn.log_model(fitted, name="line", registered_model_name="lines")
    client = mlflow.MlflowClient()
    client.set_registered_model_alias("lines", "champion", "1")
    with pytest.warns(FutureWarning, match="stages"):
        client.transition_model_version_stage("lines", "1", "Production")

    assert info.registered_model_version == 1
    for uri in (
        info.model_uri,
        f"runs:/{run.info.run_id}/line",
        "models:/lines/1",
        "models:/lines@champion",
        "models:/lines/production",
        "models:/lines/latest",
        logged(info).artifact_location,
    ):
        assert mlflow.sklearn.load_model(uri).predict([[3.0]]) == pytest.approx([6.0])
        assert mlflow.pyfunc.load_model(uri).predict(np.array([[3.0]])) == pytest.approx([6.0])


def test_a_logged_model_has_the_params_and_the_metrics_of_its_step(fitted: LinearRegression):
    with mlflow.start_run() as run:
        mlflow.log_param("rate", 0.1)
        mlflow.log_metric("loss", 3.0, step=1)
        mlflow.log_metric("loss", 2.0, step=2)
        info = mlflow.sklearn.log_model(fitted, "line", step=1, params={"depth": 3}, tags={"team": "risk"})

    model = logged(info)
    assert (str(model.status), model.source_run_id) == ("READY", run.info.run_id)
    assert model.params == {"depth": "3", "rate": "0.1"}
    assert model.tags["team"] == "risk"
    assert [(metric.key, metric.value, metric.step) for metric in model.metrics or ()] == [("loss", 3.0, 1)]
    outputs = mlflow.get_run(run.info.run_id).outputs
    assert outputs is not None
    assert [(each.model_id, each.step) for each in outputs.model_outputs] == [(info.model_id, 1)]


def test_without_a_run_a_model_is_logged_to_the_experiment(fitted: LinearRegression):
    experiment = mlflow.set_experiment("lines")

    info = mlflow.sklearn.log_model(sk_model=fitted, name="line")

    model = logged(info)
    assert (model.experiment_id, model.source_run_id or None) == (experiment.experiment_id, None)
    assert mlflow.search_runs(output_format="list") == []


def test_a_model_that_cannot_be_saved_is_left_as_failed(fitted: LinearRegression):
    with mlflow.start_run(), pytest.raises(InvalidParameter, match="serialization_format must be one of"):
        mlflow.sklearn.log_model(fitted, name="line", serialization_format="xml")

    (model,) = mlflow.search_logged_models(output_format="list")
    assert str(model.status) == "FAILED"
    assert mlflow.MlflowClient().list_logged_model_artifacts(model.model_id) == []


def test_two_spellings_of_the_name_are_refused(fitted: LinearRegression):
    with pytest.raises(InvalidParameter, match="name and artifact_path are both given"):
        mlflow.sklearn.log_model(fitted, "line", name="line")


def test_log_model_tells_what_it_takes():
    names = list(inspect.signature(mlflow.sklearn.log_model).parameters)

    assert names[:2] == ["sk_model", "artifact_path"]
    assert {"name", "registered_model_name", "serialization_format", "step", "model_id"} <= set(names)


def test_the_info_of_a_model_is_read_without_fetching_it(fitted: LinearRegression):
    example = np.array([[1.0]])
    with mlflow.start_run():
        made = mlflow.sklearn.log_model(fitted, name="line", input_example=example, metadata={"source": "test"})

    info = mlflow.models.get_model_info(made.model_uri)

    assert (info.model_uuid, info.metadata, info.name) == (made.model_uuid, {"source": "test"}, "line")
    assert info.signature == made.signature == infer_signature(example, fitted.predict(example))
    with pytest.raises(NotFound):
        mlflow.models.get_model_info("models:/m-" + "0" * 32)


def test_a_logged_model_gets_another_signature(fitted: LinearRegression):
    signature = infer_signature(np.array([[1.0]]), np.array([1.0]))
    info = mlflow.sklearn.log_model(fitted, name="line", registered_model_name="lines")

    mlflow.models.set_signature(info.model_uri, signature)

    assert mlflow.pyfunc.load_model(info.model_uri).metadata.signature == signature
    with pytest.raises(InvalidParameter, match="names a registered model"):
        mlflow.models.set_signature("models:/lines/1", signature)


def test_a_function_is_logged_as_a_model(tmp_path: Path):
    factors = tmp_path / "factors.yaml"
    factors.write_text("factor: 5\n", encoding="utf-8")

    class Times(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return [each * context.model_config["factor"] for each in model_input]

    with mlflow.start_run() as run:
        info = mlflow.pyfunc.log_model(name="times", python_model=Times(), model_config={"factor": 3})

    assert mlflow.pyfunc.load_model(info.model_uri).predict([2]) == [6]
    assert mlflow.pyfunc.load_model(info.model_uri, model_config=factors).predict([2]) == [10]
    assert mlflow.get_run(run.info.run_id).data.params == {"factor": "3"}
    requirements = mlflow.pyfunc.get_model_dependencies(info.model_uri)
    assert "cloudpickle" in Path(requirements).read_text(encoding="utf-8")
    with pytest.raises(InvalidParameter, match="format must be pip or conda"):
        mlflow.pyfunc.get_model_dependencies(info.model_uri, format="poetry")  # type: ignore[arg-type]


def test_an_environment_that_a_program_made_is_the_models(fitted: LinearRegression, tmp_path: Path):
    environment = _mlflow_conda_env(additional_pip_deps=["scikit-learn", "extra==1"])
    info = mlflow.sklearn.log_model(fitted, name="line", conda_env=environment)
    folder = Path(mlflow.artifacts.download_artifacts(info.model_uri))
    assert (folder / "requirements.txt").read_text() == "scikit-learn\nextra==1\n"
    _mlflow_conda_env(tmp_path / "conda.yaml", additional_conda_deps=["numpy"], additional_conda_channels=["own"])
    assert "- own\ndependencies:\n- python=" in (tmp_path / "conda.yaml").read_text()


def test_a_models_file_tells_its_schemas_and_its_example(fitted: LinearRegression):
    example = pd.DataFrame({"x": [1.0, 2.0]})
    fitted = LinearRegression().fit(example, [2.0, 4.0])
    info = mlflow.sklearn.log_model(fitted, name="line", input_example=example)
    folder = mlflow.artifacts.download_artifacts(info.model_uri)
    meta = mlflow.models.Model.load(f"{folder}/MLmodel")
    inputs, outputs = meta.get_input_schema(), meta.get_output_schema()
    assert inputs is not None
    assert outputs is not None
    assert (inputs.input_names(), inputs.input_types(), inputs.required_input_names()) == (
        ["x"],
        [DataType.double],
        ["x"],
    )
    assert inputs.input_types_dict() == {"x": DataType.double}
    assert [inputs.numpy_types(), inputs.pandas_types()] == [[np.dtype("float64")]] * 2
    assert outputs.is_tensor_spec()
    assert outputs.input_types() == [np.dtype("float64")]
    assert repr(meta.signature) == (
        "inputs: \n  ['x': double (required)]\noutputs: \n  [Tensor('float64', (-1,))]\nparams: \n  None\n"
    )
    assert meta.load_input_example(folder).equals(example)
    assert meta.load_input_example_params(folder) is None
    assert json.loads(meta.get_serving_input(folder) or "")["dataframe_split"]["columns"] == ["x"]
    assert json.loads(meta.to_json())["model_id"] == meta.get_tags_dict()["model_uuid"] == info.model_id
    with pytest.raises(InvalidParameter, match="have no names"):
        outputs.input_dict()
