"""Models of each library: saved and loaded here, and both ways with the real MLflow."""

from __future__ import annotations

import importlib
import io
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import runyard as mlflow
from runyard.errors import InvalidParameter, PermissionDenied
from runyard.models import Model
from runyard.models.flavors import keras, lightgbm, pytorch, statsmodels, xgboost
from tests.ml.tiny_models import ARRAY, FRAME, KINDS, numbers
from tests.ml.upstream import upstream

# Saves every kind with upstream, or asks what it makes of ours.
SAVING = """
import importlib, json, logging, pathlib, warnings
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
import mlflow
from tests.ml.tiny_models import KINDS
here = pathlib.Path.cwd()
for name, kind in KINDS.items():
    flavor = importlib.import_module(f"mlflow.{kind.flavor}")
    flavor.save_model(kind.make(here), str(here / name), pip_requirements=["none"], **(kind.options or {}))
print(json.dumps(list(KINDS)))
"""
LOADING = """
import importlib, json, logging, pathlib, warnings
warnings.simplefilter("ignore")
logging.disable(logging.WARNING)
import mlflow
from tests.ml.tiny_models import KINDS, numbers
found = {}
for name, kind in KINDS.items():
    native = importlib.import_module(f"mlflow.{kind.flavor}").load_model(name)
    found[name] = {
        "native": numbers(kind.ask(native, kind.data)),
        "pyfunc": numbers(mlflow.pyfunc.load_model(name).predict(kind.data)),
    }
print(json.dumps(found))
"""


def flavor_of(name: str) -> Any:
    return importlib.import_module(f"runyard.{KINDS[name].flavor}")


def made(name: str, folder: Path) -> Any:
    return KINDS[name].make(folder)


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of each kind, saved here."""
    folder = tmp_path_factory.mktemp("ours")
    for name, kind in KINDS.items():
        flavor_of(name).save_model(made(name, folder), folder / name, **(kind.options or {}))
    return folder


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model of each kind, saved by upstream."""
    folder = tmp_path_factory.mktemp("theirs")
    upstream(SAVING, folder)
    return folder


@pytest.mark.parametrize("name", KINDS)
def test_a_model_saved_here_is_loaded_here(name: str, ours: Path, tmp_path: Path):
    kind = KINDS[name]
    expected = numbers(kind.ask(made(name, tmp_path), kind.data))

    np.testing.assert_allclose(
        numbers(kind.ask(flavor_of(name).load_model(str(ours / name)), kind.data)), expected, rtol=1e-5
    )
    model = mlflow.pyfunc.load_model(str(ours / name))
    np.testing.assert_allclose(numbers(model.predict(kind.data)), expected, rtol=1e-5)
    requirements = (ours / name / "requirements.txt").read_text(encoding="utf-8")
    assert {"sentence_transformers": "sentence-transformers", "pytorch": "torch"}.get(
        kind.flavor, kind.flavor
    ) in requirements


def test_upstream_loads_what_was_saved_here(ours: Path, tmp_path: Path):
    found = upstream(LOADING, ours)

    for name, kind in KINDS.items():
        expected = numbers(kind.ask(made(name, tmp_path), kind.data))
        np.testing.assert_allclose(found[name]["native"], expected, rtol=1e-5, err_msg=name)
        np.testing.assert_allclose(found[name]["pyfunc"], expected, rtol=1e-5, err_msg=name)


@pytest.mark.parametrize("name", KINDS)
def test_what_upstream_saved_is_loaded_here(name: str, theirs: Path, tmp_path: Path):
    kind = KINDS[name]
    expected = numbers(kind.ask(made(name, tmp_path), kind.data))

    np.testing.assert_allclose(
        numbers(kind.ask(flavor_of(name).load_model(str(theirs / name)), kind.data)), expected, rtol=1e-5
    )
    predicted = mlflow.pyfunc.load_model(str(theirs / name)).predict(kind.data)
    np.testing.assert_allclose(numbers(predicted), expected, rtol=1e-5)


def test_the_files_and_fields_are_upstreams(ours: Path, theirs: Path):
    for name in KINDS:
        mine, other = Model.load(ours / name), Model.load(theirs / name)
        assert mine.flavors.keys() == other.flavors.keys(), name
        for flavor in mine.flavors:
            assert set(other.flavors[flavor]) <= set(mine.flavors[flavor]) | _OURS_WITHOUT, (name, flavor)
        files = {path.relative_to(theirs / name) for path in (theirs / name).rglob("*") if path.is_file()}
        # Says that nobody knows the license.
        assert files - {Path("LICENSE.txt")} <= {
            path.relative_to(ours / name) for path in (ours / name).rglob("*") if path.is_file()
        }, name


