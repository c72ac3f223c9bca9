"""Our client under upstream's name does what upstream's does: on our server, and on a real one of upstream's."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.compat.conftest import CompatServer, client_path, client_python, run_session
from tests.servers import clean_environment

SESSIONS = [
    "artifacts",
    "datasets",
    "experiments",
    "iris_example",
    "loading_models",
    "logged_models",
    "many_at_once",
    "model_registry",
    "runs_client",
    "runs_fluent",
    "searching_runs",
    "sklearn_autolog",
    "tables",
]

# Prints the names that iterating over each entity gives, and the constructors' parameters.
ENTITIES = """
import inspect, json
from mlflow import entities
from mlflow.entities import model_registry

found = {}
for module, names in ((entities, NAMES), (model_registry, REGISTRY)):
    for name in names:
        kind = getattr(module, name)
        found[name] = [[p.name, repr(p.default)] for p in inspect.signature(kind).parameters.values()]
metric = entities.Metric("a", 1.0, 2, 3)
info = entities.RunInfo("r", "e", "u", "RUNNING", 1, None, "active", "/a", "n")
run = entities.Run(info, entities.RunData([metric], [entities.Param("p", "1")], [entities.RunTag("t", "v")]))
experiment = entities.Experiment("1", "n", "/a", "active", [entities.ExperimentTag("k", "v")])
version = model_registry.ModelVersion("m", "1", 5, tags=[model_registry.ModelVersionTag("k", "v")])
model = model_registry.RegisteredModel("m", 1, 2, aliases=[model_registry.RegisteredModelAlias("a", "1")])
found["values"] = [sorted(dict(each)) for each in (metric, info, run.data, run, experiment, version, model)]
found["run"] = run.to_dictionary()
found["metric"] = metric.to_dictionary()
found["of versions"] = [version.tags, model.aliases, experiment.tags]
print(json.dumps(found, default=repr))
"""
ENTITY_NAMES = [
    "Dataset",
    "DatasetInput",
    "Experiment",
    "ExperimentTag",
    "FileInfo",
    "InputTag",
    "LoggedModel",
    "LoggedModelInput",
    "LoggedModelOutput",
    "LoggedModelParameter",
    "LoggedModelTag",
    "Metric",
    "Param",
    "Run",
    "RunData",
    "RunInfo",
    "RunInputs",
    "RunOutputs",
    "RunTag",
]
REGISTRY_NAMES = ["ModelVersion", "ModelVersionTag", "RegisteredModel", "RegisteredModelAlias", "RegisteredModelTag"]


def printed(client: str, program: str, folder: Path) -> Any:
    done = subprocess.run(
        [client_python(client), "-W", "ignore", "-c", program],
        cwd=folder,
        env=clean_environment({"PYTHONPATH": client_path(client), "MLFLOW_DISABLE_TELEMETRY": "true"}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.compat
@pytest.mark.parametrize("compat_server", ["sqlite"], indirect=True)
@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_of_our_client_goes_well_on_our_server(
    session: str, compat_server: CompatServer, tmp_path: Path
) -> None:
    run_session(session, "client", compat_server, tmp_path)


@pytest.mark.compat
@pytest.mark.parametrize("session", SESSIONS)
def test_a_session_of_our_client_goes_well_on_upstreams_server(
    session: str, upstream_server: CompatServer, tmp_path: Path
) -> None:
    run_session(session, "client", upstream_server, tmp_path)


@pytest.mark.compat
def test_entities_tell_of_themselves_what_upstreams_tell(tmp_path: Path) -> None:
    program = f"NAMES, REGISTRY = {ENTITY_NAMES!r}, {REGISTRY_NAMES!r}\n{ENTITIES}"
    ours, theirs = printed("client", program, tmp_path), printed("mlflow-3", program, tmp_path)
    assert ours == theirs


@pytest.mark.compat
def test_nothing_heavy_is_imported_before_it_is_used(tmp_path: Path) -> None:
    program = """
import json, sys, time
start = time.perf_counter()
import runyard
taken_s = time.perf_counter() - start
at_import = sorted(sys.modules)
runyard.start_run, runyard.MlflowClient
print(json.dumps([taken_s, at_import, sorted(sys.modules)]))
"""
    taken_s, at_import, when_used = printed("client", program, tmp_path)
    assert taken_s < 0.1
    assert not {"msgspec", "urllib3", "sqlalchemy", "obstore"} & set(at_import)
    assert not {"numpy", "pandas", "sklearn", "PIL", "matplotlib", "sqlalchemy", "psutil"} & set(when_used)


@pytest.mark.compat
def test_system_metrics_have_upstreams_names(tmp_path: Path) -> None:
    program = """
import json, time
import runyard as mlflow
mlflow.set_tracking_uri("runs")
mlflow.set_system_metrics_sampling_interval(1)
with mlflow.start_run(log_system_metrics=True) as run:
    time.sleep(1.5)
print(json.dumps(mlflow.get_run(run.info.run_id).data.metrics))
"""
    found = printed("client", program, tmp_path)
    assert {name for name in found if "gpu" not in name} == {
        f"system/{name}"
        for name in (
            "cpu_utilization_percentage",
            "disk_available_megabytes",
            "disk_usage_megabytes",
            "disk_usage_percentage",
            "network_receive_megabytes",
            "network_transmit_megabytes",
            "system_memory_usage_megabytes",
            "system_memory_usage_percentage",
        )
    }
    assert 0 < found["system/system_memory_usage_percentage"] < 100


@pytest.mark.compat
def test_system_metrics_of_a_run_that_goes_on_go_on(tmp_path: Path) -> None:
    program = """
import json
import runyard as mlflow
mlflow.set_tracking_uri("runs")
with mlflow.start_run(log_system_metrics=True) as run:
    pass
with mlflow.start_run(run.info.run_id, log_system_metrics=True):
    pass
history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "system/disk_usage_percentage")
print(json.dumps([point.step for point in history]))
"""
    assert printed("client", program, tmp_path) == [0, 1]
