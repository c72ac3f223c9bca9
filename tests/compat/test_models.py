"""What runyard saves upstream loads and predicts the same, and the reverse."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from runyard.models import Model, pyfunc
from runyard.models.examples import split_example
from runyard.models.flavors import sklearn
from tests.compat.conftest import client_python, left_by_both
from tests.compat.saved_models import EXAMPLES, HINTS

pytestmark = pytest.mark.compat

FRAME = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
CODE = """
import mlflow

class Doubles(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return (model_input["a"] * 2).tolist()

mlflow.models.set_model(Doubles())
"""
PRELUDE = """
import json, sys, warnings
import mlflow, numpy as np, pandas as pd
frame = pd.DataFrame({"a": [0.0, 1.0, 2.0, 3.0], "b": [1.0, 0.0, 1.0, 0.0]})
"""


def upstream(program: str, folder: Path) -> Any:
    done = subprocess.run(
        [client_python("mlflow-3"), "-c", PRELUDE + program],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "MLFLOW_DISABLE_TELEMETRY": "true"},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_upstream_loads_what_runyard_saved(tmp_path: Path) -> None:
    class Doubles(pyfunc.PythonModel):
        def predict(self, context: Any, model_input: Any) -> Any:  # type: ignore[override]
            return (model_input["a"] * 2).tolist()

    def triples(model_input: Any) -> Any:
        return (model_input["a"] * 3).tolist()

    # By value, as a script's are: upstream has no module of this name.
    Doubles.__module__ = triples.__module__ = "__main__"
    (tmp_path / "code.py").write_text(CODE, encoding="utf-8")
    estimator = LogisticRegression().fit(FRAME, [0, 0, 1, 1])
    for kind in ("cloudpickle", "pickle", "skops"):
        sklearn.save_model(estimator, tmp_path / kind, serialization_format=kind, input_example=FRAME)
    sklearn.save_model(estimator, tmp_path / "proba", pyfunc_predict_fn="predict_proba", input_example=FRAME)
    pyfunc.save_model(tmp_path / "class", python_model=Doubles(), input_example=FRAME)
    pyfunc.save_model(tmp_path / "function", python_model=triples, input_example=FRAME)
    pyfunc.save_model(tmp_path / "from_code", python_model=tmp_path / "code.py", input_example=FRAME)
    names = ["cloudpickle", "pickle", "skops", "proba", "class", "function", "from_code"]
    found = upstream(
        f"out = {{name: np.asarray(mlflow.pyfunc.load_model(name).predict(frame)).tolist() for name in {names}}}\n"
        "out['native'] = mlflow.sklearn.load_model('cloudpickle').predict(frame).tolist()\n"
        "print(json.dumps(out))",
        tmp_path,
    )
    ours = {name: np.asarray(pyfunc.load_model(tmp_path / name).predict(FRAME)).tolist() for name in names}
    assert found["native"] == [0, 0, 1, 1]
    for name in names:
        np.testing.assert_allclose(found[name], ours[name])


def test_runyard_loads_what_upstream_saved(tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text(CODE, encoding="utf-8")
    found = upstream(
        """
from sklearn.linear_model import LogisticRegression
estimator = LogisticRegression().fit(frame, [0, 0, 1, 1])
for kind in ("cloudpickle", "pickle", "skops"):
    mlflow.sklearn.save_model(estimator, kind, serialization_format=kind, input_example=frame)
class Doubles(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input):
        return (model_input["a"] * 2).tolist()
def triples(model_input):
    return (model_input["a"] * 3).tolist()
needs = {"input_example": frame, "pip_requirements": ["numpy"]}
mlflow.pyfunc.save_model("class", python_model=Doubles(), **needs)
mlflow.pyfunc.save_model("function", python_model=triples, **needs)
mlflow.pyfunc.save_model("from_code", python_model="code.py", **needs)
names = ["cloudpickle", "pickle", "skops", "class", "function", "from_code"]
print(json.dumps({name: np.asarray(mlflow.pyfunc.load_model(name).predict(frame)).tolist() for name in names}))
""",
        tmp_path,
    )
    for name, predictions in found.items():
        np.testing.assert_allclose(np.asarray(pyfunc.load_model(tmp_path / name).predict(FRAME)), predictions)
    assert sklearn.load_model(tmp_path / "cloudpickle").predict(FRAME).tolist() == found["cloudpickle"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any], dict[str, Any]]:
    """What models say of their input and output, saved by us and by upstream, and where they are."""
    folder = tmp_path_factory.mktemp("saved")
    return folder, *left_by_both("tests.compat.saved_models", folder)


@pytest.mark.parametrize("name", [*(f"example: {name}" for name in EXAMPLES), *(f"hint: {name}" for name in HINTS)])
def test_examples_and_hints_are_said_as_upstream_says_them(
    name: str, saved: tuple[Path, dict[str, Any], dict[str, Any]]
) -> None:
    _, ours, theirs = saved
    # Where upstream writes NaN, which is no JSON, ours have null.
    assert ours[name] == json.loads(json.dumps(theirs[name]).replace("NaN", "null"))


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_that_upstream_saved_are_loaded(name: str, saved: tuple[Path, dict[str, Any], dict[str, Any]]) -> None:
    folder = saved[0] / "mlflow-3" / "examples" / name
    meta = Model.load(folder)
    sample, params = split_example(EXAMPLES[name])
    loaded = meta.load_input_example(folder)

    assert meta.load_input_example_params(folder) == params
    if isinstance(sample, pd.DataFrame):
        pd.testing.assert_frame_equal(loaded, sample.reset_index(drop=True), check_dtype=False, check_index_type=False)
    elif isinstance(sample, dict) and any(isinstance(value, np.ndarray) for value in sample.values()):
        assert {key: value.tolist() for key, value in loaded.items()} == {key: sample[key].tolist() for key in sample}
    elif hasattr(sample, "toarray"):
        assert type(loaded) is type(sample)
        np.testing.assert_array_equal(loaded.toarray(), sample.toarray())
    elif isinstance(sample, np.ndarray):
        assert loaded.dtype == sample.dtype
        np.testing.assert_array_equal(loaded, sample)
    else:
        assert loaded == sample


@pytest.mark.parametrize("name", HINTS)
def test_hinted_models_that_upstream_saved_predict(
    name: str, saved: tuple[Path, dict[str, Any], dict[str, Any]]
) -> None:
    _, fits, _ = HINTS[name]
    found = pyfunc.load_model(saved[0] / "mlflow-3" / "hints" / name).predict(fits)
    assert list(found) == saved[2][f"hint: {name}"]["list"]
