"""Inputs made to fit a signature, or refused with the name of what does not.

Where MLflow refuses, some of what loses nothing is taken here: whole numbers for doubles, and lists and arrays for
named columns, by position.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from runyard.errors import InvalidParameter
from runyard.models.signature import (
    AnyType,
    Array,
    ColSpec,
    DataType,
    Map,
    Object,
    ParamSchema,
    Schema,
    TensorSpec,
    Type,
    is_array,
    is_frame,
    is_series,
)

_LOG = logging.getLogger(__name__)

# The largest whole numbers, either way, up to which floats of the size hold each one.
_EXACT_IN: Final = {DataType.double: 2**53, DataType.float: 2**24}

_NUMPY: Final = {
    DataType.boolean: "bool",
    DataType.integer: "int32",
    DataType.long: "int64",
    DataType.float: "float32",
    DataType.double: "float64",
}


def enforce_schema(data: Any, schema: Schema) -> Any:
    """Return the data as the schema has it: a DataFrame for columns, an array or a dict of arrays for tensors.

    Columns that the schema does not name are left out.

    Raises:
        InvalidParameter: a required input is missing, or one is of a type that does not fit.
    """
    return _tensors(data, schema) if schema.is_tensor_spec() else _columns(data, schema)


def enforce_params(params: Mapping[str, Any] | None, schema: ParamSchema | None) -> dict[str, Any]:
    """Return every parameter of the schema, given or by default; what it does not name is left out, with a warning.

    Raises:
        InvalidParameter: a value is of another type or shape.
    """
    given = dict(params or {})
    known = {each.name: each for each in schema or ()}
    if unknown := sorted(str(name) for name in given.keys() - known.keys()):
        _LOG.warning("params that the model's signature does not name are ignored: %s", ", ".join(unknown))
    return {name: spec.checked(given[name]) if name in given else spec.default for name, spec in known.items()}


def _columns(data: Any, schema: Schema) -> Any:
    import pandas as pd

    frame = as_frame(data, schema)
    if not schema.has_input_names():
        if len(frame.columns) < len(schema):
            raise InvalidParameter(f"the model takes {len(schema)} columns, got {len(frame.columns)}")
        names = list(frame.columns)[: len(schema)]
    else:
        names = schema.input_names()
        missing = [
            each.name
            for each in schema
            if isinstance(each, ColSpec) and each.required and each.name not in frame.columns
        ]
        if missing:
            extra = [name for name in frame.columns if name not in names]
            also = f"; the columns {extra} are not among its inputs" if extra else ""
            raise InvalidParameter(f"the model is missing inputs {missing}{also}")
    columns = {
        name: _cast(frame[name], spec.type, spec.required, name)
        for name, spec in zip(names, schema, strict=False)
        if isinstance(spec, ColSpec) and name in frame.columns
    }
    return pd.DataFrame(columns, index=frame.index)


def as_frame(data: Any, schema: Schema) -> Any:
    """Return frames, series, arrays, dicts and lists as a frame, whose columns lists and arrays fill by position."""
    import pandas as pd

    names = schema.input_names() if schema.has_input_names() else None
    if is_frame(data):
        return data
    if is_series(data):
        return pd.DataFrame({names[0] if names and len(names) == 1 else 0: data})
    if isinstance(data, Mapping):
        is_row = not any(
            isinstance(value, (list, tuple)) or is_array(value) or is_series(value) for value in data.values()
        )
        # A list is a row's value where the schema has a list in that column.
        types = {each.name: each.type for each in schema if isinstance(each, ColSpec)}
        if all(isinstance(types.get(name), (Array, Object, Map, AnyType)) or _is_scalar(data[name]) for name in data):
            is_row = True
        return pd.DataFrame([data]) if is_row else pd.DataFrame({name: _listed(value) for name, value in data.items()})
    if is_array(data):
        rows = data if data.ndim <= 2 else list(data)
        return pd.DataFrame(rows, columns=names if names and data.ndim == 2 and data.shape[1] == len(names) else None)
    if not isinstance(data, (list, tuple)):
        data = [data]
    if data and isinstance(data[0], Mapping):
        return pd.DataFrame(list(data)) if names else pd.DataFrame({0: list(data)})
    if not names and len(schema) == 1:
        return pd.DataFrame({0: list(data)})
    is_matrix = bool(names) and all(isinstance(row, (list, tuple)) and len(row) == len(names or ()) for row in data)
    return pd.DataFrame(list(data), columns=names if is_matrix else None)


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (str, bytes)) or not hasattr(value, "__len__")


def _listed(value: Any) -> Any:
    return value if is_series(value) or not is_array(value) or value.ndim < 2 else list(value)


def _cast(series: Any, kind: Type, required: bool, name: Any) -> Any:
    if isinstance(kind, AnyType):
        return series
    if not isinstance(kind, DataType):
        return series.map(lambda value: _nested(value, kind, required, str(name)))
    has_nulls = bool(series.isna().any())
    found = str(series.dtype)
    wrong = InvalidParameter(f"column {name!r} must be {kind.value}, got {found}")
    if kind in _NUMPY:
        return _number(series, kind, has_nulls, wrong)
    if kind is DataType.datetime:
        if getattr(series.dtype, "kind", "O") != "M":
            import pandas as pd

            if found not in {"object", "str", "string"}:
                raise wrong
            try:
                return pd.to_datetime(series)
            except (ValueError, TypeError):
                raise wrong from None
        return series
    expected = str if kind is DataType.string else (bytes, bytearray)
    if not all(isinstance(value, expected) for value in series.dropna()):
        raise wrong
    return series


def _number(series: Any, kind: DataType, has_nulls: bool, wrong: InvalidParameter) -> Any:
    import numpy as np

    base = getattr(series.dtype, "numpy_dtype", series.dtype)
    target = np.dtype(_NUMPY[kind])
    if getattr(base, "kind", "O") == "O":
        known = series.dropna()
        if known.empty:
            return series
        base = np.asarray(known.tolist()).dtype
    if base.kind not in "biuf" or (base.kind == "b") != (target.kind == "b"):
        raise wrong
    if has_nulls and target.kind != "f":
        if base == target:
            return series
        raise InvalidParameter(
            f"{wrong.message} with missing values: whole numbers and booleans have none in numpy; save the model with "
            "doubles in the input example, or fill the gaps"
        )
    if not np.can_cast(base, target, casting="safe"):
        is_exact = (
            kind in _EXACT_IN
            and base.kind in "iu"
            and (series.empty or max(abs(int(series.max())), abs(int(series.min()))) <= _EXACT_IN[kind])
        )
        if not is_exact:
            raise wrong
    return series.astype(target)


def _nested(value: Any, kind: Type, required: bool, path: str) -> Any:
    if value is None and not required:
        return None
    if isinstance(kind, AnyType):
        return value
    if isinstance(kind, Array):
        if not isinstance(value, (list, tuple)) and not is_array(value):
            raise InvalidParameter(f"{path} must be a list, got {value!r}")
        return [_nested(item, kind.dtype, True, f"{path}[{index}]") for index, item in enumerate(value)]
    if isinstance(kind, Map):
        if not isinstance(value, Mapping):
            raise InvalidParameter(f"{path} must be an object, got {value!r}")
        return {key: _nested(item, kind.value_type, True, f"{path}.{key}") for key, item in value.items()}
    if isinstance(kind, Object):
        if not isinstance(value, Mapping):
            raise InvalidParameter(f"{path} must be an object, got {value!r}")
        known = {each.name: each for each in kind.properties}
        if extra := sorted(value.keys() - known.keys()):
            raise InvalidParameter(f"{path} has keys that the signature does not name: {extra}")
        if missing := [name for name, each in known.items() if each.required and name not in value]:
            raise InvalidParameter(f"{path} is missing {missing}")
        return {
            name: _nested(item, known[name].dtype, known[name].required, f"{path}.{name}")
            for name, item in value.items()
        }
    from runyard.models.signature import ParamSpec

    return ParamSpec(path, kind, value).default


def _tensors(data: Any, schema: Schema) -> Any:
    specs = [each for each in schema if isinstance(each, TensorSpec)]
    if not schema.has_input_names():
        return _tensor(data.to_numpy() if is_frame(data) or is_series(data) else data, specs[0], "the input")
    if is_frame(data):
        import numpy as np

        data = {name: np.array(data[name].tolist()) for name in data.columns}
    if not isinstance(data, Mapping):
        raise InvalidParameter(f"the model takes a dict of arrays by name, got {type(data).__name__}")
    if missing := [each.name for each in specs if each.name not in data]:
        raise InvalidParameter(f"the model is missing inputs {missing}")
    return {each.name: _tensor(data[each.name], each, f"input {each.name!r}") for each in specs}


def _tensor(value: Any, spec: TensorSpec, what: str) -> Any:
    import numpy as np

    target = np.dtype({"str": "U", "bytes": "S"}.get(spec.type, spec.type))
    is_numpy = is_array(value)
    try:
        array = value if is_numpy else np.asarray(value)
    except ValueError:
        raise InvalidParameter(f"{what} is no tensor: its lists differ in length or depth") from None
    if array.dtype.kind != target.kind if target.kind in "US" else array.dtype != target:
        # A list has no type of its own: numpy's choice for it may be widened.
        if is_numpy or not np.can_cast(array.dtype, target, casting="same_kind"):
            raise InvalidParameter(f"{what} must be of dtype {spec.type}, got {array.dtype}")
        array = array.astype(target)
    shape = tuple(array.shape)
    if len(shape) != len(spec.shape) or any(
        wanted not in (-1, found) for wanted, found in zip(spec.shape, shape, strict=True)
    ):
        raise InvalidParameter(f"{what} must be of shape {spec.shape}, got {shape}")
    return array
