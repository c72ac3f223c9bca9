"""Models are measured on data; what is wrong with a call is told. Without matplotlib, which this environment lacks."""

from __future__ import annotations

import importlib.metadata
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import runyard as mlflow
from runyard.errors import InvalidParameter, NotImplementedHere, RunyardError
from runyard.evaluation import EvaluationResult, evaluators
from runyard.metrics import MetricValue
from runyard.models import make_metric

X = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "b": [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]})
Y = np.array([0, 0, 1, 0, 1, 1])
DATA = X.assign(y=Y)


pytestmark = pytest.mark.usefixtures("place")


def model_uri(labels: Any = Y, data: pd.DataFrame = X) -> str:
    uri: str = mlflow.sklearn.log_model(LogisticRegression().fit(data, labels), name="model").model_uri
    return uri


def always_one(data: Any) -> Any:
    return np.ones(len(data), dtype=int)


def classify(**options: Any) -> EvaluationResult:
    given = {"model": always_one, "data": DATA, "targets": "y", "model_type": "classifier"}
    return mlflow.evaluate(**{**given, **options})


def test_a_run_of_its_own_has_the_metrics_the_dataset_and_the_model(caplog: pytest.LogCaptureFixture) -> None:
    uri = model_uri()
    result = mlflow.evaluate(uri, DATA, targets="y", model_type="classifier")
    assert mlflow.active_run() is None
    assert result.run_id is not None
    run = mlflow.get_run(result.run_id)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == pytest.approx({key: float(value) for key, value in result.metrics.items()})
    assert run.inputs is not None
    assert [each.model_id for each in run.inputs.model_inputs] == [uri.removeprefix("models:/")]
    assert len(run.inputs.dataset_inputs) == 1
    logged = mlflow.get_logged_model(uri.removeprefix("models:/"))
    assert {each.key for each in logged.metrics or ()} == set(result.metrics)
    assert "matplotlib is not installed" in caplog.text


def test_an_active_run_is_used_and_left_active() -> None:
    with mlflow.start_run() as run:
        assert classify().run_id == run.info.run_id
        assert mlflow.active_run() is not None


def test_a_class_that_is_absent_from_the_data_keeps_its_column() -> None:
    labels = ["x", "x", "y", "x", "y", "z"]
    uri = model_uri(labels)
    few = X.assign(y=labels).iloc[:5]
    result = mlflow.evaluate(uri, few, targets="y", model_type="classifier")
    frame = result.artifacts["per_class_metrics"].content
    assert frame["positive_class"].tolist() == ["x", "y", "z"]
    assert np.isnan(frame["roc_auc"].iloc[2])
    assert "log_loss" in result.metrics
    assert "roc_auc" not in result.metrics


def test_the_positive_class_is_the_one_that_is_named() -> None:
    one, zero = classify().metrics, classify(evaluator_config={"pos_label": 0}).metrics
    assert (one["recall_score"], one["true_positives"]) == (1, 3)
    assert (zero["recall_score"], zero["true_negatives"]) == (0, 3)


def test_whole_numbers_do_for_the_decimals_of_a_signature() -> None:
    uri = mlflow.sklearn.log_model(LinearRegression().fit(X, Y), name="m", input_example=X).model_uri
    whole = DATA.astype(int)
    assert mlflow.evaluate(uri, whole, targets="y", model_type="regressor").metrics["example_count"] == 6


def test_an_estimator_of_arrays_is_given_arrays() -> None:
    uri = mlflow.sklearn.log_model(LogisticRegression().fit(X.to_numpy(), Y), name="m").model_uri
    # A frame would have scikit-learn warn of its names, which is an error here.
    result = mlflow.evaluate(uri, X.to_numpy(), targets=Y, model_type="classifier")
    assert "roc_auc" in result.metrics


def test_metrics_take_what_they_name() -> None:
    def doubled(shifted: MetricValue, factor: float, targets: Any) -> float:
        assert shifted.aggregate_results is not None
        return shifted.aggregate_results["shifted"] * factor

    def shifted(predictions: Any, targets: Any, b: Any, by: float = 1.0) -> float:
        return float((predictions - targets + b).mean() + by)

    metrics = [make_metric(eval_fn=each, greater_is_better=True) for each in (doubled, shifted)]
    result = mlflow.evaluate(
        always_one, DATA, targets="y", extra_metrics=metrics, evaluator_config={"factor": 2, "col_mapping": {"b": "a"}}
    )
    assert result.metrics == pytest.approx({"shifted": 4.0, "doubled": 8.0})


def test_scores_of_rows_are_a_table() -> None:
    def off(predictions: Any, targets: Any) -> MetricValue:
        return MetricValue(scores=[float(each) for each in predictions - targets], justifications=["so"] * 6)

    result = classify(extra_metrics=[make_metric(eval_fn=off, greater_is_better=False)])
    table = result.tables["eval_results_table"]
    assert list(table.columns) == ["a", "b", "y", "outputs", "off/score", "off/justification"]
    assert result.metrics["off/mean"] == pytest.approx(0.5)


def test_a_metric_that_fails_is_named() -> None:
    def broken(predictions: Any, targets: Any) -> float:
        raise KeyError("x")

    with pytest.raises(RunyardError, match="metric 'broken' raised KeyError"):
        classify(extra_metrics=[make_metric(eval_fn=broken, greater_is_better=True)])


