"""What a model takes and gives: columns, tensors and parameters, as the MLmodel file spells them.

Source: the JSON forms are those of the MLmodel format that MLflow 3 writes.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeAlias

from runyard.errors import InvalidParameter


class DataType(Enum):
    """A scalar's type; the value is its name in the file."""

    boolean = "boolean"
    integer = "integer"
    long = "long"
    float = "float"
    double = "double"
    string = "string"
    binary = "binary"
    datetime = "datetime"

    def __repr__(self) -> str:
        return self.value

    def to_dict(self) -> dict[str, Any]:
        return {"type": self.value}

    def to_numpy(self) -> Any:
        """Return numpy's type for it."""
        import numpy as np

        return np.dtype(_NUMPY[self.value])

    def to_pandas(self) -> Any:
        """Return the type of a column of it."""
        return object if self in {DataType.string, DataType.binary} else self.to_numpy()

    def to_python(self) -> type:
        return _PYTHON[self.value]


@dataclass(frozen=True)
class AnyType:
    """Whatever comes: of mixed types, or never seen."""

    def to_dict(self) -> dict[str, Any]:
        return {"type": "any"}

    def __repr__(self) -> str:
        return "Any"


@dataclass(frozen=True)
class Array:
    """A list whose items are of one type."""

    dtype: Type

    def __init__(self, dtype: Type | str) -> None:
        object.__setattr__(self, "dtype", as_type(dtype))

    def to_dict(self) -> dict[str, Any]:
        return {"type": "array", "items": self.dtype.to_dict()}

    def __repr__(self) -> str:
        return f"Array({self.dtype!r})"


@dataclass(frozen=True)
class Map:
    """A dict of any keys whose values are of one type."""

    value_type: Type

    def __init__(self, value_type: Type | str) -> None:
        object.__setattr__(self, "value_type", as_type(value_type))

    def to_dict(self) -> dict[str, Any]:
        return {"type": "map", "values": self.value_type.to_dict()}

    def __repr__(self) -> str:
        return f"Map(str -> {self.value_type})"


@dataclass(frozen=True)
class Property:
    """One key of an object."""

    name: str
    dtype: Type
    required: bool = True

    def __init__(self, name: str, dtype: Type | str, required: bool = True) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "dtype", as_type(dtype))
        object.__setattr__(self, "required", required)

    def to_dict(self) -> dict[str, Any]:
        return {self.name: {**self.dtype.to_dict(), "required": self.required}}

    def __repr__(self) -> str:
        return f"{self.name}: {self.dtype!r} ({'required' if self.required else 'optional'})"


@dataclass(frozen=True)
class Object:
    """A dict of known keys, kept in the order of their names."""

    properties: tuple[Property, ...]

    def __init__(self, properties: Iterable[Property]) -> None:
        object.__setattr__(self, "properties", tuple(sorted(properties, key=lambda each: each.name)))

    def to_dict(self) -> dict[str, Any]:
        listed: dict[str, Any] = {}
        for each in self.properties:
            listed.update(each.to_dict())
        return {"type": "object", "properties": listed}

    def __repr__(self) -> str:
        return f"{{{', '.join(map(repr, self.properties))}}}"


# By a scalar type's name, numpy's and Python's.
_NUMPY: Final = {
    "boolean": "bool",
    "integer": "int32",
    "long": "int64",
    "float": "float32",
    "double": "float64",
    "string": "str",
    "binary": "bytes",
    "datetime": "datetime64[ns]",
}
_PYTHON: Final[dict[str, type]] = {
    "boolean": bool,
    "integer": int,
    "long": int,
    "float": float,
    "double": float,
    "string": str,
    "binary": bytes,
    "datetime": dt.date,
}

Type: TypeAlias = "DataType | Array | Object | Map | AnyType"


def as_type(named: Type | str) -> Type:
    """Return a type given by itself or by a scalar's name."""
    if not isinstance(named, str):
        return named
    return type_from_dict({"type": named})


def type_from_dict(form: Mapping[str, Any]) -> Type:
    """Return the type that a JSON form stands for.

    Raises:
        InvalidParameter: no such type, or a part of it is missing.
    """
    name = form.get("type")
    try:
        if name == "array":
            return Array(type_from_dict(form["items"]))
        if name == "map":
            return Map(type_from_dict(form["values"]))
        if name == "object":
            return Object(
                Property(key, type_from_dict(inner), inner.get("required", True))
                for key, inner in form["properties"].items()
            )
        return AnyType() if name == "any" else DataType(name)
    except KeyError as missing:
        raise InvalidParameter(f"type {name!r} of a signature lacks {missing}: {dict(form)!r}") from None
    except ValueError:
        known = ", ".join([*(each.value for each in DataType), "array", "object", "map", "any"])
        raise InvalidParameter(f"type in a signature must be one of {known}, got {name!r}") from None


