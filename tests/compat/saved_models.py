"""The same models saved by us and by upstream: with examples of each kind, and with type hints. Printed as JSON.

Run as ``python -m tests.compat.saved_models``; ``mlflow`` is whichever the path has.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Union

import numpy as np
import pandas as pd
import scipy.sparse
import yaml

TIMES = pd.to_datetime(["2024-01-01", "2024-01-02"])
EXAMPLES: dict[str, Any] = {
    "a frame": pd.DataFrame({"a": [1, 2], "b": [1.5, 2.5], "c": ["x", None], "d": [True, False]}),
    "a frame with times": pd.DataFrame({"t": TIMES, "x": [1, 2]}),
    "a frame with an index": pd.DataFrame({"a": [1, 2]}, index=["p", "q"]),
    "a frame with lists and dicts": pd.DataFrame({"a": [[1, 2], [3]], "o": [{"k": 1}, {"k": 2, "z": "s"}]}),
    "a frame of small numbers": pd.DataFrame({"a": np.array([1], "int32"), "b": np.array([1], "float32")}),
    "a frame without names": pd.DataFrame([[1, 2], [3, 4]]),
    "an array of two dimensions": np.array([[1.0, 2], [3, 4]]),
    "an array of one": np.array([1, 2, 3]),
    "an array of three": np.zeros((2, 2, 2), dtype="float32"),
    "an array of texts": np.array(["a", "b"]),
    "an array with a gap": np.array([[1.0, np.nan]]),
    "arrays by name": {"x": np.array([1, 2]), "y": np.array([[1.0], [2.0]])},
    "a sparse matrix": scipy.sparse.csr_matrix(np.eye(2)),
    "a sparse matrix by column": scipy.sparse.csc_matrix(np.eye(2)),
    "a dict": {"a": 1, "b": "x"},
    "a dict of lists": {"a": [1, 2], "b": ["x", "y"]},
    "a dict of dicts": {"m": [{"role": "user", "content": "hi"}], "t": 0.5},
    "a dict with nothing": {"a": None, "b": 1},
    "texts": ["a", "b"],
    "numbers": [1, 2],
    "dicts": [{"a": 1}, {"a": 2, "b": "x"}],
    "a text": "hello",
    "a number": 1.5,
    "a frame with params": (pd.DataFrame({"a": [1]}), {"p": 1, "q": [1.0, 2.0], "r": "s", "f": True}),
    "texts with params": (["a"], {"k": 0.1, "o": {"x": 1}}),
}
HINTS: dict[str, tuple[Any, Any, Any]] = {
    "list[str]": (list[str], ["a", "b"], ["a", 1]),
    "list[int]": (list[int], [1, 2], ["x"]),
    "list[bool]": (list[bool], [True], [1]),
    "list[bytes]": (list[bytes], [b"a"], ["a"]),
    "list[datetime]": (list[dt.datetime], [dt.datetime(2024, 1, 1)], [1]),  # noqa: DTZ001 - as it is in a frame
    "list[list[str]]": (list[list[str]], [["a"], ["b"]], ["a"]),
    "list[dict[str, int]]": (list[dict[str, int]], [{"a": 1}], [{"a": "x"}]),
    "list[Any]": (list[Any], [1, "a"], "a"),
    "list[Union]": (list[Union[int, str]], [1, "a"], "a"),  # noqa: UP007 - as programs of Python 3.9 say it
    "a frame": (pd.DataFrame, pd.DataFrame({"a": [1]}), None),
}


def classes(hint: Any) -> Callable[[Any], Any]:
    """Return a model that tells of what class each item of its input is."""

    def predict(model_input):
        return [type(each).__name__ for each in model_input]

    predict.__annotations__ = {"model_input": hint, "return": list[str]}
    return predict


def said(folder: Path) -> dict[str, Any]:
    """Return what the files of a saved model say of its input and output."""
    meta = yaml.safe_load((folder / "MLmodel").read_text(encoding="utf-8"))
    files = ("input_example.json", "serving_input_example.json")
    return {
        "signature": {key: text and json.loads(text) for key, text in (meta.get("signature") or {}).items()},
        "is_hinted": bool(meta.get("is_signature_from_type_hint")),
        "example": meta.get("saved_input_example_info"),
        **{
            file: (folder / file).exists() and json.loads((folder / file).read_text(encoding="utf-8")) for file in files
        },
    }


def predicted(model: Any, data: Any) -> Any:
    try:
        return list(model.predict(data))
    except Exception as error:  # noqa: BLE001 - which one is what is compared
        return getattr(error, "error_code", type(error).__name__)


def main(mlflow: Any) -> dict[str, Any]:
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)

    class Echo(mlflow.pyfunc.PythonModel):
        def predict(self, context, model_input, params=None):
            return ["ok"]

    found: dict[str, Any] = {}
    for name, example in EXAMPLES.items():
        folder = Path("examples") / name
        mlflow.pyfunc.save_model(str(folder), python_model=Echo(), input_example=example, pip_requirements=["none"])
        found[f"example: {name}"] = said(folder)
    for name, (hint, fits, does_not) in HINTS.items():
        folder = Path("hints") / name
        mlflow.pyfunc.save_model(str(folder), python_model=classes(hint), pip_requirements=["none"])
        model = mlflow.pyfunc.load_model(str(folder))
        framed = pd.DataFrame({"x": list(fits)}) if isinstance(fits, list) else fits
        asked = {"list": fits, "frame": framed, "wrong": does_not}
        found[f"hint: {name}"] = {**said(folder), **{key: predicted(model, data) for key, data in asked.items()}}
    return found


if __name__ == "__main__":
    import mlflow

    print(json.dumps(main(mlflow)))
