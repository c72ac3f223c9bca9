"""Autologging leaves what upstream's leaves, stops no training, and can be taken back."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, LogisticRegression

import runyard as mlflow
from runyard.autologging import core
from runyard.client import background
from runyard.errors import Unavailable
from tests.ml import trainings
from tests.ml.trainings import TRAININGS, X, Y
from tests.ml.upstream import ROOT, upstream

NAMES = [train.__name__ for library in TRAININGS.values() for train in library]


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the trainings leave with ours, and with upstream's."""
    folder = tmp_path_factory.mktemp("autologging")
    (folder / "theirs").mkdir()
    theirs = upstream("tests.ml.trainings", folder / "theirs", f"sqlite:///{folder}/theirs/runs.db")
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.chdir(folder)
        ours = json.loads(json.dumps(trainings.main(mlflow, f"sqlite:///{folder}/ours.db")))
    return ours, theirs


# Values of what is drawn at random or measured in time, and what says nothing.
_FREE_METRICS = ("mean_fit_time", "std_fit_time", "mean_score_time", "std_score_time")


@pytest.mark.parametrize("name", NAMES)
def test_a_training_leaves_what_upstreams_leaves(name: str, left: tuple[dict[str, Any], dict[str, Any]]):
    ours, theirs = left[0][name], left[1][name]

    assert len(ours) == len(theirs)
    by_params = lambda run: (run["is_child"], sorted(run["params"].items()))  # noqa: E731
    for mine, other in zip(sorted(ours, key=by_params), sorted(theirs, key=by_params), strict=True):
        # What it makes of arguments that were not given.
        other["params"].pop("kwargs", None)
        if mine["status"] == "FINISHED":
            assert mine["params"] == other["params"]
        assert mine["metrics"].keys() == other["metrics"].keys()
        for key, points in other["metrics"].items():
            if key not in _FREE_METRICS:
                np.testing.assert_allclose(mine["metrics"][key], points, rtol=1e-4, atol=1e-6, err_msg=key)
        same = ["status", "is_child", "artifacts", "calls", "inputs", "models"]
        assert {key: mine[key] for key in same} == {key: other[key] for key in same}
        if mine["status"] == "FINISHED":
            assert mine["tags"] == other["tags"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    yield tmp_path
    mlflow.sklearn.autolog(disable=True)


def runs() -> list[Any]:
    found: list[Any] = mlflow.search_runs(experiment_ids=["0"], output_format="list")
    return found


@pytest.mark.usefixtures("place")
def test_a_training_in_a_run_of_the_program_is_logged_to_that():
    mlflow.sklearn.autolog(log_models=False)
    with mlflow.start_run(run_name="mine"):
        LogisticRegression().fit(X, Y)
        mlflow.log_metric("own", 1.0)

    [run] = runs()
    assert run.info.run_name == "mine"
    assert {"own", "training_accuracy_score"} <= run.data.metrics.keys()
    assert "mlflow.autologging" not in run.data.tags


@pytest.mark.usefixtures("place")
def test_exclusive_leaves_runs_of_the_program_alone_and_disable_takes_everything_back():
    original = LogisticRegression.fit
    mlflow.sklearn.autolog(exclusive=True, extra_tags={"team": "risk"}, log_models=False)
    with mlflow.start_run():
        LogisticRegression().fit(X, Y)
    LogisticRegression().fit(X, Y)
    tags = [run.data.tags.get("team") for run in runs()]
    assert sorted(map(str, tags)) == ["None", "risk"]

    mlflow.sklearn.autolog(disable=True)
    assert LogisticRegression.fit is original
    LogisticRegression().fit(X, Y)
    assert len(runs()) == 2


@pytest.mark.usefixtures("place")
def test_what_is_measured_after_a_training_is_logged_to_its_run():
    mlflow.sklearn.autolog(log_models=False)
    import sklearn.metrics

    model = LogisticRegression().fit(X, Y)
    held, held_labels = X[:10], Y[:10]
    predicted = model.predict(held)
    accuracy = sklearn.metrics.accuracy_score(held_labels, predicted)
    model.score(held, held_labels)
    sklearn.metrics.accuracy_score(held_labels, model.predict(held))

    [run] = runs()
    measured = {key: value for key, value in run.data.metrics.items() if not key.startswith("training_")}
    assert measured == {
        "accuracy_score_held": accuracy,
        "accuracy_score-2_held": accuracy,
        "LogisticRegression_score_held": accuracy,
    }
    assert "accuracy_score_held" in mlflow.artifacts.load_dict(f"runs:/{run.info.run_id}/metric_info.json")


@pytest.mark.usefixtures("place")
def test_threads_train_in_runs_of_their_own():
    mlflow.sklearn.autolog(log_models=False)
    threads = [threading.Thread(target=lambda c=c: LogisticRegression(C=c).fit(X, Y)) for c in (0.1, 1.0, 10.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(run.data.params["C"] for run in runs()) == ["0.1", "1.0", "10.0"]
    assert {run.info.status for run in runs()} == {"FINISHED"}


def test_a_server_that_is_away_stops_no_training(
    place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    mlflow.set_tracking_uri("http://127.0.0.1:9")
    mlflow.sklearn.autolog()

    model = LinearRegression().fit(X, Y)
    LinearRegression().fit(X, Y)

    assert model.predict(X).shape == (40,)
    told = [record.message for record in caplog.records if record.name == "runyard.autologging"]
    assert len(told) == 1
    assert told[0].startswith("autologging of sklearn could not start a run: Unavailable: ")


def test_a_server_that_goes_away_in_mid_training_stops_nothing(
    place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    import xgboost

    def away(*_: Any) -> None:
        raise Unavailable("the server went away")

    mlflow.xgboost.autolog()
    try:
        with mlflow.start_run():
            monkeypatch.setattr(background, "send", away)
            booster = xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, label=Y), 5)
            monkeypatch.undo()
            monkeypatch.chdir(place)
    finally:
        mlflow.xgboost.autolog(disable=True)

    assert booster.num_boosted_rounds() == 5
    assert any("was lost: the server went away" in record.message for record in caplog.records)


def test_an_error_of_the_programs_own_callback_is_the_programs(place: Path):
    import xgboost

    class Failing(xgboost.callback.TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            raise ZeroDivisionError

    mlflow.xgboost.autolog()
    try:
        with pytest.raises(ZeroDivisionError):
            xgboost.train({"max_depth": 2}, xgboost.DMatrix(X, label=Y), 5, callbacks=[Failing()])
    finally:
        mlflow.xgboost.autolog(disable=True)
    [run] = runs()
    assert run.info.status == "FAILED"


def test_one_error_of_a_kind_is_told_once(place: Path, caplog: pytest.LogCaptureFixture):
    library = core.Library("some")
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            with library.attempt("do this"):
                raise ValueError("no")
    assert [record.message for record in caplog.records] == ["autologging of some could not do this: ValueError: no"]


def test_libraries_are_set_up_when_they_are_imported(tmp_path: Path):
    program = """
import sys
import runyard as mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.autolog(log_models=False, exclude_flavors=["lightgbm"])
assert not {"sklearn", "xgboost", "lightgbm", "pandas", "numpy"} & set(sys.modules)
from sklearn.linear_model import LinearRegression
LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])
import xgboost
xgboost.train({}, xgboost.DMatrix([[1.0], [2.0]], label=[0, 1]), 2)
import lightgbm
assert not hasattr(lightgbm.train, "__wrapped__")
print([run.data.tags["mlflow.autologging"] for run in mlflow.search_runs(experiment_ids=["0"], output_format="list")])
"""
    done = subprocess.run(
        [sys.executable, "-c", program, f"sqlite:///{tmp_path}/runs.db"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "src"), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "['xgboost', 'sklearn']"


@pytest.mark.usefixtures("place")
def test_keras_is_followed_by_the_name_of_tensorflow_too():
    import keras

    mlflow.tensorflow.autolog(log_every_n_steps=1, registered_model_name="small", checkpoint=False)
    try:
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
        model.compile(optimizer="sgd", loss="mse")
        features = X.to_numpy()
        model.fit(features, Y, epochs=1, batch_size=32, verbose=0)
    finally:
        mlflow.tensorflow.autolog(disable=True)

    [run] = runs()
    assert run.data.params["epochs"] == "1"
    history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "loss")
    assert [point.step for point in history] == list(range(1, 1 + -(-len(X) // 32)))
    loaded = mlflow.tensorflow.load_model("models:/small/1")
    np.testing.assert_allclose(loaded.predict(features[:3], verbose=0), model.predict(features[:3], verbose=0))


def test_a_training_is_logged_without_its_model_where_pickles_are_forbidden(
    place: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setenv("RUNYARD_ALLOW_PICKLE", "false")
    mlflow.sklearn.autolog()
    LinearRegression().fit(X, Y)
    [run] = runs()
    assert "training_mean_squared_error" in run.data.metrics
    assert run.outputs is None or not run.outputs.model_outputs
    assert "could not log the model: PermissionDenied: model.pkl is a pickle" in caplog.text

    mlflow.sklearn.autolog(serialization_format="skops")
    LinearRegression().fit(X, Y)
    [model] = mlflow.search_logged_models(filter_string="status = 'READY'", output_format="list")
    assert len(mlflow.pyfunc.load_model(model.model_uri).predict(X)) == len(X)
