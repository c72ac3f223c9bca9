"""Input examples: what a model may be asked, beside the model and as a request to its scoring server."""

from __future__ import annotations

import base64
import datetime as dt
import json
from pathlib import Path
from typing import Any, Final

from runyard.errors import InvalidParameter
from runyard.models.signature import is_array, is_frame, is_series

EXAMPLE_FILE: Final = "input_example.json"
SERVING_FILE: Final = "serving_input_example.json"


def split_example(example: Any) -> tuple[Any, dict[str, Any] | None]:
    """Return the input and the params of an example, which is an input or a pair of both."""
    if isinstance(example, tuple) and len(example) == 2 and isinstance(example[1], dict):
        return example
    return example, None


def save_example(folder: Path, example: Any) -> dict[str, Any]:
    """Write both files of an example and return what the MLmodel file says of them.

    Raises:
        InvalidParameter: JSON cannot hold it.
    """
    form, request, info = _forms(example)
    info |= {"artifact_path": EXAMPLE_FILE, "serving_input_path": SERVING_FILE}
    (folder / EXAMPLE_FILE).write_text(_text(form), encoding="utf-8")
    (folder / SERVING_FILE).write_text(_text(request, indent=2), encoding="utf-8")
    return info


def serving_request(example: Any) -> str:
    """Return the request to a scoring server that asks for an example's predictions.

    Raises:
        InvalidParameter: JSON cannot hold it.
    """
    return _text(_forms(example)[1])


def _forms(example: Any) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """Return an example and its request, as JSON has them, and what the MLmodel file says of them."""
    sample, params = split_example(example)
    info: dict[str, Any] = {}
    if is_series(sample):
        sample = sample.to_frame()
    if is_frame(sample):
        form: Any = {"columns": list(sample.columns), "data": sample.to_numpy(dtype=object).tolist()}
        info |= {"type": "dataframe", "pandas_orient": "split"}
        request: dict[str, Any] = {"dataframe_split": form}
    elif is_array(sample):
        form = sample.tolist() if hasattr(sample, "tolist") else sample.toarray().tolist()
        info["type"] = "ndarray"
        request = {"inputs": form}
    else:
        form = sample
        info["type"] = "json_object"
        request = {"inputs": form}
    if params:
        form, info["params"], request["params"] = {"inputs": form, "params": params}, "true", params
    return form, request, info


def _text(form: Any, indent: int | None = None) -> str:
    try:
        return json.dumps(form, default=_jsonable, indent=indent)
    except TypeError as wrong:
        raise InvalidParameter(f"an input example must be of frames, arrays or what JSON holds: {wrong}") from None


def load_example(folder: Path, info: dict[str, Any]) -> tuple[Any, dict[str, Any] | None]:
    """Return the input and the params of a saved example."""
    form = json.loads((folder / info["artifact_path"]).read_text(encoding="utf-8"))
    params = None
    if info.get("params"):
        form, params = form["inputs"], form["params"]
    if info.get("type") == "dataframe":
        import pandas as pd

        return pd.DataFrame(form["data"], columns=form.get("columns")), params
    if info.get("type") == "ndarray":
        import numpy as np

        return np.array(form), params
    return form, params


def _jsonable(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "tolist"):
        return value.tolist()
    if type(value).__name__ in {"NAType", "NaTType"}:
        return None
    raise TypeError(f"{type(value).__name__} is not JSON")