@dataclass(frozen=True)
class ColSpec:
    """One column; without a name where the input is a plain list."""

    type: Type
    name: str | int | None = None
    required: bool = True

    def __init__(self, type: Type | str, name: str | int | None = None, required: bool = True) -> None:  # noqa: A002
        object.__setattr__(self, "type", as_type(type))
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "required", required)

    def to_dict(self) -> dict[str, Any]:
        named = {} if self.name is None else {"name": self.name}
        return {**self.type.to_dict(), **named, "required": self.required}

    def __repr__(self) -> str:
        kind = f"{self.type!r} ({'required' if self.required else 'optional'})"
        return kind if self.name is None else f"{self.name!r}: {kind}"


@dataclass(frozen=True)
class TensorSpec:
    """One tensor: numpy's name of its type, and its shape, -1 where any length will do."""

    type: str
    shape: tuple[int, ...]
    name: str | None = None

    def __init__(self, type: Any, shape: Iterable[int], name: str | None = None) -> None:  # noqa: A002
        object.__setattr__(self, "type", type if isinstance(type, str) else _dtype_name(type))
        object.__setattr__(self, "shape", tuple(int(length) for length in shape))
        object.__setattr__(self, "name", name)

    def to_dict(self) -> dict[str, Any]:
        named = {} if self.name is None else {"name": self.name}
        return {**named, "type": "tensor", "tensor-spec": {"dtype": self.type, "shape": list(self.shape)}}

    @property
    def required(self) -> bool:
        return True

    def __repr__(self) -> str:
        kind = f"Tensor({self.type!r}, {self.shape})"
        return kind if self.name is None else f"{self.name!r}: {kind}"


@dataclass(frozen=True)
class Schema:
    """Columns or tensors; never both, and several only with names or only without."""

    inputs: tuple[ColSpec | TensorSpec, ...]

    def __init__(self, inputs: Iterable[ColSpec | TensorSpec]) -> None:
        specs = tuple(inputs)
        if len({isinstance(each, TensorSpec) for each in specs}) > 1:
            raise InvalidParameter("a schema is of columns or of tensors, got both")
        if len({each.name is None for each in specs}) > 1:
            raise InvalidParameter("either all inputs of a schema have names or none has")
        if len(specs) > 1 and isinstance(specs[0], TensorSpec) and specs[0].name is None:
            raise InvalidParameter(f"tensors without a name come alone, got {len(specs)}")
        object.__setattr__(self, "inputs", specs)

    def __iter__(self) -> Iterator[ColSpec | TensorSpec]:
        return iter(self.inputs)

    def __len__(self) -> int:
        return len(self.inputs)

    def is_tensor_spec(self) -> bool:
        return bool(self.inputs) and isinstance(self.inputs[0], TensorSpec)

    def has_input_names(self) -> bool:
        return bool(self.inputs) and self.inputs[0].name is not None

    def input_names(self) -> list[str | int]:
        """Return the names, or the positions where there are none."""
        return [index if each.name is None else each.name for index, each in enumerate(self.inputs)]

    def required_input_names(self) -> list[str | int]:
        return [name for name, each in zip(self.input_names(), self.inputs, strict=True) if each.required]

    def optional_input_names(self) -> list[str | int]:
        return [name for name, each in zip(self.input_names(), self.inputs, strict=True) if not each.required]

    def input_types(self) -> list[Type | Any]:
        """Return the types of the columns, or numpy's types of the tensors."""
        if not self.is_tensor_spec():
            return [each.type for each in self.inputs]
        import numpy as np

        return [np.dtype({"str": "U", "bytes": "S"}.get(str(each.type), each.type)) for each in self.inputs]

    def input_dict(self) -> dict[str | int, ColSpec | TensorSpec]:
        """Return the inputs by name.

        Raises:
            InvalidParameter: they have none.
        """
        if not self.has_input_names():
            raise InvalidParameter("the inputs of this schema have no names")
        return dict(zip(self.input_names(), self.inputs, strict=True))

    def input_types_dict(self) -> dict[str | int, Type | Any]:
        """Return the types by name, as `input_types` and `input_dict` do."""
        return dict(zip(self.input_dict(), self.input_types(), strict=True))

    def numpy_types(self) -> list[Any]:
        """Return numpy's types of all inputs.

        Raises:
            InvalidParameter: one is not of a scalar type.
        """
        if self.is_tensor_spec():
            return self.input_types()
        return [each.to_numpy() for each in self._scalars("numpy")]

    def pandas_types(self) -> list[Any]:
        """Return the types of a table's columns.

        Raises:
            InvalidParameter: the inputs are tensors, or one is not of a scalar type.
        """
        return [each.to_pandas() for each in self._scalars("pandas")]

    def _scalars(self, library: str) -> list[DataType]:
        found = [each.type for each in self.inputs]
        scalars = [each for each in found if isinstance(each, DataType)]
        if len(scalars) < len(found):
            raise InvalidParameter(f"{library} has types for columns of scalars alone, and this schema is {self!r}")
        return scalars

    def __repr__(self) -> str:
        return repr(list(self.inputs))

    def to_dict(self) -> list[dict[str, Any]]:
        return [each.to_dict() for each in self.inputs]

    def to_json(self) -> str:
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, json_str: str) -> Schema:
        return cls(_spec_from_dict(form) for form in _parse(json_str, "schema"))


