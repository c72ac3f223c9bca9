"""The distribution runyard-mlflow: built, installed in an environment of its own, and imported as mlflow."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from runyard import __version__
from tests.compat.conftest import ENVIRONMENTS, ROOT, client_python
from tests.ports import free_port
from tests.servers import ServerProcess, clean_environment

UV = ENVIRONMENTS / "uv" / "bin" / "uv"


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(
        command, cwd=folder, env=clean_environment(), capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a new environment with runyard-mlflow, and with runyard's sources and what it runs on."""
    folder = tmp_path_factory.mktemp("alias")
    run(UV, "build", "--quiet", "--wheel", "--out-dir", folder / "dist", ROOT / "compat", folder=folder)
    run(UV, "venv", "--quiet", "--python", client_python("client"), folder / "venv", folder=folder)
    python = folder / "venv" / "bin" / "python"
    requirements = ROOT / "requirements" / "runtime.txt"
    run(UV, "pip", "install", "--quiet", "--python", python, "-r", requirements, folder=folder)
    (wheel,) = (folder / "dist").glob("*.whl")
    run(UV, "pip", "install", "--quiet", "--no-deps", "--python", python, wheel, folder=folder)
    (packages,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (packages / "runyard.pth").write_text(str(ROOT / "src"))
    return python


@pytest.mark.compat
def test_every_module_of_that_name_is_runyards_own(python: Path, tmp_path: Path) -> None:
    program = """
import sys
import mlflow
import mlflow.entities.model_registry
import mlflow.tracking.fluent
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
import runyard
import runyard.entities.model_registry
assert (mlflow.__version__, runyard.__version__) == ("3.17.2", VERSION)
assert mlflow.start_run is runyard.start_run
assert set(dir(runyard)) <= set(dir(mlflow))
for name in ("tracking", "entities", "exceptions", "entities.model_registry"):
    assert sys.modules["mlflow." + name] is sys.modules["runyard." + name], name
    assert sys.modules["runyard." + name].__spec__.name == "runyard." + name
assert MlflowClient is runyard.MlflowClient
assert Metric.__module__.startswith("runyard.")
try:
    import mlflow.no_such_module
except ModuleNotFoundError as error:
    print(error)
"""
    program = program.replace("VERSION", repr(__version__))
    assert "mlflow.no_such_module" in run(python, "-W", "error", "-c", program, folder=tmp_path)


@pytest.mark.compat
def test_all_that_is_installed_takes_less_than_120_mb(python: Path) -> None:
    files = [
        (path.suffix, path.stat().st_size)
        for folder in (python.parent.parent / "lib", ROOT / "src" / "runyard")
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    ]
    # Bytecode, which some installers make and others leave to the first run, is about as large as its source.
    size_bytes = sum(size for _, size in files) + sum(size for suffix, size in files if suffix == ".py")
    assert size_bytes < 120e6, f"{size_bytes / 1e6:.0f} MB"
    assert size_bytes > 40e6


@pytest.mark.compat
def test_a_program_that_imports_mlflow_logs_a_run(python: Path, tmp_path: Path) -> None:
    program = """
import mlflow
mlflow.set_tracking_uri("runs")
with mlflow.start_run() as run:
    mlflow.log_metric("loss", 0.5)
print(mlflow.get_run(run.info.run_id).data.metrics)
"""
    assert run(python, "-c", program, folder=tmp_path) == "{'loss': 0.5}\n"


@pytest.mark.compat
def test_modules_of_upstream_alone_are_those_that_stand_for_them(python: Path, tmp_path: Path) -> None:
    program = """
from mlflow.client import MlflowClient
from mlflow.entities.model_registry.model_version_status import ModelVersionStatus
from mlflow.entities.run import Run
from mlflow.protos.databricks_pb2 import INVALID_PARAMETER_VALUE, ErrorCode
from mlflow.pyfunc.model import PythonModel
from mlflow.store.entities.paged_list import PagedList
from mlflow.version import VERSION
import mlflow
import runyard
assert (MlflowClient, Run, PythonModel) == (runyard.MlflowClient, runyard.entities.Run, runyard.pyfunc.PythonModel)
assert PagedList is runyard.entities.PagedList
assert ModelVersionStatus.from_string("READY") == ModelVersionStatus.READY
assert ErrorCode.Name(INVALID_PARAMETER_VALUE) == "INVALID_PARAMETER_VALUE"
assert VERSION == mlflow.VERSION == mlflow.__version__
assert runyard.entities.__spec__.name == runyard.entities.__name__ == "runyard.entities"
"""
    run(python, "-W", "error", "-c", program, folder=tmp_path)


@pytest.mark.compat
def test_the_command_mlflow_is_runyards(python: Path, tmp_path: Path) -> None:
    assert "experiments" in run(python.with_name("mlflow"), "--help", folder=tmp_path)


@pytest.mark.compat
def test_upstream_beside_it_is_said_clearly(python: Path, tmp_path: Path) -> None:
    (tmp_path / "mlflow_skinny-3.17.2.dist-info").mkdir()
    (tmp_path / "mlflow_skinny-3.17.2.dist-info" / "METADATA").write_text("Name: mlflow-skinny\nVersion: 3.17.2\n")
    program = """
import sys, warnings
sys.path.insert(0, ".")
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    import mlflow
print(*[warning.message for warning in said])
"""
    said = run(python, "-c", program, folder=tmp_path)
    assert "runyard-mlflow and mlflow-skinny 3.17.2 are both installed" in said
    assert "Uninstall one" in said


@pytest.mark.compat
def test_who_asks_for_the_version_of_mlflow_is_answered_before_it_is_imported(python: Path, tmp_path: Path) -> None:
    program = """
import sys
assert "runyard" not in sys.modules and "importlib.metadata" not in sys.modules
import importlib.metadata
from importlib.util import find_spec
assert find_spec("mlflow") is not None and "mlflow" not in sys.modules
print(importlib.metadata.version("mlflow"), importlib.metadata.metadata("mlflow")["Summary"])
import mlflow
assert importlib.metadata.version("mlflow") == mlflow.__version__
"""
    assert run(python, "-W", "error", "-c", program, folder=tmp_path) == (
        "3.17.2 Runyard under the name mlflow; the distribution is runyard-mlflow.\n"
    )


@pytest.mark.compat
def test_who_lists_what_is_installed_sees_no_distribution_that_is_not_there(python: Path, tmp_path: Path) -> None:
    program = """
import importlib.metadata
import mlflow
print(sorted(each.name for each in importlib.metadata.distributions() if "mlflow" in each.name))
print(importlib.metadata.packages_distributions()["mlflow"])
"""
    assert run(python, "-c", program, folder=tmp_path) == "['runyard-mlflow']\n['runyard-mlflow']\n"
    listed = run(UV, "pip", "list", "--quiet", "--python", python, "--format", "json", folder=tmp_path)
    assert [each["name"] for each in json.loads(listed) if "mlflow" in each["name"]] == ["runyard-mlflow"]


@pytest.mark.compat
def test_a_registered_model_is_served_and_asked_as_the_guide_says(
    python: Path, running_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = running_server()
    (packages,) = (ENVIRONMENTS / "client" / "lib").glob("python*/site-packages")
    told = {
        "MLFLOW_TRACKING_URI": server.url,
        "PATH": f"{python.parent}:{os.environ['PATH']}",
        # scikit-learn and what it needs.
        "PYTHONPATH": str(packages),
    }
    program = """
import mlflow
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
X, y = load_iris(return_X_y=True)
model = RandomForestClassifier(n_estimators=10, max_depth=10, random_state=42).fit(X, y)
mlflow.set_experiment("iris-classification")
with mlflow.start_run() as run:
    mlflow.sklearn.log_model(model, "model")
mlflow.register_model(f"runs:/{run.info.run_id}/model", "iris-classifier")
"""
    environment = clean_environment(told)
    subprocess.run([python, "-W", "ignore", "-c", program], cwd=tmp_path, env=environment, check=True, timeout=240)

    port = str(free_port())
    serve = """mlflow models serve -m "models:/iris-classifier/1" -p 5001"""
    ask = r"""curl -X POST http://localhost:5001/invocations \
  -H 'Content-Type: application/json' \
  -d '{"inputs": [[5.1, 3.5, 1.4, 0.2]]}'"""
    scoring = ServerProcess(
        ["bash", "-c", "exec " + serve.replace("5001", port)], port=int(port), folder=tmp_path, environment=told
    )
    try:
        said = subprocess.run(["bash", "-c", ask.replace("5001", port)], capture_output=True, text=True, check=True)
        assert json.loads(said.stdout) == {"predictions": [0]}
    finally:
        scoring.stop()
