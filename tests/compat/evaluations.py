"""The same evaluations by our evaluate and by upstream's: what each leaves is printed as JSON.

Run as ``python -m tests.compat.evaluations``; ``mlflow`` is whichever the path has.
"""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

RANDOM = np.random.default_rng(7)
X = pd.DataFrame({"a": RANDOM.normal(size=90), "b": RANDOM.normal(size=90)})
NUMBERS = 3 * X["a"] - X["b"] + RANDOM.normal(scale=0.5, size=90)
TWO = (NUMBERS > 0.3).astype(int).rename("y")
THREE = pd.Series(np.digitize(NUMBERS, [-1.5, 1.5])).map({0: "low", 1: "mid", 2: "top"}).rename("y")
WEIGHTS = np.linspace(1, 2, 90)
PLAIN = {"log_model_explainability": False}


def logged(mlflow: Any, labels: Any, kind: str = "LogisticRegression", **options: Any) -> str:
    """Return the URI of a model that is fitted to the half of the data."""
    from sklearn import linear_model, svm

    make = getattr(linear_model, kind, None) or getattr(svm, kind)
    estimator = make().fit(X[::2], labels[::2])
    with mlflow.start_run():
        return mlflow.sklearn.log_model(
            estimator, name="model", serialization_format="cloudpickle", pip_requirements=["none"], **options
        ).model_uri


def binary(mlflow: Any) -> Any:
    return mlflow.evaluate(
        logged(mlflow, TWO), X.assign(y=TWO), targets="y", model_type="classifier", evaluator_config=PLAIN
    )


def binary_of_texts(mlflow: Any) -> Any:
    labels = TWO.map({0: "no", 1: "yes"})
    config = {**PLAIN, "pos_label": "no", "sample_weights": WEIGHTS, "metric_prefix": "val_"}
    return mlflow.models.evaluate(
        logged(mlflow, labels), X.assign(y=labels), targets="y", model_type="classifier", evaluator_config=config
    )


def binary_without_probabilities(mlflow: Any) -> Any:
    model = mlflow.pyfunc.load_model(logged(mlflow, TWO, "LinearSVC"))
    return mlflow.evaluate(
        model, X.assign(y=TWO), targets="y", model_type="classifier", evaluators="default", evaluator_config=PLAIN
    )


def multiclass(mlflow: Any) -> Any:
    return mlflow.evaluate(
        logged(mlflow, THREE), X.assign(y=THREE), targets="y", model_type="classifier", evaluator_config=PLAIN
    )


def multiclass_by_macro_average(mlflow: Any) -> Any:
    data = mlflow.data.from_pandas(X.assign(y=THREE), targets="y", name="three")
    config = {**PLAIN, "average": "macro", "max_classes_for_multiclass_roc_pr": 2}
    return mlflow.evaluate(logged(mlflow, THREE), data, model_type="classifier", evaluator_config={"default": config})


def regression(mlflow: Any) -> Any:
    def within_one(predictions: Any, targets: Any) -> Any:
        return float(np.mean(np.abs(predictions - targets) < 1))

    def halved(within_one: Any) -> Any:
        return within_one.aggregate_results["within_one"] / 2

    def by_row(predictions: Any, targets: Any, a: Any) -> Any:
        return mlflow.metrics.MetricValue(scores=(targets - predictions + a).tolist())

    def first_rows(table: Any, found: Any, folder: str) -> dict[str, Any]:
        Path(folder, "note.txt").write_text("noted", encoding="utf-8")
        return {
            "rows": table.head(2),
            "values": table["prediction"].head(3).to_numpy(),
            "told": {"count": len(table), "names": sorted(found)},
            "note": str(Path(folder, "note.txt")),
        }

    make = mlflow.models.make_metric
    return mlflow.evaluate(
        logged(mlflow, NUMBERS, "LinearRegression"),
        X.assign(y=NUMBERS),
        targets="y",
        model_type="regressor",
        feature_names=["a", "b"],
        evaluator_config={**PLAIN, "sample_weights": WEIGHTS},
        extra_metrics=[
            make(eval_fn=halved, greater_is_better=True),
            make(eval_fn=within_one, greater_is_better=True, name="within_one"),
            make(eval_fn=by_row, greater_is_better=False, version="v2"),
            mlflow.metrics.mape(),
            make(eval_fn=lambda table, found: found["r2_score"] * len(table), greater_is_better=True, name="scaled"),
        ],
        custom_artifacts=[first_rows],
    )


