"""What a request holds, made into what the model takes.

JSON knows fewer types than a signature: its numbers are made those of the signature where that loses nothing, its
texts bytes and times where the signature has those. Rows of numbers alone, which most requests are, take a short way
that looks at each value once and makes no frame before the model is asked; only those are scored together with others.
"""

from __future__ import annotations

import base64
import binascii
import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from runyard.errors import BadRequest, InvalidParameter
from runyard.models.enforcement import as_frame
from runyard.models.model import Model
from runyard.models.signature import AnyType, ColSpec, DataType, Schema, TensorSpec

if TYPE_CHECKING:
    import numpy as np

_FLOATS: Final = {DataType.double: "float64", DataType.float: "float32"}
_WHOLE: Final = {DataType.integer: "int32", DataType.long: "int64"}
_NUMBERS: Final = frozenset({int, float})
# Up to which a float holds every whole number.
_EXACT: Final = 2**53
# A model of the user's own may need neither it nor pandas.
_HAS_NUMPY: Final = importlib.util.find_spec("numpy") is not None
_TEXTS: Final = frozenset({"object", "str", "string"})


@dataclass(slots=True)
class Input:
    """What one request asks of the model."""

    data: Any = None
    params: Mapping[str, Any] | None = None
    # Numbers as the signature has them, in place of ``data``.
    rows: np.ndarray | None = None


class InputFormat:
    """What a model takes, as far as a request has to know it."""

    def __init__(self, metadata: Model) -> None:
        signature = metadata.signature
        self.schema: Schema | None = signature.inputs if signature else None
        self.params = {each.name for each in (signature.params if signature else None) or ()}
        # A function that says list[str] gets what was sent.
        self.is_raw = metadata.is_signature_from_type_hint
        self.names: list[str | int] = []
        self._dtype: str | None = None
        self._shape: tuple[int, ...] = ()
        self._columns: Any = None
        specs = tuple(self.schema or ())
        if self.schema is not None and not self.is_raw and self.schema.has_input_names():
            self.names = self.schema.input_names()
            types = {each.type for each in specs if isinstance(each, ColSpec) and each.required}
            if len(types) == 1 and len(specs) == sum(isinstance(each, ColSpec) and each.required for each in specs):
                self._dtype = _FLOATS.get(types.pop())  # type: ignore[arg-type]
        elif len(specs) == 1 and isinstance(specs[0], TensorSpec) and not self.is_raw:
            self._shape = specs[0].shape
            self._dtype = specs[0].type if specs[0].type in _FLOATS.values() and self._shape[:1] == (-1,) else None

    @property
    def is_tensor(self) -> bool:
        """Whether the model takes one array."""
        return self.schema is not None and self.schema.is_tensor_spec() and not self.schema.has_input_names()

    def rows(self, values: Any) -> np.ndarray | None:
        """Return rows as the numbers that the model takes; None where they have to take the long way.

        Args:
            values: lists of numbers, or an array of them.
        """
        if not _HAS_NUMPY or (self._dtype is None and self.schema is not None):
            return None
        import numpy as np

        if not isinstance(values, np.ndarray):
            if not _are_numbers(values):
                return None
            try:
                values = np.array(values, None if self.schema is None else "float64")
            except (ValueError, OverflowError):
                return None
        if self.schema is None:
            # As it came, which is all that is known; a column of an array has no rows of its own.
            return values if values.ndim > 1 and values.dtype.kind in "if" else None
        shape = values.shape
        if self.names:
            fits = len(shape) == 2 and shape[1] == len(self.names) and shape[0] > 0
        else:
            fits = len(shape) == len(self._shape) and all(
                wanted in (-1, found) for wanted, found in zip(self._shape, shape, strict=True)
            )
        if not fits or (self.names and values.size and np.abs(values).max() > _EXACT):
            return None
        found: np.ndarray = values.astype(self._dtype, copy=False)
        return found

    def of_rows(self, rows: np.ndarray) -> Any:
        """Return what the model is given for these rows."""
        if not self.names:
            return rows
        import pandas as pd

        if self._columns is None:
            self._columns = pd.Index(self.names)
        return pd.DataFrame(rows, columns=self._columns, copy=False)


