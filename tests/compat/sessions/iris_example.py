"""The training example of the platform's manual, verbatim but for the address, and what its manual does next."""

# ruff: noqa: E402, F401, I001

import os

# --- the manual's example; its comments are kept as they are ---
import mlflow
import mlflow.sklearn
from sklearn.ensemble import RandomForestClassifier
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from sklearn.metrics import accuracy_score

# Configurar tracking
mlflow.set_tracking_uri(os.environ["MLFLOW_TRACKING_URI"])
mlflow.set_experiment("iris-classification")

with mlflow.start_run():
    # Cargar datos
    X, y = load_iris(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, test_size=0.2, random_state=42
    )

    # Parámetros del modelo
    n_estimators = 100
    max_depth = 10

    # Entrenar modelo
    model = RandomForestClassifier(
        n_estimators=n_estimators,
        max_depth=max_depth,
        random_state=42
    )
    model.fit(X_train, y_train)

    # Calcular métricas
    train_accuracy = model.score(X_train, y_train)
    test_accuracy = model.score(X_test, y_test)

    # Registrar parámetros
    mlflow.log_param("n_estimators", n_estimators)
    mlflow.log_param("max_depth", max_depth)

    # Registrar métricas
    mlflow.log_metric("train_accuracy", train_accuracy)
    mlflow.log_metric("test_accuracy", test_accuracy)

    # Registrar modelo
    mlflow.sklearn.log_model(model, "model")

    print(f"Run ID: {mlflow.active_run().info.run_id}")

    # --- the manual: registering the model from code ---
    # Obtener run_id del run actual
    run_id = mlflow.active_run().info.run_id
    model_uri = f"runs:/{run_id}/model"

    # Registrar modelo
    model_name = "iris-classifier"
    mlflow.register_model(model_uri, model_name)

    print(f"Modelo '{model_name}' registrado exitosamente")

# --- the manual: promoting the model to Production ---
from mlflow.tracking import MlflowClient

client = MlflowClient()
model_name = "iris-classifier"

# Obtener versión más reciente
latest_version = client.get_latest_versions(model_name)[0]

# Promover a Production
client.transition_model_version_stage(
    name=model_name,
    version=latest_version.version,
    stage="Production"
)

# --- what that left on the server ---
run = mlflow.get_run(run_id)
assert run.info.status == "FINISHED", run.info.status
assert run.data.params == {"n_estimators": "100", "max_depth": "10"}, run.data.params
assert run.data.metrics == {"train_accuracy": train_accuracy, "test_accuracy": test_accuracy}, run.data.metrics

version = client.get_model_version(model_name, latest_version.version)
assert version.current_stage == "Production", version.current_stage
assert version.status == "READY", version.status

client.set_registered_model_alias(model_name, "champion", version.version)
uris = [
    f"runs:/{run_id}/model",
    f"models:/{model_name}/{version.version}",
    f"models:/{model_name}/Production",
    f"models:/{model_name}@champion",
]
for uri in uris:
    loaded = mlflow.pyfunc.load_model(uri)
    assert list(loaded.predict(X_test)) == list(model.predict(X_test)), uri

frame = mlflow.search_runs(experiment_names=["iris-classification"], filter_string="metrics.test_accuracy > 0.9")
assert run_id in set(frame["run_id"])
assert set(frame["params.n_estimators"]) == {"100"}

# These names are the manual's and not this session's own; the next session that takes them must not find this model.
client.delete_registered_model(model_name)
