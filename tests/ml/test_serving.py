"""The scoring server with what only this environment has: Parquet, and models of the other libraries."""

from __future__ import annotations

import importlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from runyard.serving.inputs import Input
from runyard.serving.invocations import JSON, PARQUET, Invocation
from runyard.serving.served import ServedModel, Source, load
from tests.ml.tiny_models import FRAME, KINDS, numbers

BY_ROW = {"xgboost", "lightgbm", "catboost"}


def served(name: str, folder: Path) -> ServedModel:
    kind = KINDS[name]
    options = {**(kind.options or {}), "input_example": kind.data}
    importlib.import_module(f"runyard.{kind.flavor}").save_model(kind.make(folder), folder / "model", **options)
    return load(Source(folder / "model", None), name)


def answer(model: ServedModel, body: bytes, media_type: str = JSON) -> Any:
    invocation = Invocation(body, media_type)
    return json.loads(invocation.write(model, model.predict(invocation.read(model))))["predictions"]


@pytest.mark.parametrize(
    "name",
    ["xgboost booster", "lightgbm booster", "catboost classifier", "statsmodels", "pytorch", "onnx", "spacy"],
)
def test_a_models_own_example_is_answered_as_the_library_does(name: str, tmp_path: Path):
    model = served(name, tmp_path)
    kind = KINDS[name]
    found = answer(model, (tmp_path / "model/serving_input_example.json").read_bytes())
    expected = numbers(kind.ask(kind.make(tmp_path), kind.data))
    if isinstance(found, list) and isinstance(found[0], dict):
        found = pd.DataFrame(found)
    np.testing.assert_allclose(np.ravel(numbers(found)), np.ravel(expected), rtol=1e-5)
    assert model.answers_by_row == (kind.flavor in BY_ROW)


@pytest.mark.parametrize("name", [name for name, kind in KINDS.items() if kind.flavor in BY_ROW])
def test_rows_of_several_requests_are_scored_together_as_alone(name: str, tmp_path: Path):
    model = served(name, tmp_path)
    body = json.dumps({"dataframe_split": {"columns": list(FRAME.columns), "data": FRAME.to_numpy().tolist()}}).encode()
    rows = Invocation(body, JSON).read(model).rows
    assert rows is not None
    together = np.asarray(model.predict(Input(rows=rows)))
    alone = [np.asarray(model.predict(Input(rows=rows[place : place + 1])))[0] for place in range(len(rows))]
    np.testing.assert_allclose(together, np.array(alone))


def test_parquet_is_taken(tmp_path: Path):
    model = served("xgboost classifier", tmp_path)
    file = io.BytesIO()
    pd.DataFrame(FRAME).to_parquet(file)
    expected = answer(model, json.dumps({"dataframe_records": FRAME.to_dict("records")}).encode())
    assert answer(model, file.getvalue(), PARQUET) == expected