def of_split(form: Any, format_: InputFormat) -> Input:
    """Return the input that the field dataframe_split holds."""
    if not isinstance(form, dict):
        raise BadRequest(f"dataframe_split must be an object with data, columns and index, got {kind_of(form)}")
    if unknown := sorted(form.keys() - {"columns", "data", "index"}):
        raise BadRequest(f"dataframe_split has the unknown field {unknown[0]!r}: it takes data, columns and index")
    if "data" not in form:
        raise BadRequest("dataframe_split has no field 'data', which holds the rows")
    columns, data = form.get("columns"), form["data"]
    if "index" not in form and isinstance(data, list):
        rows = None
        if format_.is_tensor or (format_.names and columns == format_.names):
            rows = format_.rows(data)
        elif isinstance(columns, list) and format_.names and set(map(str, format_.names)) <= set(map(str, columns)):
            order = [columns.index(name) for name in format_.names if name in columns]
            if all(isinstance(row, list) and len(row) == len(columns) for row in data):
                rows = format_.rows([[row[place] for place in order] for row in data])
        if rows is not None:
            return Input(rows=rows)
    return Input(cast(_frame("dataframe_split", data, columns, form.get("index")), format_.schema))


def of_records(form: Any, format_: InputFormat) -> Input:
    """Return the input that the field dataframe_records holds."""
    if not isinstance(form, list):
        raise BadRequest(f"dataframe_records must be a list of objects, got {kind_of(form)}")
    rows = _rows_of_records(form, format_)
    return Input(rows=rows) if rows is not None else Input(cast(_frame("dataframe_records", form), format_.schema))


def of_inputs(form: Any, format_: InputFormat) -> Input:
    """Return the input that the field inputs holds."""
    if format_.is_raw:
        return Input(form)
    if isinstance(form, list) and form:
        rows = _rows_of_records(form, format_) if isinstance(form[0], dict) else format_.rows(form)
        if rows is not None:
            return Input(rows=rows)
    schema = format_.schema
    if schema is None:
        return Input(_arrays(form))
    if schema.is_tensor_spec():
        return Input(form)
    try:
        frame = as_frame(form, schema)
    except (ValueError, TypeError) as wrong:
        raise BadRequest(f"inputs cannot be made a table: {clipped(wrong)}") from None
    return Input(cast(frame, schema))


def of_instances(form: Any, format_: InputFormat) -> Input:
    """Return the input that the field instances holds: of records, the lists of their values."""
    if not isinstance(form, list) or not form or not isinstance(form[0], dict) or format_.is_raw:
        return of_inputs(form, format_)
    rows = _rows_of_records(form, format_)
    if rows is not None:
        return Input(rows=rows)
    lists: dict[str, list[Any]] = {}
    for record in form:
        if not isinstance(record, dict):
            raise BadRequest(f"instances must hold objects or none, got {kind_of(record)} beside an object")
        for name, value in record.items():
            lists.setdefault(name, []).append(value)
    required = {each.name for each in format_.schema or () if not isinstance(each, ColSpec) or each.required}
    lengths = {name: len(values) for name, values in lists.items() if name in required or not format_.schema}
    if uneven := [name for name, length in lengths.items() if length != len(form)]:
        raise BadRequest(
            f"instances have {uneven[0]!r} in {lengths[uneven[0]]} of {len(form)} objects: give it in each"
        )
    return of_inputs(lists, format_)


def of_csv(body: bytes, format_: InputFormat) -> Input:
    """Return the input that a CSV file with a header holds."""
    import io

    import pandas as pd

    texts = {each.name: str for each in format_.schema or () if isinstance(each, ColSpec) and _is_text(each)}
    try:
        frame = pd.read_csv(io.BytesIO(body), dtype=texts)
    except (ValueError, UnicodeDecodeError) as wrong:
        raise BadRequest(f"the request body is no CSV with a header: {clipped(wrong)}") from None
    return Input(cast(frame, format_.schema))


def of_parquet(body: bytes, format_: InputFormat) -> Input:
    """Return the input that a Parquet file holds."""
    import io

    import pandas as pd

    try:
        return Input(pd.read_parquet(io.BytesIO(body)))
    except ImportError:
        raise BadRequest("this server reads no Parquet: install pyarrow beside it, or send JSON or CSV") from None
    except (ValueError, OSError) as wrong:
        raise BadRequest(f"the request body is no Parquet file: {clipped(wrong)}") from None


def cast(frame: Any, schema: Schema | None) -> Any:
    """Return a frame of JSON's or CSV's types with those of the signature, where that loses nothing."""
    if schema is None:
        return frame
    if schema.is_tensor_spec():
        return _tensors(frame, schema)
    if not frame.columns.is_unique:
        raise InvalidParameter(f"two columns have the name {frame.columns[frame.columns.duplicated()][0]!r}")
    names = schema.input_names() if schema.has_input_names() else list(frame.columns)
    for name, spec in zip(names, schema, strict=False):
        if name not in frame.columns or not isinstance(spec, ColSpec) or isinstance(spec.type, AnyType):
            continue
        series = frame[name]
        if spec.type in _FLOATS or spec.type in _WHOLE:
            frame[name] = _number(series, spec.type, name)
        elif spec.type is DataType.string and series.dtype.kind in "iuf":
            frame[name] = series.map(str, na_action="ignore")
        elif spec.type is DataType.binary:
            frame[name] = series.map(lambda value, name=name: _decoded(value, name))
    return frame


