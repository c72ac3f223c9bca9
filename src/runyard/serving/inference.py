"""The Open Inference Protocol, version 2: tensors by name, as JSON or, behind it, as bytes.

Source: the protocol's specification ("predict protocol - version 2") and its extension for binary tensor data.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from runyard import __version__
from runyard.errors import BadRequest, InvalidParameter, RunyardError
from runyard.models.signature import ColSpec, DataType, Schema, TensorSpec, is_array, is_frame, is_series
from runyard.serving.inputs import Input, InputFormat, cast, clipped, kind_of
from runyard.serving.invocations import decode
from runyard.serving.outputs import plain
from runyard.serving.served import ServedModel

# The protocol's names of types, and numpy's.
_NUMPY: Final = {
    "BOOL": "bool",
    **{f"UINT{size}": f"uint{size}" for size in (8, 16, 32, 64)},
    **{f"INT{size}": f"int{size}" for size in (8, 16, 32, 64)},
    **{f"FP{size}": f"float{size}" for size in (16, 32, 64)},
    "BYTES": "object",
}
_NAMES: Final = {numpy: name for name, numpy in _NUMPY.items()}
_OF_COLUMNS: Final = {
    DataType.boolean: "BOOL",
    DataType.integer: "INT32",
    DataType.long: "INT64",
    DataType.float: "FP32",
    DataType.double: "FP64",
}
# Of a request's parameters, those that are the protocol's or a server's, and no param of a model.
_NO_PARAMS: Final = frozenset({"content_type", "headers", "binary_data_output", "priority", "timeout"})
HEADER_LENGTH: Final = b"inference-header-content-length"

_encode = msgspec.json.Encoder().encode


class RequestedOutput(msgspec.Struct):
    name: str
    parameters: dict[str, Any] = {}


class RequestInput(msgspec.Struct):
    name: str
    shape: list[int]
    datatype: str
    parameters: dict[str, Any] = {}
    data: Any = None


class InferRequest(msgspec.Struct):
    inputs: list[RequestInput]
    id: str | None = None
    parameters: dict[str, Any] = {}
    outputs: list[RequestedOutput] = []


_decoder = msgspec.json.Decoder(InferRequest)


@dataclass(frozen=True, slots=True)
class Inferred:
    """The answer: JSON, and behind it what was asked for as bytes."""

    body: bytes
    # How much of the body is JSON, where the rest is not.
    header_bytes: int | None = None


class Inference:
    """One request to infer."""

    __slots__ = ("_body", "_header_bytes", "_request")

    def __init__(self, body: bytes, header_bytes: bytes | None) -> None:
        """Raises: BadRequest: the length of the JSON part is no number, or beyond the body."""
        self._body = body
        self._header_bytes = len(body)
        if header_bytes is not None:
            if not header_bytes.isdigit() or int(header_bytes) > len(body):
                raise BadRequest(
                    "Inference-Header-Content-Length must be how many bytes of the body are JSON, "
                    f"got {clipped(repr(header_bytes.decode('latin-1')), 60)}"
                )
            self._header_bytes = int(header_bytes)
        self._request = InferRequest([])

    def read(self, served: ServedModel) -> Input:
        """Return what the model is asked.

        Raises:
            RunyardError: the request does not fit the protocol, or the model.
        """
        header = self._body[: self._header_bytes]
        try:
            request = _decoder.decode(header)
        except msgspec.ValidationError as error:
            raise InvalidParameter(f"the request is not one of the protocol: {clipped(error)}") from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            # Says what is wrong, or takes NaN where it is bare.
            try:
                request = msgspec.convert(decode(header), InferRequest)
            except msgspec.ValidationError as error:
                raise InvalidParameter(f"the request is not one of the protocol: {clipped(error)}") from None
        if not request.inputs:
            raise InvalidParameter("inputs must hold at least one tensor")
        self._request = request
        arrays: dict[str, Any] = {}
        at = self._header_bytes
        for tensor in request.inputs:
            if tensor.name in arrays:
                raise InvalidParameter(f"two inputs have the name {clipped(repr(tensor.name), 60)}")
            size = tensor.parameters.get("binary_data_size")
            if size is None:
                arrays[tensor.name] = _of_json(tensor)
                continue
            if not isinstance(size, int) or not 0 <= size <= len(self._body) - at:
                raise InvalidParameter(
                    f"binary_data_size of input {tensor.name!r} must be within the {len(self._body) - at} bytes behind "
                    f"the JSON, got {clipped(repr(size), 60)}"
                )
            arrays[tensor.name] = _of_bytes(tensor, self._body[at : at + size])
            at += size
        if at != len(self._body):
            raise InvalidParameter(f"{len(self._body) - at} bytes behind the JSON belong to no input")
        params = {name: value for name, value in request.parameters.items() if name not in _NO_PARAMS}
        question = _question(arrays, served.format)
        question.params = {name: value for name, value in params.items() if name in served.format.params} or None
        return question

    def write(self, served: ServedModel, predictions: Any) -> Inferred:
        request = self._request
        outputs = _outputs(predictions, served.metadata.signature.outputs if served.metadata.signature else None)
        chosen = {each.name: each.parameters for each in request.outputs}
        if unknown := [name for name in chosen if name not in outputs]:
            raise InvalidParameter(
                f"the model has no output {clipped(repr(unknown[0]), 60)}; it has {', '.join(map(repr, outputs))}"
            )
        every = request.parameters.get("binary_data_output", False)
        tensors, parts = [], []
        for name, array in outputs.items():
            if chosen and name not in chosen:
                continue
            form: dict[str, Any] = {"name": name, "datatype": _datatype(array), "shape": list(array.shape)}
            if chosen.get(name, {}).get("binary_data", every):
                part = _to_bytes(array)
                form["parameters"] = {"binary_data_size": len(part)}
                parts.append(part)
            else:
                form["data"] = _texts(array) if array.dtype.kind not in "biuf" else array.ravel().tolist()
            tensors.append(form)
        answer: dict[str, Any] = {"model_name": served.name}
        if served.version is not None:
            answer["model_version"] = served.version
        if request.id is not None:
            answer["id"] = request.id
        answer["outputs"] = tensors
        body = _encode(answer)
        return Inferred(body + b"".join(parts), len(body)) if parts else Inferred(body)


def server_metadata() -> bytes:
    return _encode({"name": "runyard", "version": __version__, "extensions": ["binary_tensor_data"]})


def model_metadata(served: ServedModel) -> bytes:
    """Return what the model takes and gives, as tensors."""
    signature = served.metadata.signature
    named = [name for name in served.metadata.flavors if name != "python_function"]
    return _encode(
        {
            "name": served.name,
            "versions": [] if served.version is None else [served.version],
            "platform": f"mlflow_{named[0]}" if named else "mlflow_pyfunc",
            "inputs": _described(signature.inputs if signature else None, "input"),
            "outputs": _described(signature.outputs if signature else None, "output"),
        }
    )


def _described(schema: Schema | None, word: str) -> list[dict[str, Any]]:
    described = []
    for place, spec in enumerate(schema or ()):
        if isinstance(spec, TensorSpec):
            datatype, shape = _NAMES.get(spec.type, "BYTES"), list(spec.shape)
        else:
            datatype = _OF_COLUMNS.get(spec.type, "BYTES")  # type: ignore[arg-type]
            shape = [-1]
        name = f"{word}-{place}" if spec.name is None else str(spec.name)
        described.append({"name": name, "datatype": datatype, "shape": shape})
    return described


def _question(arrays: Mapping[str, Any], format_: InputFormat) -> Input:
    """Return named tensors as what the model takes.

    One tensor whose name is no input's is the whole input, by position; else each is the input of its name.
    """
    import pandas as pd

    schema = format_.schema
    only = next(iter(arrays.values())) if len(arrays) == 1 else None
    if schema is None:
        if only is not None:
            rows = format_.rows(only)
            return Input(only) if rows is None else Input(rows=rows)
        is_table = all(array.ndim == 1 or array.shape[1:] == (1,) for array in arrays.values())
        if is_table and len({len(array) for array in arrays.values()}) == 1:
            return Input(pd.DataFrame({name: array.ravel() for name, array in arrays.items()}))
        return Input(dict(arrays))
    if schema.is_tensor_spec():
        if not schema.has_input_names() or (only is not None and len(schema) == 1):
            if only is None:
                raise InvalidParameter(f"the model takes one tensor, got {len(arrays)}")
            spec = schema.inputs[0]
            rows = format_.rows(only) if only.dtype.kind in "iuf" else None
            if rows is not None:
                return Input(rows=rows)
            return Input(
                _as_spec(only, spec) if not schema.has_input_names() else {str(spec.name): _as_spec(only, spec)}
            )
        specs = {str(each.name): each for each in schema}
        return Input({name: _as_spec(array, specs[name]) if name in specs else array for name, array in arrays.items()})
    if only is not None and only.ndim == 2 and not set(arrays) & {str(each.name) for each in schema}:
        rows = format_.rows(only) if only.dtype.kind in "iuf" else None
        if rows is not None:
            return Input(rows=rows)
        names = format_.names if len(format_.names) == only.shape[1] else None
        return Input(cast(pd.DataFrame(only, columns=names), schema))
    columns: dict[Any, Any] = {}
    known = {str(name): name for name in format_.names}
    for name, array in arrays.items():
        if array.ndim > 2 or (array.ndim == 2 and array.shape[1] != 1):
            columns[known.get(name, name)] = array.tolist()
        else:
            columns[known.get(name, name)] = array.ravel()
    if len({len(column) for column in columns.values()}) > 1:
        raise InvalidParameter("the inputs are columns of one table, and must have the same number of rows")
    if not schema.has_input_names():
        columns = dict(enumerate(columns.values()))
    elif (
        format_.names
        and list(columns) == format_.names
        and all(array.dtype.kind in "iuf" and array.ndim < 3 for array in arrays.values())
    ):
        import numpy as np

        rows = format_.rows(np.column_stack(list(columns.values())))
        if rows is not None:
            return Input(rows=rows)
    return Input(cast(pd.DataFrame(columns), schema))


def _as_spec(array: Any, spec: Any) -> Any:
    """Return an array with the type of a tensor of the signature, where that is the same kind of number."""
    if isinstance(spec, ColSpec) or array.dtype.kind not in "biuf" or str(array.dtype) == spec.type:
        return array
    import numpy as np

    wanted = np.dtype({"str": "U", "bytes": "S"}.get(spec.type, spec.type))
    return array.astype(wanted) if np.can_cast(array.dtype, wanted, casting="same_kind") else array


def _of_json(tensor: RequestInput) -> Any:
    import numpy as np

    dtype = _dtype(tensor)
    if tensor.data is None:
        raise InvalidParameter(f"input {tensor.name!r} has no data")
    values = tensor.data
    try:
        if dtype == "object":
            array = np.array(_flat(values), "object")
            decodes = tensor.parameters.get("content_type") == "base64"
            if decodes:
                array = np.array([base64.b64decode(each) for each in array], "object")
        else:
            array = np.array(values)
            if array.size and (
                array.dtype.kind not in "biuf"
                or (array.dtype.kind == "b") != (dtype == "bool")
                or (array.dtype.kind == "f" and not dtype.startswith("float"))
            ):
                raise InvalidParameter(f"data of input {tensor.name!r} does not fit its datatype {tensor.datatype}")
            if array.size and array.dtype.kind in "iu" and dtype[0] in "iu":
                bounds = np.iinfo(dtype)
                if array.min() < bounds.min or array.max() > bounds.max:
                    raise InvalidParameter(f"data of input {tensor.name!r} is beyond {tensor.datatype}")
            array = array.astype(dtype, copy=False)
    except (ValueError, TypeError, OverflowError) as wrong:
        raise InvalidParameter(f"data of input {tensor.name!r} is no tensor: {clipped(wrong)}") from None
    return _shaped(tensor, array)


def _flat(values: Any) -> list[Any]:
    if not isinstance(values, list):
        raise TypeError(f"it must be a list, got {kind_of(values)}")
    found: list[Any] = values
    while found and isinstance(found[0], list):
        found = [each for inner in found for each in inner]
    return found


def _of_bytes(tensor: RequestInput, part: bytes) -> Any:
    import numpy as np

    dtype = _dtype(tensor)
    try:
        if dtype != "object":
            return _shaped(tensor, np.frombuffer(part, np.dtype(dtype).newbyteorder("<")).astype(dtype))
        found: list[Any] = []
        at = 0
        is_text = tensor.parameters.get("content_type") != "base64"
        while at < len(part):
            (length,) = struct.unpack_from("<I", part, at)
            each = part[at + 4 : at + 4 + length]
            if len(each) != length:
                raise ValueError("its last element is cut off")
            found.append(each.decode() if is_text else each)
            at += 4 + length
    except (ValueError, struct.error) as wrong:
        raise InvalidParameter(
            f"binary data of input {tensor.name!r} is no {tensor.datatype}: {clipped(wrong)}"
        ) from None
    return _shaped(tensor, np.array(found, "object"))


def _dtype(tensor: RequestInput) -> str:
    dtype = _NUMPY.get(tensor.datatype)
    if dtype is None:
        raise InvalidParameter(
            f"datatype of input {tensor.name!r} must be one of {', '.join(_NUMPY)}, "
            f"got {clipped(repr(tensor.datatype), 60)}"
        )
    return dtype


def _shaped(tensor: RequestInput, array: Any) -> Any:
    shape = tuple(tensor.shape)
    size = 1
    for length in shape:
        size *= length
    if any(length < 0 for length in shape) or size != array.size:
        raise InvalidParameter(
            f"input {tensor.name!r} has {array.size} values, which is not what its shape {list(shape)} holds"
        )
    try:
        return array.reshape(shape)
    except (ValueError, OverflowError) as wrong:
        raise InvalidParameter(f"the shape of input {tensor.name!r} is none of an array: {clipped(wrong)}") from None


def _outputs(predictions: Any, schema: Schema | None) -> dict[str, Any]:
    """Return the model's answer as arrays by name."""
    import numpy as np

    if is_frame(predictions):
        return {str(name): _array(predictions[name].to_numpy()) for name in predictions.columns}
    if isinstance(predictions, dict):
        return {str(name): _array(value) for name, value in predictions.items()}
    if is_series(predictions):
        predictions = predictions.to_numpy()
    array = predictions if is_array(predictions) else np.asarray(predictions)
    name = schema.inputs[0].name if schema is not None and len(schema) == 1 else None
    return {"output-0" if name is None else str(name): _array(array)}


def _array(value: Any) -> Any:
    import numpy as np

    array = np.asarray(value.toarray() if hasattr(value, "toarray") else value)
    if array.dtype.kind in "mM":
        return array.astype(str).astype("object")
    if array.dtype.kind in "US":
        return array.astype("object")
    if str(array.dtype) not in _NAMES:
        raise RunyardError(f"the protocol has no tensors of {array.dtype}, which is what the model answered")
    return array


def _datatype(array: Any) -> str:
    return _NAMES[str(array.dtype)]


def _texts(array: Any) -> list[Any]:
    return [base64.b64encode(each).decode() if isinstance(each, bytes) else _text(each) for each in array.ravel()]


def _text(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return msgspec.json.encode(plain(value), enc_hook=str).decode()


def _to_bytes(array: Any) -> bytes:
    if array.dtype.kind in "biuf":
        found: bytes = array.astype(array.dtype.newbyteorder("<")).tobytes()
        return found
    parts = []
    for each in array.ravel():
        part = each if isinstance(each, bytes) else str(_text(each)).encode()
        parts += [struct.pack("<I", len(part)), part]
    return b"".join(parts)
