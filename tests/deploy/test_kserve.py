"""The manifests for KServe: against a schema of their kind, and against what a real client logs to a real server."""

from __future__ import annotations

import copy
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from tests.servers import ServerProcess, clean_environment

ROOT = Path(__file__).parent.parent.parent
SERVICES = sorted((ROOT / "deploy/kserve").glob("iris-*.yaml"))
OURS = os.pathsep.join([str(ROOT / "src"), str(ROOT / "compat/src")])
PAGE = ROOT / "docs/kserve.md"
TIMEOUT_S = 300

SCHEMA = jsonschema_rs.validator_for(json.loads((Path(__file__).parent / "inference_service.json").read_text()))

# Logs one model as the client does by default, and one as the page says.
LOGGING = """
import mlflow, mlflow.sklearn
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

features, kinds = load_iris(return_X_y=True)
model = LogisticRegression(max_iter=1000).fit(features, kinds)
mlflow.set_experiment("iris")
with mlflow.start_run():
    mlflow.sklearn.log_model(model, name="model", pip_requirements=[])
    {line}
mlflow.MlflowClient().set_registered_model_alias("iris-classifier", "champion", "1")
"""
# The same with our client, which leaves what KServe reads without being told.
LOGGING_OURS = """
import mlflow
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

features, kinds = load_iris(return_X_y=True)
model = LogisticRegression(max_iter=1000).fit(features, kinds)
mlflow.set_experiment("iris")
with mlflow.start_run():
    mlflow.sklearn.log_model(model, "model", registered_model_name="iris-classifier")
mlflow.MlflowClient().set_registered_model_alias("iris-classifier", "champion", 1)
"""
# Loads a model's folder as KServe's server for scikit-learn and as MLServer's for MLflow do.
SERVING = """
import json, sys
from pathlib import Path
import joblib, mlflow

folder = Path(sys.argv[1])
files = [path for path in folder.iterdir() if path.suffix in {".pkl", ".pickle", ".joblib"}]
by_kserve = joblib.load(files[0]).predict([[5.1, 3.5, 1.4, 0.2]]).tolist()
by_mlserver = mlflow.pyfunc.load_model(str(folder)).predict([[5.1, 3.5, 1.4, 0.2]]).tolist()
print(json.dumps([[path.name for path in files], by_kserve, by_mlserver]))
"""


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def snippets() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)


def python(source: str, *arguments: str, uri: str, folder: Path, client: str = "mlflow-3") -> str:
    """Run a script with the upstream client, or with ours under its name; return what it printed."""
    interpreter = ROOT / f".venvs/{client}/bin/python"
    assert interpreter.exists(), "the client's environment is missing: make environments makes it"
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false"}
    done = subprocess.run(
        [interpreter, "-c", source, *arguments],
        cwd=folder,
        env=clean_environment({"MLFLOW_TRACKING_URI": uri, **quiet, "PYTHONPATH": OURS if client == "client" else ""}),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("path", SERVICES, ids=lambda path: path.stem)
def test_a_manifest_is_what_kserve_takes(path: Path) -> None:
    assert [error.message for error in SCHEMA.iter_errors(load(path))] == []


def test_both_protocols_and_both_ways_of_serving_are_there() -> None:
    predictors = [load(path)["spec"]["predictor"] for path in SERVICES]
    assert [("sklearn" in each, each.get("model", {}).get("protocolVersion")) for each in predictors] == [
        *((False, "v2"), (False, "v2"), (True, None))
    ]
    assert {each["serviceAccountName"] for each in predictors} == {
        load(ROOT / "deploy/kserve/service-account.yaml")["metadata"]["name"]
    }
    named = set(re.findall(r"^\| `([\w.-]+\.yaml)` \|", PAGE.read_text(), re.MULTILINE))
    assert named == {path.name for path in (ROOT / "deploy/kserve").iterdir()}


def change(keys: str, value: Any) -> Callable[[Any], None]:
    def changed(manifest: Any) -> None:
        *path, last = keys.split(".")
        for key in path:
            manifest = manifest[key]
        manifest[last] = value

    return changed


@pytest.mark.parametrize(
    "mistake",
    [
        change("apiVersion", "serving.kserve.io/v1alpha1"),
        change("metadata.name", "Iris_Classifier"),
        change("spec.predictor.model.storageURI", "s3://x/y"),
        change("spec.predictor.model.storageUri", "models:/iris/1"),
        change("spec.predictor.model.protocolVersion", "v3"),
        change("spec.predictor.model.modelFormat", "mlflow"),
        change("spec.predictor.sklearn", {"storageUri": "s3://x/y"}),
        change("spec.predictor.minReplica", 1),
        change("spec.predictors", {}),
        lambda manifest: manifest["spec"]["predictor"]["model"].pop("storageUri"),
        lambda manifest: manifest["spec"]["predictor"].pop("model"),
    ],
)
def test_the_schema_refuses_a_mistake(mistake: Callable[[Any], None]) -> None:
    manifest = copy.deepcopy(load(ROOT / "deploy/kserve/iris-mlflow.yaml"))
    assert SCHEMA.is_valid(manifest)
    mistake(manifest)
    assert not SCHEMA.is_valid(manifest)


def test_the_guides_own_manifest_is_one() -> None:
    manifest = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "iris-classifier", "namespace": "ml"},
        "spec": {"predictor": {"sklearn": {"storageUri": "s3://biz-datalake-dev/mlflow/artifacts/12345/model"}}},
    }
    assert SCHEMA.is_valid(manifest)