def _spec_from_dict(form: Mapping[str, Any]) -> ColSpec | TensorSpec:
    if form.get("type") == "tensor":
        tensor = form.get("tensor-spec") or {}
        if not {"dtype", "shape"} <= tensor.keys():
            raise InvalidParameter(f"a tensor in a signature needs tensor-spec with dtype and shape, got {form!r}")
        return TensorSpec(tensor["dtype"], tensor["shape"], form.get("name"))
    return ColSpec(type_from_dict(form), form.get("name"), form.get("required", True))


@dataclass(frozen=True)
class ParamSpec:
    """A parameter of prediction: a scalar (shape None), a list (shape (-1,)) or an object, with its default."""

    name: str
    dtype: Type
    default: Any
    shape: tuple[int, ...] | None = None

    def __init__(self, name: str, dtype: Type | str, default: Any, shape: Iterable[int] | None = None) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "dtype", as_type(dtype))
        object.__setattr__(self, "shape", None if shape is None else tuple(shape))
        object.__setattr__(self, "default", default)
        object.__setattr__(self, "default", self.checked(default))

    def checked(self, value: Any) -> Any:
        """Return a value for this parameter, widened to its type.

        Raises:
            InvalidParameter: it is of another type or shape.
        """
        if self.shape is None:
            return self._scalar(value)
        if isinstance(value, (str, bytes, Mapping)) or not isinstance(value, Iterable):
            raise InvalidParameter(f"param {self.name!r} must be a list of {_name(self.dtype)}, got {value!r}")
        return [self._scalar(_plain(item)) for item in value]

    def _scalar(self, value: Any) -> Any:
        value = _plain(value)
        fits = isinstance(value, _PARAM_CLASSES.get(self.dtype, object))
        if isinstance(value, bool) and self.dtype is not DataType.boolean and isinstance(self.dtype, DataType):
            fits = False
        if self.dtype is DataType.datetime and isinstance(value, str):
            try:
                return dt.datetime.fromisoformat(value)
            except ValueError:
                fits = False
        if not fits:
            raise InvalidParameter(
                f"param {self.name!r} must be {_name(self.dtype)}, got {value!r} of type {type(value).__name__}"
            )
        return float(value) if self.dtype in {DataType.float, DataType.double} else value

    def to_dict(self) -> dict[str, Any]:
        default = [_jsonable(item) for item in self.default] if self.shape is not None else _jsonable(self.default)
        shape = None if self.shape is None else list(self.shape)
        return {"name": self.name, "default": default, "shape": shape, **self.dtype.to_dict()}

    def __repr__(self) -> str:
        shape = "" if self.shape is None else f" (shape: {self.shape})"
        return f"{self.name!r}: {self.dtype!r} (default: {self.default}){shape}"


@dataclass(frozen=True)
class ParamSchema:
    """The parameters that prediction takes."""

    params: tuple[ParamSpec, ...]

    def __init__(self, params: Iterable[ParamSpec]) -> None:
        object.__setattr__(self, "params", tuple(params))

    def __iter__(self) -> Iterator[ParamSpec]:
        return iter(self.params)

    def __len__(self) -> int:
        return len(self.params)

    def __repr__(self) -> str:
        return repr(list(self.params))

    def to_dict(self) -> list[dict[str, Any]]:
        return [each.to_dict() for each in self.params]

    def to_json(self) -> str:
        return json.dumps(self.to_dict())

    @classmethod
    def from_json(cls, json_str: str) -> ParamSchema:
        forms = _parse(json_str, "params")
        return cls(ParamSpec(form["name"], type_from_dict(form), form["default"], form.get("shape")) for form in forms)