def kind_of(value: Any) -> str:
    """Return what JSON calls the kind of a value, in place of the value."""
    if value is None:
        return "null"
    for kinds, name in (((bool,), "a boolean"), ((int, float), "a number"), ((str,), "a string"), ((list,), "a list")):
        if isinstance(value, kinds):
            return name
    return "an object"


def clipped(error: object, length: int = 300) -> str:
    """Return what an error says, without most of what it repeats."""
    text = " ".join(str(error).split())
    return text if len(text) <= length else f"{text[:length]}…"


def _rows_of_records(records: Sequence[Any], format_: InputFormat) -> np.ndarray | None:
    names = format_.names
    if not names or not records:
        return None
    try:
        return format_.rows([[record[name] for name in names] for record in records])
    except (KeyError, TypeError):
        return None


def _are_numbers(values: Any) -> bool:
    """Whether these are numbers, nested in lists to any depth."""
    if not isinstance(values, list):
        return False
    level = values
    while True:
        kinds = set(map(type, level))
        if kinds <= _NUMBERS:
            return True
        if kinds != {list}:
            return False
        level = list(chain.from_iterable(level))


def _frame(field: str, data: Any, columns: Any = None, index: Any = None) -> Any:
    try:
        import pandas as pd
    except ModuleNotFoundError:
        raise BadRequest(f"this server makes no table of {field}, for it has no pandas: send inputs") from None
    try:
        return pd.DataFrame(data, columns=columns, index=index)
    except (ValueError, TypeError, AttributeError) as wrong:
        raise BadRequest(f"{field} cannot be made a table: {clipped(wrong)}") from None


def _arrays(form: Any) -> Any:
    """Return what a model without a signature is given: arrays, and records as they are."""
    if not _HAS_NUMPY:
        return form
    import numpy as np

    try:
        if isinstance(form, dict):
            return {name: np.array(value) for name, value in form.items()}
        if isinstance(form, list) and form and isinstance(form[0], dict):
            return form
        return np.array(form)
    except ValueError as wrong:
        raise BadRequest(f"inputs cannot be made an array: {clipped(wrong)}") from None


def _is_text(spec: ColSpec) -> bool:
    return spec.type in (DataType.string, DataType.binary, DataType.datetime)


def _tensors(frame: Any, schema: Schema) -> Any:
    if schema.has_input_names():
        # Lists, whose numbers the signature's type is given to.
        return {name: frame[name].tolist() for name in frame.columns}
    wanted = schema.inputs[0].type
    if str(wanted).startswith(("float", "int", "uint")):
        try:
            found = frame.to_numpy()
            if found.dtype.kind == "O" or (found.dtype.kind in "biuf" and str(wanted).startswith("float")):
                return frame.to_numpy(dtype=wanted)
        except (ValueError, TypeError):
            # Said by who enforces the signature.
            return frame
    return frame


def _number(series: Any, kind: DataType, name: Any) -> Any:
    import numpy as np
    import pandas as pd

    found = str(series.dtype)
    wanted = _FLOATS.get(kind) or _WHOLE[kind]
    if found == wanted:
        return series
    if found in _TEXTS:
        try:
            series = pd.to_numeric(series)
        except (ValueError, TypeError):
            bad = next(each for each in series if not _is_number(each))
            raise InvalidParameter(f"column {name!r} must be {kind.value}, got {clipped(repr(bad), 60)}") from None
    if series.dtype.kind not in "biuf" or (series.isna().any() and kind in _WHOLE):
        # Said by who enforces the signature.
        return series
    if kind is DataType.double and series.dtype.kind in "iu":
        # Looked at there too: whether a float holds each of them.
        return series
    if kind in _WHOLE:
        bounds = np.iinfo(wanted)
        if series.dtype.kind == "f" and not (series == series.round()).all():
            raise InvalidParameter(f"column {name!r} must be {kind.value}, got numbers that are not whole")
        if len(series) and (series.min() < bounds.min or series.max() > bounds.max):
            raise InvalidParameter(f"column {name!r} must be {kind.value}, from {bounds.min} to {bounds.max}")
    return series.astype(wanted)


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return value is None
    return True


def _decoded(value: Any, name: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode(value)
    except (binascii.Error, ValueError):
        raise InvalidParameter(f"column {name!r} is binary, and must be base64") from None