@pytest.mark.slow
@pytest.mark.compat
def test_the_storage_uri_is_where_the_client_logs_and_holds_what_the_servers_load(
    running_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = running_server()
    how, where = snippets()
    line = how.strip().replace(")", ', registered_model_name="iris-classifier")')
    printed = python(f"{LOGGING.replace('{line}', line)}\n{where}", uri=server.url, folder=tmp_path).splitlines()[-1]

    for path in SERVICES:
        predictor = load(path)["spec"]["predictor"]
        example = (predictor.get("model") or predictor["sklearn"])["storageUri"]
        layout = re.sub(r"artifacts/1/models/m-[0-9a-f]{32}/", r"artifacts/\\d+/models/m-[0-9a-f]{32}/", example)
        assert layout != example
        assert re.fullmatch(layout, printed), f"{path.name} says {example}, the server {printed}"

    # The server's artifacts destination stands for the bucket.
    folder = tmp_path / "artifacts" / printed.removeprefix("s3://biz-datalake-dev/mlflow/artifacts/")
    assert (folder / "MLmodel").is_file()
    loaded = json.loads(python(SERVING, str(folder), uri=server.url, folder=tmp_path))
    assert loaded == [["model.pkl"], [0], [0]]
    # What the page warns of.
    assert [path.parent.name for path in (tmp_path / "artifacts").rglob("model.skops")] == ["artifacts"]


@pytest.mark.slow
@pytest.mark.compat
def test_what_our_client_logs_is_what_kserve_loads(
    running_server: Callable[..., ServerProcess], tmp_path: Path
) -> None:
    server = running_server()
    _, where = snippets()
    printed = python(f"{LOGGING_OURS}\n{where}", uri=server.url, folder=tmp_path, client="client").splitlines()[-1]
    folder = tmp_path / "artifacts" / printed.removeprefix("s3://biz-datalake-dev/mlflow/artifacts/")
    # As KServe's server does: the one file that it can read, and joblib.
    loadable = [path for path in folder.iterdir() if path.suffix in {".pkl", ".pickle", ".joblib"}]
    assert [path.name for path in loadable] == ["model.pkl"]
    script = "import joblib, sys; print(joblib.load(sys.argv[1]).predict([[5.1, 3.5, 1.4, 0.2]]).tolist())"
    assert python(script, str(loadable[0]), uri=server.url, folder=tmp_path, client="client").strip() == "[0]"