def test_metrics_that_need_each_other_in_a_circle_are_told() -> None:
    def first(second: float, targets: Any, predictions: Any) -> float:
        return second

    def second(first: float, unknown: float, predictions: Any) -> float:
        return first + unknown

    circle = [make_metric(eval_fn=each, greater_is_better=True) for each in (first, second)]
    said = r"'first' needs 'second'; metric 'second' needs 'first', 'unknown': .*col_mapping"
    with pytest.raises(InvalidParameter, match=said):
        classify(extra_metrics=circle)


def test_a_result_is_saved_and_loaded(tmp_path: Path) -> None:
    def sizes(table: pd.DataFrame, metrics: Any, folder: str) -> dict[str, Any]:
        return {"sizes": {"rows": len(table)}, "worst": None}

    result = classify(custom_artifacts=[sizes])
    result.save(tmp_path / "result")
    loaded = EvaluationResult.load(tmp_path / "result")
    assert loaded.metrics == {key: float(value) for key, value in result.metrics.items()}
    assert {name: each.content for name, each in loaded.artifacts.items()} == {"sizes": {"rows": 6}, "worst": None}


def test_pickles_of_artifacts_are_refused_where_they_are_forbidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def a_set(table: pd.DataFrame, metrics: Any, folder: str) -> dict[str, Any]:
        return {"thing": {1, 2}}

    content = classify(custom_artifacts=[a_set]).artifacts["thing"].content
    assert content == {1, 2}
    monkeypatch.setenv("RUNYARD_ALLOW_PICKLE", "false")
    with pytest.raises(RunyardError, match="is a pickle"):
        classify(custom_artifacts=[a_set])


def test_an_evaluator_that_a_package_adds_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = importlib.metadata.EntryPoint("counts", f"{__name__}:Counts", evaluators.ENTRY_POINTS)
    monkeypatch.setattr(evaluators, "_added", lambda: {"counts": entry})
    assert mlflow.models.list_evaluators() == ["default", "classifier", "regressor", "counts"]
    assert classify().metrics["rows"] == 6
    only = classify(evaluators=["counts"], evaluator_config={"counts": {"add": 1}})
    assert only.metrics == {"rows": 7}


class Counts(evaluators.ModelEvaluator):
    """What a package may add."""

    @classmethod
    def can_evaluate(cls, **given: Any) -> bool:  # noqa: ARG003 - an evaluator's signature
        return True

    def evaluate(self, **given: Any) -> EvaluationResult:
        return EvaluationResult(
            {"rows": len(given["dataset"].features_data) + given["evaluator_config"].get("add", 0)}, {}
        )


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"data": None}, "data must be given"),
        ({"targets": None}, "targets must be given for a classifier"),
        ({"targets": "z"}, "targets: there is no column 'z'"),
        ({"model": 5}, "model must be a URI"),
        ({"model": None}, "give a model, or predictions"),
        ({"model_type": None}, "give model_type, 'classifier' or 'regressor', or extra_metrics"),
        ({"model_type": "clusterer"}, "none of the evaluators .* measures models of model_type 'clusterer'"),
        ({"feature_names": ["a", "c"]}, "feature_names: there is no column 'c'"),
        ({"feature_names": ["a", "a"]}, "feature_names must be unique"),
        ({"extra_metrics": [len]}, r"extra_metrics\[0\] must be a metric"),
        ({"evaluators": "nobody"}, "evaluators must be of default, classifier, regressor, got 'nobody'"),
        ({"evaluator_config": {"pos_label": 7}}, r"pos_label must be one of the classes \[0, 1\], got 7"),
        ({"data": DATA.assign(y=1)}, r"two classes at least, got \[1\]"),
        ({"data": X.to_numpy(), "targets": Y[:3]}, "targets must be as many as the data's rows, 6, got 3"),
        ({"data": [1, 2, 3], "targets": "y"}, "targets must be the labels themselves"),
        ({"data": [[1, 2], [3]], "targets": [0, 1]}, "data must be a list of equally long rows"),
        ({"data": {"a": 1}}, "data must be a data frame, an array, a list of rows or a dataset, got dict"),
        ({"model": lambda _: np.ones((6, 3))}, "must give a class for each of the 6 rows"),
        ({"model": lambda _: pd.DataFrame({"p": Y, "q": Y})}, r"predictions must name the column .* \['p', 'q'\]"),
        ({"model_type": "regressor", "data": X.assign(y="text")}, "a regressor is measured on numbers"),
        ({"data": mlflow.data.from_pandas(DATA, targets="y")}, "targets must be left out where data is a dataset"),
        ({"data": mlflow.data.from_pandas(X), "targets": None}, "the dataset names no targets"),
    ],
)
def test_what_is_wrong_with_a_call_is_told(options: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidParameter, match=said):
        classify(**options)


@pytest.mark.parametrize(
    "options", [{"env_manager": "virtualenv"}, {"model": "endpoints:/chat"}, {"model_type": "question-answering"}]
)
def test_what_is_not_there_is_told(options: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedHere):
        classify(**options)


def test_no_run_is_made_by_a_call_that_is_refused() -> None:
    with pytest.raises(InvalidParameter):
        classify(model=5)
    assert mlflow.search_runs(output_format="list") == []


def test_a_figure_that_the_data_do_not_tell_is_left_out(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    result = mlflow.evaluate(
        model_uri(), DATA[DATA["y"] == 1], targets="y", model_type="classifier", evaluator_config={"label_list": [0, 1]}
    )
    assert "roc_auc" not in result.metrics
    assert "in every row or in none" in caplog.text
    assert result.metrics["example_count"] == 3