@dataclass(frozen=True)
class ModelSignature:
    """Schemas of a model's inputs, outputs and parameters; None where one is not known."""

    inputs: Schema | None = None
    outputs: Schema | None = None
    params: ParamSchema | None = None

    def to_dict(self) -> dict[str, str | None]:
        """Return the three as JSON texts, which is how the MLmodel file holds them."""
        return {
            "inputs": self.inputs.to_json() if self.inputs else None,
            "outputs": self.outputs.to_json() if self.outputs else None,
            "params": self.params.to_json() if self.params else None,
        }

    @classmethod
    def from_dict(cls, signature_dict: Mapping[str, str | None]) -> ModelSignature:
        inputs, outputs, params = (signature_dict.get(key) for key in ("inputs", "outputs", "params"))
        return cls(
            Schema.from_json(inputs) if inputs else None,
            Schema.from_json(outputs) if outputs else None,
            ParamSchema.from_json(params) if params else None,
        )

    def __repr__(self) -> str:
        return f"inputs: \n  {self.inputs}\noutputs: \n  {self.outputs}\nparams: \n  {self.params}\n"


def infer_signature(
    model_input: Any = None, model_output: Any = None, params: Mapping[str, Any] | None = None
) -> ModelSignature:
    """Return the signature of these samples: frames, series, arrays, dicts, lists or scalars.

    Raises:
        InvalidParameter: a sample is of a kind that no schema describes.
    """
    return ModelSignature(
        None if model_input is None else infer_schema(model_input),
        None if model_output is None else infer_schema(model_output),
        infer_params(params) if params else None,
    )


def infer_schema(sample: Any) -> Schema:
    """Return the schema of one sample."""
    if is_frame(sample):
        return Schema(_column(sample[name], name) for name in sample.columns)
    if is_series(sample):
        return Schema([_column(sample, sample.name)])
    if is_array(sample):
        return Schema([_tensor(sample)])
    if isinstance(sample, Mapping):
        if any(is_array(value) for value in sample.values()):
            return Schema(_tensor(value, str(name)) for name, value in sample.items())
        merged = _type_of_value(sample)
    elif isinstance(sample, (list, tuple)):
        known = [item for item in sample if item is not None]
        merged = _merged([_type_of_value(item) for item in known]) if known else DataType.string
    else:
        merged = _type_of_value(sample)
    if isinstance(merged, Object):
        order = (
            list(sample) if isinstance(sample, Mapping) else list(dict.fromkeys(key for item in sample for key in item))
        )
        by_name = {each.name: each for each in merged.properties}
        return Schema(ColSpec(by_name[str(key)].dtype, str(key), by_name[str(key)].required) for key in order)
    return Schema([ColSpec(merged)])


def infer_params(params: Mapping[str, Any]) -> ParamSchema:
    """Return the schema of parameters, whose values become the defaults."""
    specs = []
    for name, value in params.items():
        value = _plain(value)
        if value is None:
            raise InvalidParameter(f"param {name!r} is None, of which no type can be told: give it a default")
        if isinstance(value, (list, tuple)):
            kind: Type = _merged([_type_of_value(item) for item in value]) if value else DataType.string
            if not isinstance(kind, (DataType, Object)):
                raise InvalidParameter(f"param {name!r} must be a list of values of one type, got {value!r}")
            specs.append(ParamSpec(name, kind, list(value), (-1,)))
        else:
            specs.append(ParamSpec(name, _type_of_value(value), value))
    return ParamSchema(specs)


def is_frame(value: Any) -> bool:
    """Whether it is a pandas DataFrame; pandas is not imported for the question."""
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.DataFrame)


