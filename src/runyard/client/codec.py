"""From requests to what is sent, and from what is answered to responses and errors."""

from __future__ import annotations

from typing import Any, Final, TypeVar
from urllib.parse import urlencode

import msgspec

from runyard.errors import (
    AlreadyExists,
    BadRequest,
    EndpointNotFound,
    InvalidParameter,
    MethodNotAllowed,
    NotFound,
    NotImplementedHere,
    PayloadTooLarge,
    PermissionDenied,
    RangeNotSatisfiable,
    RestException,
    RunyardError,
    TooManyRequests,
    Unavailable,
    UnsupportedMediaType,
)
from runyard.wire.base import Request, Response
from runyard.wire.names import shown

R = TypeVar("R", bound=Response)

API_PATH: Final = "/api/2.0/mlflow/"


def content_of(request: Request) -> dict[str, Any]:
    """Return the fields of ``request`` that are set."""
    content: dict[str, Any] = msgspec.to_builtins(request)
    return {name: value for name, value in content.items() if value is not None}


def query_of(content: dict[str, Any]) -> bytes:
    """Return ``content`` as a query string; a list becomes a repeated field."""
    return urlencode(content, doseq=True).encode()


def decoded(status: int, body: bytes, response_type: type[R], uri: str) -> R:
    """Return the answer in ``body``, or raise the error that it tells of."""
    if not 200 <= status < 300:
        raise error_of(status, body, uri)
    try:
        return msgspec.json.decode(body or b"{}", type=response_type)
    except msgspec.MsgspecError as error:
        raise RunyardError(
            f"what answers at {uri} is not a server of this protocol: {error}; the answer begins {_start(body)}"
        ) from None


class _ErrorBody(msgspec.Struct):
    error_code: str = ""
    message: str = ""


def error_of(status: int, body: bytes, uri: str) -> RunyardError:
    """Return the error that an answer with ``status`` means: by its code, else by its status."""
    try:
        told = msgspec.json.decode(body, type=_ErrorBody)
    except msgspec.MsgspecError:
        told = _ErrorBody()
    kind = _BY_CODE_AND_STATUS.get((told.error_code, status)) or _BY_CODE.get(told.error_code) or _by_status(status)
    kind = _answered(kind)
    if told.message:
        return kind(told.message)
    hint = "; set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
    return kind(f"{uri} answered with status {status}{hint if status == 401 else ''}: {_start(body)}")


def _answered(kind: type[RunyardError]) -> type[RunyardError]:
    """Return ``kind`` as an error that a server answered with."""
    if kind not in _ANSWERED:
        # RunyardError itself stands behind RestException already.
        bases = (RestException,) if kind is RunyardError else (kind, RestException)
        _ANSWERED[kind] = type(kind.__name__, bases, {"__module__": kind.__module__, "__reduce__": _reduced})
    return _ANSWERED[kind]


_ANSWERED: Final[dict[type[RunyardError], type[RunyardError]]] = {}


def _reduced(error: RunyardError) -> tuple[Any, ...]:
    # A process that is sent one finds no such class by its name.
    kind = next(base for base in type(error).__mro__[1:] if base is not RestException)
    return _again, (kind, error.message)


def _again(kind: type[RunyardError], message: str) -> RunyardError:
    return _answered(kind)(message)


# Of two with one code, the first is the usual one.
_ERRORS: Final[tuple[type[RunyardError], ...]] = (
    InvalidParameter,
    BadRequest,
    AlreadyExists,
    NotFound,
    EndpointNotFound,
    MethodNotAllowed,
    PermissionDenied,
    PayloadTooLarge,
    UnsupportedMediaType,
    RangeNotSatisfiable,
    TooManyRequests,
    NotImplementedHere,
    Unavailable,
)
_BY_CODE_AND_STATUS: Final = {(error.code, error.status): error for error in reversed(_ERRORS)}
_BY_CODE: Final = {error.code: error for error in reversed(_ERRORS)}
_BUSY: Final = frozenset({408, 429, 502, 503, 504})


def _by_status(status: int) -> type[RunyardError]:
    if status in _BUSY:
        return Unavailable
    if status in {401, 403}:
        return PermissionDenied
    for error in _ERRORS[1:]:
        if error.status == status:
            return error
    return BadRequest if status < 500 else RunyardError


def _start(body: bytes) -> str:
    return shown(" ".join(body.decode("utf-8", "replace").split())[:200]) if body else "nothing"