# What says nothing of the model: a booster has no format of estimators.
_OURS_WITHOUT = {"serialization_format", "skops_trusted_types"}


def test_pickles_are_refused_where_they_are_forbidden(ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RUNYARD_ALLOW_PICKLE", "false")
    for name in ("lightgbm classifier", "statsmodels", "pytorch"):
        with pytest.raises(PermissionDenied, match="is a pickle"):
            flavor_of(name).load_model(str(ours / name))
        with pytest.raises(PermissionDenied, match="is a pickle"):
            flavor_of(name).save_model(made(name, tmp_path), tmp_path / name, **(KINDS[name].options or {}))
    for name in ("lightgbm classifier as skops", "pytorch as a graph", "xgboost classifier", "keras", "torch script"):
        mlflow.pyfunc.load_model(str(ours / name)).predict(KINDS[name].data)


class TouchesAFile:
    """What somebody might put in the place of a graph's tensors."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_a_pickle_in_a_graph_is_refused_where_pickles_are_forbidden(
    ours: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import torch

    folder = Path(shutil.copytree(ours / "pytorch as a graph", tmp_path / "changed"))
    graph, touched, written = folder / "data" / "model.pt2", tmp_path / "touched", io.BytesIO()
    torch.save(TouchesAFile(touched), written)
    with zipfile.ZipFile(graph) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    [inputs] = [name for name in parts if "sample_inputs" in name]
    with zipfile.ZipFile(graph, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, written.getvalue() if name == inputs else content)

    monkeypatch.setenv("RUNYARD_ALLOW_PICKLE", "false")
    with pytest.raises(PermissionDenied, match="the graph holds a pickle"):
        pytorch.load_model(folder)
    assert not touched.exists()
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


def test_an_option_that_will_not_do_is_told(tmp_path: Path):
    with pytest.raises(InvalidParameter, match="model_format must be one of ubj, json, xgb, got 'onnx'"):
        xgboost.save_model(made("xgboost booster", tmp_path), tmp_path / "x", model_format="onnx")
    with pytest.raises(InvalidParameter, match="give an input_example"):
        pytorch.save_model(made("pytorch", tmp_path), tmp_path / "x", serialization_format="pt2")
    with pytest.raises(InvalidParameter, match=r"must be a torch\.nn\.Module, got str"):
        pytorch.save_model("model", tmp_path / "x")
    with pytest.raises(InvalidParameter, match=r"must be a keras\.Model, got str"):
        keras.save_model("model", tmp_path / "x")
    with pytest.raises(InvalidParameter, match="serialization_format must be one of"):
        lightgbm.save_model(made("lightgbm classifier", tmp_path), tmp_path / "x", serialization_format="pt2")
    assert not (tmp_path / "x").exists()


def test_a_class_that_a_model_names_must_be_its_librarys(ours: Path, tmp_path: Path):
    folder = Path(shutil.copytree(ours / "xgboost booster", tmp_path / "changed"))
    text = (folder / "MLmodel").read_text(encoding="utf-8")
    (folder / "MLmodel").write_text(text.replace("xgboost.core.Booster", "subprocess.Popen"), encoding="utf-8")

    with pytest.raises(InvalidParameter, match=r"'subprocess\.Popen' cannot be had here: it is none of xgboost"):
        xgboost.load_model(folder)


def test_a_time_series_is_asked_for_a_period(tmp_path: Path):
    from statsmodels.tsa.ar_model import AutoReg

    fitted = AutoReg(np.sin(np.arange(40.0)), lags=2).fit()
    statsmodels.save_model(fitted, tmp_path / "series")
    model = mlflow.pyfunc.load_model(str(tmp_path / "series"))

    predicted = model.predict(pd.DataFrame({"start": [40], "end": [44]}))
    np.testing.assert_allclose(predicted, fitted.predict(start=40, end=44))
    with pytest.raises(InvalidParameter, match="start and end"):
        model.predict(FRAME)


def test_models_are_logged_with_their_signature(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    mlflow.set_tracking_uri(f"sqlite:///{tmp_path}/runs.db")
    with mlflow.start_run() as run:
        mlflow.xgboost.log_model(made("xgboost classifier", tmp_path), name="trees", input_example=FRAME.head(3))
        mlflow.pytorch.log_model(made("pytorch", tmp_path), "net", input_example=ARRAY[:3])

    for name, data in (("trees", FRAME), ("net", ARRAY)):
        model = mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/{name}")
        signature = model.metadata.signature
        assert signature is not None
        assert signature.inputs is not None
        assert signature.outputs is not None
        assert len(model.predict(data)) == len(data)
    with pytest.raises(InvalidParameter, match="b"):
        mlflow.pyfunc.load_model(f"runs:/{run.info.run_id}/trees").predict(FRAME[["a"]])
