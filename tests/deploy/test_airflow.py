"""DAGs in a real Airflow, against a real server that they reach as they would in a cluster."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.nginx import Nginx
from tests.server.http import get, post
from tests.servers import ServerProcess, clean_environment

ROOT = Path(__file__).parent.parent.parent
PYTHON = ROOT / ".venvs/airflow/bin/python"
TIMEOUT_S = 300

pytestmark = [pytest.mark.compat, pytest.mark.slow]

# The manual's own examples, kept as they were written. LEFT_OUT holds what they leave to the reader: the arguments of
# each DAG, and a model in the second.
ML_TRAINING = """
from airflow import DAG
from airflow.operators.python import PythonOperator
import mlflow

def train_model():
    mlflow.set_tracking_uri("http://mlflow.ml.svc.cluster.local")
    mlflow.set_experiment("my_experiment")
    # ... código de entrenamiento

dag = DAG('ml_training', ...)
train_task = PythonOperator(
    task_id='train',
    python_callable=train_model,
    dag=dag
)
"""
MLFLOW_TRAINING = """
from airflow import DAG
from airflow.operators.python import PythonOperator
from datetime import datetime
import mlflow

def train_with_mlflow(**context):
    mlflow.set_tracking_uri("http://mlflow.ml.svc.cluster.local")
    mlflow.set_experiment(f"airflow-{context['dag_run'].run_id}")

    with mlflow.start_run():
        # ... entrenar modelo
        mlflow.log_metric("accuracy", 0.95)
        mlflow.sklearn.log_model(model, "model")

dag = DAG('mlflow_training', ...)
train = PythonOperator(
    task_id='train',
    python_callable=train_with_mlflow,
    dag=dag
)
"""
# Where the workers find `mlflow`: upstream's is installed beside Airflow, and ours comes before it under its name.
CLIENTS = {"upstream": "", "ours": os.pathsep.join([str(ROOT / "src"), str(ROOT / "compat/src")])}
MODEL_FILES = {"upstream": "model.skops", "ours": "model.pkl"}
LEFT_OUT = {
    ", ...)": ", schedule=None, start_date=__import__('datetime').datetime(2025, 1, 1))",
    "# ... entrenar modelo": (
        "from sklearn.linear_model import LogisticRegression; model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])"
    ),
}


def filled_in(source: str) -> str:
    for left_out, text in LEFT_OUT.items():
        source = source.replace(left_out, text)
    return source


def documented() -> str:
    """Return the DAG that docs/airflow.md shows."""
    (found,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/airflow.md").read_text(), re.DOTALL)
    assert isinstance(found, str)
    return found


# Airflow's own commands, one after the other: in one process, for it takes as long to start as a DAG to run.
COMMANDS = """
import sys
from airflow.__main__ import main

for line in sys.argv[1:]:
    sys.argv = ["airflow", *line.split()]
    main()
"""


def run_dags(home: Path, service: str, client: str, dags: dict[str, str]) -> None:
    """Have a new Airflow run DAGs one after the other, and require that each succeeds.

    Args:
        home: an empty folder.
        service: address of what stands for the Service, at every name and port 80: the requests go there as to a proxy.
        client: whose module `mlflow` the workers import, one of CLIENTS.
        dags: their sources by their ids.
    """
    assert PYTHON.exists(), "Airflow is missing: make environments installs it"
    (home / "dags").mkdir(parents=True)
    for dag_id, source in dags.items():
        (home / "dags" / f"{dag_id}.py").write_text(source)
    kept = {name: value for name, value in clean_environment().items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [PYTHON, "-c", COMMANDS, "db migrate", *(f"dags test {dag_id}" for dag_id in dags)],
        cwd=home,
        env={
            **kept,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "PATH": f"{PYTHON.parent}:{os.environ['PATH']}",
            "PYTHONPATH": CLIENTS[client],
            "http_proxy": service,
            "MLFLOW_TRACKING_URI": "http://mlflow.ml.svc.cluster.local",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
        },
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said[-6000:]
    finished = re.findall(r"DagRun Finished: dag_id=(\w+),.* state=(\w+)", said)
    assert finished == [(dag_id, "success") for dag_id in dags], said[-6000:]


def runs_of(port: int, name: str) -> list[dict[str, Any]]:
    experiment_id = get(port, "experiments/get-by-name", experiment_name=name).json["experiment"]["experiment_id"]
    found: list[dict[str, Any]] = post(port, "runs/search", {"experiment_ids": [experiment_id]}).json.get("runs", [])
    return found


@pytest.mark.parametrize("client", CLIENTS)
def test_dags_log_and_register_from_airflow(
    running_server: Callable[..., ServerProcess], tmp_path: Path, client: str
) -> None:
    server = running_server(None, "--allowed-hosts", "mlflow.ml.svc.cluster.local,127.0.0.1:*")
    dags = {
        "ml_training": filled_in(ML_TRAINING),
        "mlflow_training": filled_in(MLFLOW_TRAINING),
        "iris_training": documented(),
    }
    service = Nginx([server.port], settings="client_max_body_size 0;")
    try:
        run_dags(tmp_path / "airflow", service.url, client, dags)
    finally:
        service.stop()

    assert runs_of(server.port, "my_experiment") == []

    found = post(server.port, "experiments/search", {"max_results": 100}).json["experiments"]
    (name,) = [each["name"] for each in found if each["name"].startswith("airflow-")]
    # Airflow's id of a run, with its colons and its plus.
    assert re.fullmatch(r"airflow-manual__\d{4}-\d\d-\d\dT[\d:.]+\+00:00\S*", name), name
    (run,) = runs_of(server.port, name)
    assert run["info"]["status"] == "FINISHED"
    assert [(metric["key"], metric["value"]) for metric in run["data"]["metrics"]] == [("accuracy", 0.95)]
    assert len(run["outputs"]["model_outputs"]) == 1

    (run,) = runs_of(server.port, "iris")
    tags = {tag["key"]: tag["value"] for tag in run["data"]["tags"]}
    assert tags["airflow.dag_id"] == "iris_training"
    assert tags["airflow.run_id"] == run["info"]["run_name"]
    version = get(server.port, "registered-models/alias", name="iris-classifier", alias="candidate").json
    assert version["model_version"]["run_id"] == run["info"]["run_id"]

    # By its way of keeping a scikit-learn model, that it was this client.
    assert {path.name for path in (tmp_path / "artifacts").rglob("model.*")} == {MODEL_FILES[client]}