def is_series(value: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(value, pandas.Series)


def is_array(value: Any) -> bool:
    """Whether it is a numpy array or a scipy sparse matrix."""
    numpy, sparse = sys.modules.get("numpy"), sys.modules.get("scipy.sparse")
    if numpy is not None and isinstance(value, numpy.ndarray):
        return True
    return sparse is not None and bool(sparse.issparse(value))


_SCALARS: Final[tuple[tuple[type, DataType], ...]] = (
    (bool, DataType.boolean),
    (int, DataType.long),
    (float, DataType.double),
    (str, DataType.string),
    (bytes, DataType.binary),
    (dt.date, DataType.datetime),
)

_PARAM_CLASSES: Final[dict[Type, tuple[type, ...]]] = {
    DataType.boolean: (bool,),
    DataType.integer: (int,),
    DataType.long: (int,),
    DataType.float: (int, float),
    DataType.double: (int, float),
    DataType.string: (str,),
    DataType.binary: (bytes,),
    DataType.datetime: (dt.date,),
}

# Of numpy's kinds and sizes in bytes; what is not here has its values looked at.
_OF_NUMBERS: Final = {
    **{f"{kind}{size}": DataType.integer for kind, size in (("i", 1), ("i", 2), ("i", 4), ("u", 1), ("u", 2))},
    "i8": DataType.long,
    "u4": DataType.long,
    "b1": DataType.boolean,
    "f2": DataType.float,
    "f4": DataType.float,
    "f8": DataType.double,
}


def _type_of_value(value: Any) -> Type:
    value = _plain(value)
    if value is None:
        return AnyType()
    for kind, data_type in _SCALARS:
        if isinstance(value, kind):
            return data_type
    if isinstance(value, Mapping):
        return Object(Property(str(key), _type_of_value(inner), inner is not None) for key, inner in value.items())
    if isinstance(value, (list, tuple)) or is_array(value):
        items = [_type_of_value(item) for item in value]
        return Array(_merged(items)) if items else AnyType()
    raise InvalidParameter(
        f"no type of a signature describes {type(value).__name__}: give frames, arrays, dicts, lists or scalars"
    )


def _merged(types: Sequence[Type]) -> Type:
    known = [each for each in dict.fromkeys(types) if not isinstance(each, AnyType)]
    if not known:
        return AnyType()
    if all(isinstance(each, Object) for each in known):
        objects = [{inner.name: inner for inner in each.properties} for each in known if isinstance(each, Object)]
        names = dict.fromkeys(name for each in objects for name in each)
        return Object(
            Property(
                name,
                _merged([each[name].dtype for each in objects if name in each]),
                all(name in each and each[name].required for each in objects),
            )
            for name in names
        )
    if all(isinstance(each, Array) for each in known):
        return Array(_merged([each.dtype for each in known if isinstance(each, Array)]))
    return known[0] if len(known) == 1 else AnyType()


def _column(series: Any, name: Any) -> ColSpec:
    dtype = series.dtype
    # Extension types such as Int64 know the numpy type below them.
    base = getattr(dtype, "numpy_dtype", dtype)
    kind = getattr(base, "kind", "O")
    has_nulls = bool(series.isna().any())
    found: Type | None = DataType.datetime if kind == "M" else None
    if kind in "biuf" and not str(dtype).startswith("category"):
        found = _OF_NUMBERS.get(f"{kind}{base.itemsize}")
    if found is None:
        known = [value for value in series if _is_known(value)]
        found = _merged([_type_of_value(value) for value in known]) if known else AnyType()
    return ColSpec(found, name if name is None or isinstance(name, (str, int)) else str(name), not has_nulls)


def _is_known(value: Any) -> bool:
    # NaN and pandas.NA: the only values that are not themselves.
    if isinstance(value, (list, tuple, Mapping)) or is_array(value):
        return True
    pandas = sys.modules["pandas"]
    return not pandas.isna(value)


def _tensor(array: Any, name: str | None = None) -> TensorSpec:
    array = array if is_array(array) else sys.modules["numpy"].asarray(array)
    return TensorSpec(_dtype_name(array.dtype), (-1, *array.shape[1:]) if array.ndim else (), name)


def _dtype_name(dtype: Any) -> str:
    kind = getattr(dtype, "kind", "")
    # numpy's own names of texts hold their length.
    return {"U": "str", "S": "bytes"}.get(kind) or str(getattr(dtype, "name", dtype))


def _plain(value: Any) -> Any:
    numpy = sys.modules.get("numpy")
    if numpy is not None and isinstance(value, numpy.generic):
        return value.item()
    return value


def _jsonable(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value


def _name(kind: Type) -> str:
    return str(kind.to_dict()["type"])


def _parse(text: str, what: str) -> list[dict[str, Any]]:
    try:
        forms = json.loads(text)
    except ValueError as wrong:
        raise InvalidParameter(f"{what} of a signature is no JSON: {wrong}") from None
    if not isinstance(forms, list) or not all(isinstance(form, dict) for form in forms):
        raise InvalidParameter(f"{what} of a signature must be a JSON list of objects, got {text[:200]!r}")
    return forms


def __getattr__(name: str) -> Any:
    # The client is above this package, and only who asks for it loads it.
    if name != "set_signature":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from runyard.client.models import set_signature

    return set_signature
