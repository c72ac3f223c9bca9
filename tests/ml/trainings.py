"""The same trainings for our autologging and for upstream's: what each leaves is printed as JSON.

Run as ``python -m tests.ml.trainings NAME…``; ``mlflow`` is whichever the path has.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

X = pd.DataFrame({"a": np.linspace(0, 1, 40), "b": [0.0, 1.0, 1.0, 0.0] * 10})
Y = np.array([0, 1] * 20)


def logistic_regression() -> None:
    from sklearn.linear_model import LogisticRegression

    LogisticRegression(C=0.5).fit(X, Y)


def linear_regression() -> None:
    from sklearn.linear_model import LinearRegression

    LinearRegression().fit(X.to_numpy(), X["a"].to_numpy() * 2 + 1, sample_weight=np.ones(40))


def pipeline() -> None:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    make_pipeline(StandardScaler(), RandomForestClassifier(n_estimators=3, n_jobs=2, random_state=1)).fit(X, Y)


def clusters() -> None:
    from sklearn.cluster import KMeans

    KMeans(n_clusters=2, n_init=1, random_state=1).fit_predict(X)


def grid_search() -> None:
    from sklearn.model_selection import GridSearchCV
    from sklearn.tree import DecisionTreeClassifier

    tree = DecisionTreeClassifier(random_state=1)
    GridSearchCV(tree, {"max_depth": [1, 2, 3, 4, 5, 6, 7]}, cv=2).fit(X, Y)


def measured_after() -> None:
    import sklearn.metrics
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(X, Y)
    held, held_labels = X[:10], Y[:10]
    predicted = model.predict(held)
    sklearn.metrics.accuracy_score(held_labels, predicted)
    sklearn.metrics.f1_score(held_labels, y_pred=predicted, average="macro")
    sklearn.metrics.accuracy_score(held_labels, model.predict(X[20:30]), normalize=True)
    model.score(held, held_labels)
    held, held_labels = X[10:20], Y[10:20]
    model.score(held, held_labels)


def fit_that_fails() -> None:
    from sklearn.linear_model import LogisticRegression

    try:
        LogisticRegression(max_iter=-5).fit(X, Y)
    except ValueError:
        return
    raise AssertionError("it did not fail")


def xgboost_native() -> None:
    import xgboost

    data = xgboost.DMatrix(X, label=Y)
    options = {"max_depth": 2, "objective": "binary:logistic", "seed": 1}
    xgboost.train(options, data, 4, evals=[(data, "train")], early_stopping_rounds=2, verbose_eval=False)


def xgboost_classifier() -> None:
    import xgboost

    model = xgboost.XGBClassifier(n_estimators=2, max_depth=2, random_state=1)
    model.fit(X, Y, eval_set=[(X, Y)], verbose=False)


def lightgbm_native() -> None:
    import lightgbm

    data = lightgbm.Dataset(X, label=Y)
    options = {"objective": "binary", "verbose": -1, "min_data_in_leaf": 2, "num_threads": 1}
    lightgbm.train(options, data, 3, valid_sets=[data], valid_names=["train"])


def lightgbm_classifier() -> None:
    import lightgbm

    model = lightgbm.LGBMClassifier(n_estimators=2, verbose=-1, min_child_samples=2, n_jobs=1)
    model.fit(X, Y, eval_set=[(X, Y)])


def keras_model() -> None:
    import keras

    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    model.fit(X.to_numpy(), Y, epochs=2, batch_size=8, verbose=0, validation_data=(X.to_numpy(), Y))


def lightning_module() -> None:
    import lightning
    import torch

    class Line(lightning.LightningModule):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(1)
            self.line = torch.nn.Linear(2, 1)

        def forward(self, x: Any) -> Any:
            return self.line(x)

        def training_step(self, batch: Any, _: int) -> Any:
            loss = torch.nn.functional.mse_loss(self.line(batch[0])[:, 0], batch[1])
            self.log("train_loss", loss, on_epoch=True)
            return loss

        def validation_step(self, batch: Any, _: int) -> None:
            self.log("val_loss", torch.nn.functional.mse_loss(self.line(batch[0])[:, 0], batch[1]))

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=0.1)

    tensors = torch.tensor(X.to_numpy(copy=True), dtype=torch.float32), torch.tensor(Y, dtype=torch.float32)
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*tensors), batch_size=8)
    trainer = lightning.Trainer(
        max_epochs=3,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        accelerator="cpu",
    )
    trainer.fit(Line(), loader, loader)


def least_squares() -> None:
    import statsmodels.api

    statsmodels.api.OLS(X["a"] + 0.1 * Y, X).fit()


def generalized() -> None:
    import statsmodels.api

    statsmodels.api.GLM(Y, X, family=statsmodels.api.families.Binomial()).fit()


TRAININGS = {
    "sklearn": [
        logistic_regression,
        linear_regression,
        pipeline,
        clusters,
        grid_search,
        measured_after,
        fit_that_fails,
    ],
    "xgboost": [xgboost_native, xgboost_classifier],
    "lightgbm": [lightgbm_native, lightgbm_classifier],
    "keras": [keras_model],
    "pytorch": [lightning_module],
    "statsmodels": [least_squares, generalized],
}


def main(mlflow: Any, tracking_uri: str) -> dict[str, Any]:
    """Train with each library's autologging on; return what each training left, by its name."""
    import importlib

    mlflow.set_tracking_uri(tracking_uri)
    client = mlflow.MlflowClient()
    found = {}
    for library, trainings in TRAININGS.items():
        module = importlib.import_module(f"{mlflow.__name__}.{library}")
        module.autolog()
        for train in trainings:
            before = {run.info.run_id for run in client.search_runs(["0"], max_results=1000)}
            train()
            new = [run for run in client.search_runs(["0"], max_results=1000) if run.info.run_id not in before]
            found[train.__name__] = [_left(client, run) for run in sorted(new, key=lambda run: run.info.start_time)]
        module.autolog(disable=True)
    return found


def _left(client: Any, run: Any) -> dict[str, Any]:
    artifacts = sorted(file.path for file in client.list_artifacts(run.info.run_id))
    calls = None
    if "metric_info.json" in artifacts:
        calls = json.loads(Path(client.download_artifacts(run.info.run_id, "metric_info.json")).read_text())
    return {
        "status": run.info.status,
        "params": run.data.params,
        "metrics": {
            key: [(point.step, point.value) for point in client.get_metric_history(run.info.run_id, key)]
            for key in run.data.metrics
        },
        "tags": {
            key: value
            for key, value in run.data.tags.items()
            if key.startswith("estimator") or key in {"mlflow.autologging", "Mode"}
        },
        "is_child": "mlflow.parentRunId" in run.data.tags,
        "artifacts": artifacts,
        "calls": calls,
        "inputs": sorted(
            (given.dataset.name, tag.value)
            for given in run.inputs.dataset_inputs
            for tag in given.tags
            if tag.key == "mlflow.data.context"
        ),
        "models": sorted(
            client.get_logged_model(each.model_id).name for each in (run.outputs.model_outputs if run.outputs else ())
        ),
    }


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    import mlflow

    sys.stdout.write("\n" + json.dumps(main(mlflow, sys.argv[1])) + "\n")
