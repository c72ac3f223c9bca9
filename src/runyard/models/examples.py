"""Input examples: what a model may be asked, beside the model and as a request to its scoring server."""

from __future__ import annotations

import base64
import datetime as dt
import json
import math
from pathlib import Path
from typing import Any, Final

from runyard.errors import InvalidParameter
from runyard.models.signature import ColSpec, DataType, Schema, TensorSpec, is_array, is_frame, is_series

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
    sample, params = split_example(example)
    info: dict[str, Any] = {"artifact_path": EXAMPLE_FILE, "serving_input_path": SERVING_FILE}
    told, form = _form(sample)
    info |= told
    if params:
        form, info["params"] = {"inputs": form, "params": params}, "true"
    (folder / EXAMPLE_FILE).write_text(_text(form), encoding="utf-8")
    (folder / SERVING_FILE).write_text(serving_request(example, indent=2), encoding="utf-8")
    return info


def serving_request(example: Any, indent: int | None = None) -> str:
    """Return the request to a scoring server that asks for an example's predictions.

    Raises:
        InvalidParameter: JSON cannot hold it.
    """
    sample, params = split_example(example)
    if is_frame(sample) or is_series(sample):
        request = {"dataframe_split": _form(sample)[1]}
    elif is_array(sample):
        request = {"inputs": (sample if hasattr(sample, "tolist") else sample.toarray()).tolist()}
    else:
        request = {"inputs": sample}
    return _text({**request, "params": params} if params else request, indent)


def load_example(folder: Path, info: dict[str, Any], schema: Schema | None = None) -> tuple[Any, dict[str, Any] | None]:
    """Return the input and the params of a saved example; with a schema, times and bytes are such again."""
    form = json.loads((folder / info["artifact_path"]).read_text(encoding="utf-8"))
    params = None
    if info.get("params"):
        form, params = form["inputs"], form["params"]
    kind = info.get("type")
    if kind == "dataframe":
        import pandas as pd

        # MLflow 1 wrote a frame without names as its rows alone.
        rows, columns = (form, None) if isinstance(form, list) else (form["data"], form.get("columns"))
        return _typed(pd.DataFrame(rows, columns=columns), schema), params
    if kind == "ndarray":
        import numpy as np

        types = {each.name: each.type for each in schema or () if isinstance(each, TensorSpec)}
        # Of numpy's texts the length is in the values; NaN is null in JSON, and a number by its type alone.
        dtypes = {name: None if kind in ("str", "bytes") else kind for name, kind in types.items()}
        if isinstance(form, dict):
            return {name: np.array(values, dtype=dtypes.get(name)) for name, values in form.items()}, params
        return np.array(form, dtype=dtypes.get(None)), params
    if kind in _SPARSE:
        import scipy.sparse

        make = getattr(scipy.sparse, _SPARSE[kind])
        return make((form["data"], form["indices"], form["indptr"]), shape=tuple(form["shape"])), params
    return form, params


_SPARSE: Final = {"sparse_matrix_csr": "csr_matrix", "sparse_matrix_csc": "csc_matrix"}


def _typed(frame: Any, schema: Schema | None) -> Any:
    import pandas as pd

    for each in schema or ():
        if isinstance(each, ColSpec) and each.name in frame.columns:
            if each.type is DataType.datetime:
                frame[each.name] = pd.to_datetime(frame[each.name])
            elif each.type is DataType.binary:
                frame[each.name] = frame[each.name].map(base64.b64decode, na_action="ignore")
    return frame


def _form(sample: Any) -> tuple[dict[str, Any], Any]:
    """Return what the MLmodel file says of an input, and what its file holds."""
    if is_series(sample):
        sample = sample.to_frame()
    if is_frame(sample):
        form: dict[str, Any] = {"data": sample.to_numpy(dtype=object).tolist()}
        # Columns that nobody named.
        if list(sample.columns) == list(range(len(sample.columns))):
            return {"type": "dataframe", "pandas_orient": "values"}, form
        return {"type": "dataframe", "pandas_orient": "split"}, {"columns": list(sample.columns), **form}
    kind = f"sparse_matrix_{getattr(sample, 'format', None)}"
    if is_array(sample) and kind in _SPARSE:
        parts = {name: getattr(sample, name).tolist() for name in ("data", "indices", "indptr")}
        return {"type": kind}, {**parts, "shape": list(sample.shape)}
    if is_array(sample):
        return {"type": "ndarray"}, (sample if hasattr(sample, "tolist") else sample.toarray()).tolist()
    if isinstance(sample, dict) and sample and all(is_array(value) for value in sample.values()):
        return {"type": "ndarray"}, {name: value.tolist() for name, value in sample.items()}
    return {"type": "json_object"}, sample


def _text(form: Any, indent: int | None = None) -> str:
    try:
        # JSON has no NaN.
        return json.dumps(_without_nan(form), default=_jsonable, indent=indent)
    except TypeError as wrong:
        raise InvalidParameter(f"an input example must be of frames, arrays or what JSON holds: {wrong}") from None


def _without_nan(form: Any) -> Any:
    if isinstance(form, dict):
        return {name: _without_nan(value) for name, value in form.items()}
    if isinstance(form, (list, tuple)):
        return [_without_nan(value) for value in form]
    if hasattr(form, "tolist"):
        return _without_nan(form.tolist())
    return None if isinstance(form, float) and math.isnan(form) else form


def _jsonable(value: Any) -> Any:
    # Of pandas; the latter is a time, too.
    if type(value).__name__ in {"NAType", "NaTType"}:
        return None
    # Of pydantic.
    if hasattr(value, "model_dump"):
        return value.model_dump()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is not JSON")
