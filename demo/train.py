"""What a data scientist does with MLflow: train, log, register, promote, load back, search.

It needs runyard-mlflow or mlflow, scikit-learn and pandas, and a server at MLFLOW_TRACKING_URI:

    MLFLOW_TRACKING_URI=http://127.0.0.1:5000 python demo/train.py
"""

from __future__ import annotations

import logging
import warnings

import mlflow
import mlflow.sklearn
from mlflow.models import infer_signature
from mlflow.tracking import MlflowClient
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import train_test_split

EXPERIMENT = "iris-classification"
MODEL = "iris-classifier"
ALIAS = "champion"

# The client explains its newer spellings at length; what is shown here is what it did.
warnings.filterwarnings("ignore")
logging.getLogger("mlflow").setLevel(logging.ERROR)


def say(what: str, value: object = "") -> None:
    print(f"  {what:<36}{value}".rstrip(), flush=True)


def heading(text: str) -> None:
    print(f"\n{text}", flush=True)


server = mlflow.get_tracking_uri()
client = MlflowClient()
experiment = mlflow.set_experiment(EXPERIMENT)
features, classes = load_iris(return_X_y=True)
train_features, test_features, train_classes, test_classes = train_test_split(
    features, classes, test_size=0.2, random_state=42
)

heading(f"Training a random forest, with the client of {mlflow.__name__} {mlflow.__version__}")
with mlflow.start_run() as run:
    parameters = {"n_estimators": 100, "max_depth": 10}
    model = RandomForestClassifier(**parameters, random_state=42).fit(train_features, train_classes)
    metrics = {
        "train_accuracy": model.score(train_features, train_classes),
        "test_accuracy": model.score(test_features, test_classes),
    }
    mlflow.log_params(parameters)
    mlflow.log_metrics(metrics)
    mlflow.sklearn.log_model(
        model,
        "model",
        signature=infer_signature(train_features, model.predict(train_features)),
        # Named, so that the client need not find out in a process of its own.
        pip_requirements=["scikit-learn"],
    )
say("experiment", f"{EXPERIMENT} (id {experiment.experiment_id})")
say("run", f"{run.info.run_name} (id {run.info.run_id})")
for name, value in {**parameters, **metrics}.items():
    say(name, f"{value:.4g}")

heading("Registering the model")
registered = mlflow.register_model(f"runs:/{run.info.run_id}/model", MODEL)
version = str(registered.version)
say("registered model", f"{MODEL}, version {version}")
client.transition_model_version_stage(MODEL, version, "Production", archive_existing_versions=True)
say("stage", client.get_model_version(MODEL, version).current_stage)
client.set_registered_model_alias(MODEL, ALIAS, version)
say("alias", f"{ALIAS} -> version {client.get_model_version_by_alias(MODEL, ALIAS).version}")

heading("Loading it back and predicting the 30 flowers kept for testing")
expected = list(model.predict(test_features))
for uri in (f"models:/{MODEL}/{version}", f"models:/{MODEL}/Production", f"models:/{MODEL}@{ALIAS}"):
    predicted = list(mlflow.pyfunc.load_model(uri).predict(test_features))
    if predicted != expected:
        raise SystemExit(f"{uri} predicts {predicted}, the model that was trained {expected}")
    say(uri, f"{sum(predicted == test_classes)} of {len(predicted)} right, as when trained")

heading("Searching the runs: metrics.test_accuracy > 0.9, the latest first")
runs = mlflow.search_runs(
    experiment_names=[EXPERIMENT],
    filter_string="metrics.test_accuracy > 0.9",
    order_by=["start_time DESC"],
    max_results=5,
)
columns = ["tags.mlflow.runName", "status", "params.n_estimators", "metrics.test_accuracy"]
for line in runs[columns].to_string(index=False).splitlines():
    print(f"  {line}")

heading("See for yourself")
say("everything", server)
say("the run, as JSON", f"{server}/api/2.0/mlflow/runs/get?run_id={run.info.run_id}")
say("the model, as JSON", f"{server}/api/2.0/mlflow/registered-models/get?name={MODEL}")
say("the API", f"{server}/docs")
