"""MLflow's scoring protocol: what ``POST /invocations`` takes and gives."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from runyard.errors import BadRequest, InvalidParameter, UnsupportedMediaType
from runyard.serving import outputs
from runyard.serving.inputs import (
    Input,
    InputFormat,
    clipped,
    kind_of,
    of_csv,
    of_inputs,
    of_instances,
    of_parquet,
    of_records,
    of_split,
)
from runyard.serving.served import ServedModel

JSON: Final = "application/json"
CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"

_FORMATS: Final[Mapping[str, Callable[[Any, InputFormat], Input]]] = {
    "dataframe_split": of_split,
    "dataframe_records": of_records,
    "inputs": of_inputs,
    "instances": of_instances,
}
# A body with one of these is a chat, a completion or an embedding, as OpenAI's API has them.
_UNWRAPPED: Final = ("messages", "prompt", "input")


class Invocation:
    """One request, and how its answer is spelled."""

    __slots__ = ("_body", "_is_wrapped", "_media_type")

    def __init__(self, body: bytes, content_type: str | None) -> None:
        """Raises: UnsupportedMediaType: the type is none that is understood."""
        self._body = body
        self._media_type = JSON if content_type == JSON else _media_type(content_type)
        self._is_wrapped = True

    def read(self, served: ServedModel) -> Input:
        """Return what the model is asked.

        Raises:
            RunyardError: the body does not hold that.
        """
        format_ = served.format
        if self._media_type == CSV:
            return of_csv(self._body, format_)
        if self._media_type == PARQUET:
            return of_parquet(self._body, format_)
        content = decode(self._body)
        for name in _UNWRAPPED:
            if name in content:
                self._is_wrapped = False
                return Input(
                    {key: value for key, value in content.items() if key not in format_.params},
                    {key: value for key, value in content.items() if key in format_.params},
                )
        found = [name for name in _FORMATS if name in content]
        if len(found) != 1:
            raise BadRequest(
                f"the request body must have exactly one of {', '.join(_FORMATS)}, "
                f"got {' and '.join(found) or ', '.join(map(repr, list(content)[:10])) or 'an empty object'}"
            )
        name = found[0]
        if format_.is_raw and name != "inputs":
            raise InvalidParameter(f"the model takes what its type hints say: send it as inputs, not as {name}")
        params = content.get("params")
        if params is not None and not isinstance(params, dict):
            raise InvalidParameter(f"params must be an object, got {kind_of(params)}")
        question = _FORMATS[name](content[name], format_)
        question.params = params
        return question

    def write(self, served: ServedModel, predictions: Any) -> bytes:
        return outputs.encode(predictions, is_wrapped=self._is_wrapped)


def is_request(content: object) -> bool:
    """Whether this is what /invocations takes, and not only what a model does."""
    return isinstance(content, dict) and any(name in content for name in (*_FORMATS, *_UNWRAPPED))


def decode(body: bytes) -> dict[str, Any]:
    """Return the object that a JSON body holds.

    Raises:
        BadRequest: it is no JSON, or no object.
    """
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # Programs that print NaN and Infinity bare are common enough to be understood.
        try:
            content = json.loads(body)
        except (ValueError, RecursionError):
            raise BadRequest(f"the request body is not valid JSON: {clipped(error)}") from None
    except RecursionError:
        raise BadRequest("the request body is nested too deeply") from None
    if not isinstance(content, dict):
        raise BadRequest(
            f"the request body must be an object with exactly one of {', '.join(_FORMATS)}, got {kind_of(content)}"
        )
    return content


def _media_type(content_type: str | None) -> str:
    supported = f"{JSON}, {CSV} or {PARQUET}"
    if not content_type:
        raise UnsupportedMediaType(f"the Content-Type header is missing: it says what the body is, {supported}")
    media_type, *parameters = (part.strip() for part in content_type.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.lower() != "charset":
            raise UnsupportedMediaType(
                f"Content-Type has the parameter {clipped(repr(name), 60)}: only charset is known"
            )
        if value.strip('"').lower() not in {"utf-8", "utf8"}:
            raise UnsupportedMediaType(f"the charset must be utf-8, got {clipped(repr(value), 60)}")
    media_type = media_type.lower()
    if media_type not in {JSON, CSV, PARQUET}:
        raise UnsupportedMediaType(f"the Content-Type must be {supported}, got {clipped(repr(media_type), 60)}")
    return media_type