def regression_of_arrays(mlflow: Any) -> Any:
    with mlflow.start_run():
        return mlflow.evaluate(
            lambda data: data.to_numpy() @ np.array([3, -1]),
            X.to_numpy(),
            targets=NUMBERS.to_numpy(),
            model_type="regressor",
            evaluator_config=PLAIN,
        )


def regression_of_lists(mlflow: Any) -> Any:
    return mlflow.evaluate(
        lambda data: pd.DataFrame({"said": data.iloc[:, 0] * 3, "other": 1}),
        X["a"].tolist(),
        targets=NUMBERS.tolist(),
        predictions="said",
        model_type="regressor",
        feature_names=["only"],
        evaluator_config=PLAIN,
    )


def predictions_alone(mlflow: Any) -> Any:
    data = X.assign(y=TWO, said=(X["a"] > 0).astype(int))
    return mlflow.evaluate(data=data, targets="y", predictions="said", model_type="classifier", evaluator_config=PLAIN)


def predictions_of_a_dataset(mlflow: Any) -> Any:
    data = mlflow.data.from_pandas(X.assign(y=NUMBERS, said=X["a"] * 3), targets="y", predictions="said")
    return mlflow.evaluate(data=data, model_type="regressor", evaluator_config=PLAIN)


def metrics_alone(mlflow: Any) -> Any:
    found = pd.DataFrame({"question": ["p", "q", "r"], "docs": [[1, 2], [2, 1, 2], [4]], "wanted": [[1], [2], [3]]})
    metrics = mlflow.metrics
    return mlflow.evaluate(
        data=found,
        targets="wanted",
        predictions="docs",
        extra_metrics=[metrics.precision_at_k(2), metrics.recall_at_k(2), metrics.ndcg_at_k(3)],
    )


EVALUATIONS: tuple[Callable[[Any], Any], ...] = (
    binary,
    binary_of_texts,
    binary_without_probabilities,
    multiclass,
    multiclass_by_macro_average,
    regression,
    regression_of_arrays,
    regression_of_lists,
    predictions_alone,
    predictions_of_a_dataset,
    metrics_alone,
)


def told(mlflow: Any, result: Any) -> dict[str, Any]:
    """Return what an evaluation left, without what differs by its nature."""
    client = mlflow.MlflowClient()
    run = client.get_run(result.run_id)
    histories = {key: client.get_metric_history(run.info.run_id, key)[-1] for key in run.data.metrics}
    tables = {}
    for name, artifact in result.artifacts.items():
        if isinstance(artifact.content, pd.DataFrame):
            tables[name] = json.loads(artifact.content.to_json(orient="split"))
        elif isinstance(artifact.content, (dict, list, str)):
            tables[name] = artifact.content
        elif isinstance(artifact.content, np.ndarray):
            tables[name] = artifact.content.tolist()
    inputs = run.inputs
    return {
        "status": run.info.status,
        "metrics": {key: float(value) for key, value in result.metrics.items()},
        "run_metrics": run.data.metrics,
        "points": {
            key: [point.step, bool(point.model_id), point.dataset_name, point.dataset_digest]
            for key, point in histories.items()
        },
        "artifacts": {
            name: [type(each).__name__, os.path.basename(each.uri)] for name, each in result.artifacts.items()
        },
        "contents": tables,
        "files": sorted(each.path for each in client.list_artifacts(run.info.run_id)),
        "datasets": [
            [each.dataset.name, each.dataset.digest, {tag.key: tag.value for tag in each.tags}]
            for each in inputs.dataset_inputs
        ],
        "models": len(inputs.model_inputs or []),
        "hashes": [
            {key: value for key, value in each.items() if key != "model"}
            for each in json.loads(run.data.tags.get("mlflow.datasets", "[]"))
        ],
        "tables": {name: json.loads(table.to_json(orient="split")) for name, table in result.tables.items()},
    }


def main(mlflow: Any) -> dict[str, Any]:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    found = {}
    for evaluate in EVALUATIONS:
        mlflow.set_experiment(evaluate.__name__)
        found[evaluate.__name__] = told(mlflow, evaluate(mlflow))
    return found


if __name__ == "__main__":
    import mlflow

    print(json.dumps(main(mlflow)))
