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
AIRFLOW = ROOT / ".venvs/airflow/bin/airflow"
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


class Airflow:
    """An Airflow with a home of its own.

    Args:
        home: an empty folder.
        service: address of what stands for the Service, at every name and port 80: the requests go there as to a proxy.
    """

    def __init__(self, home: Path, service: str) -> None:
        assert AIRFLOW.exists(), "Airflow is missing: make environments installs it"
        self._home = home
        kept = {name: value for name, value in clean_environment().items() if not name.lower().endswith("_proxy")}
        self._environment = {
            **kept,
            "AIRFLOW_HOME": str(home),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
            "PATH": f"{AIRFLOW.parent}:{os.environ['PATH']}",
            "http_proxy": service,
            "MLFLOW_TRACKING_URI": "http://mlflow.ml.svc.cluster.local",
            "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        }
        (home / "dags").mkdir()
        self._run("db", "migrate")

    def test(self, dag_id: str, source: str) -> None:
        """Run a DAG's tasks, one after the other, and require that it succeeds."""
        (self._home / "dags" / f"{dag_id}.py").write_text(source)
        assert re.search(rf"DagRun Finished.*{dag_id}.*state=success", self._run("dags", "test", dag_id))

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [AIRFLOW, *arguments],
            cwd=self._home,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
        return done.stdout + done.stderr


def runs_of(port: int, name: str) -> list[dict[str, Any]]:
    experiment_id = get(port, "experiments/get-by-name", experiment_name=name).json["experiment"]["experiment_id"]
    found: list[dict[str, Any]] = post(port, "runs/search", {"experiment_ids": [experiment_id]}).json.get("runs", [])
    return found


def test_dags_log_and_register_from_airflow(running_server: Callable[..., ServerProcess], tmp_path: Path) -> None:
    server = running_server(None, "--allowed-hosts", "mlflow.ml.svc.cluster.local,127.0.0.1:*")
    home = tmp_path / "airflow"
    home.mkdir()
    service = Nginx([server.port], settings="client_max_body_size 0;")
    try:
        airflow = Airflow(home, service.url)
        airflow.test("ml_training", filled_in(ML_TRAINING))
        airflow.test("mlflow_training", filled_in(MLFLOW_TRAINING))
        airflow.test("iris_training", documented())
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
