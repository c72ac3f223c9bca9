"""What a session leaves behind is the same by our client and by upstream's, on our server and on upstream's."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.compat.conftest import QUIET, CompatServer, client_path, client_python
from tests.servers import clean_environment

SESSION = """
import mlflow, sys
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag

experiment = mlflow.set_experiment(sys.argv[1])
mlflow.set_experiment_tag("team", "vision")
with mlflow.start_run(run_name="parent", tags={"stage": "1"}, description="a note") as run:
    mlflow.log_param("rate", 0.1)
    mlflow.log_params({"layers": [64, 32], "name": "ñandú", "none": None})
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step, timestamp=1000 + step)
    mlflow.log_metrics({"a/b": float("nan"), "flag": True}, step=-3, timestamp=7)
    mlflow.log_metric("queued", 2.5, step=1, timestamp=9, synchronous=False)
    mlflow.flush_async_logging()
    mlflow.set_tags({"k": "v", "gone": 1})
    mlflow.delete_tag("gone")
    mlflow.log_text("hello", "notes/hello.txt")
    mlflow.log_dict({"a": [1, {"b": None}]}, "config.json")
    mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "table.json")
    with mlflow.start_run(nested=True, run_name="child"):
        mlflow.log_metric("inner", 1, step=0, timestamp=5)
client = MlflowClient()
other = client.create_run(experiment.experiment_id, start_time=5, tags={"by": "client"}, run_name="plain")
client.log_batch(
    other.info.run_id, [Metric("m", 3.0, 4, 5)], [Param("p", "q")], [RunTag("t", "u")]
)
client.set_terminated(other.info.run_id, "KILLED", end_time=10)
name = sys.argv[1] + " model"
client.create_registered_model(name, tags={"k": "v"}, description="about")
client.create_model_version(name, run.info.artifact_uri + "/notes", run.info.run_id, tags={"a": "b"})
client.set_registered_model_alias(name, "champion", "1")
"""

# Ids, times and places differ by nature.
VOLATILE = {"mlflow.parentRunId", "mlflow.log-model.history"}


def left_by(client: str, server: CompatServer, name: str, folder: Path) -> dict[str, Any]:
    """Run the session, and return what the server then tells of it, without what differs each time."""
    url = server.process.url
    environment = {**QUIET, "MLFLOW_TRACKING_URI": url, "PYTHONPATH": client_path(client)}
    script = folder / "session.py"
    script.write_text(SESSION)
    done = subprocess.run(
        [client_python(client), "-W", "ignore", "session.py", name],
        cwd=folder,
        env=clean_environment(environment),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    experiment = asked(url, f"experiments/get-by-name?experiment_name={name}")["experiment"]
    body = {"experiment_ids": [experiment["experiment_id"]], "max_results": 10}
    runs = asked(url, "runs/search", body)["runs"]
    model = asked(url, f"registered-models/get?name={name}%20model")["registered_model"]
    return {
        "tags": pairs(experiment),
        "runs": {run["info"]["run_name"]: told(url, run) for run in runs},
        "model": [pairs(model), model.get("aliases"), model.get("description")],
        "version": [pairs(model["latest_versions"][0]), model["latest_versions"][0]["version"]],
    }


def told(url: str, run: dict[str, Any]) -> dict[str, Any]:
    run_id, data = run["info"]["run_id"], run["data"]
    keys = sorted({metric["key"] for metric in data.get("metrics", ())})
    histories = {key: asked(url, f"metrics/get-history?run_id={run_id}&metric_key={key}")["metrics"] for key in keys}
    files = asked(url, f"artifacts/list?run_id={run_id}").get("files", [])
    return {
        "status": run["info"]["status"],
        "user": run["info"].get("user_id"),
        "ended": run["info"].get("end_time", 0) > 0,
        "params": pairs(data, "params"),
        "tags": {key: value for key, value in pairs(data).items() if key not in VOLATILE},
        "histories": {
            key: [(point["value"], point["timestamp"], point.get("step", 0)) for point in points]
            for key, points in histories.items()
        },
        "files": sorted((file["path"], file.get("file_size")) for file in files),
    }


def asked(url: str, path: str, body: Any = None) -> Any:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{url}/api/2.0/mlflow/{path}", content, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def pairs(json: dict[str, Any], name: str = "tags") -> dict[str, str]:
    return {each["key"]: each.get("value", "") for each in json.get(name, ())}


@pytest.mark.compat
@pytest.mark.parametrize("compat_server", ["sqlite"], indirect=True)
def test_the_same_session_leaves_the_same_behind(
    compat_server: CompatServer, upstream_server: CompatServer, tmp_path: Path
) -> None:
    reference = left_by("mlflow-3", upstream_server, "theirs-theirs", tmp_path)
    assert left_by("client", upstream_server, "ours-theirs", tmp_path) == reference
    assert left_by("mlflow-3", compat_server, "theirs-ours", tmp_path) == reference
    assert left_by("client", compat_server, "ours-ours", tmp_path) == reference
