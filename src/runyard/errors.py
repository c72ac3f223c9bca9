"""Every error Runyard raises, with the code and status it has on the wire.

    RunyardError                  INTERNAL_ERROR            500
    ├── InvalidParameter          INVALID_PARAMETER_VALUE   400
    │   ├── InvalidFilter         INVALID_PARAMETER_VALUE   400  (knows where the filter went wrong)
    │   ├── InvalidType           INVALID_PARAMETER_VALUE   400  (a TypeError too)
    │   ├── InvalidValue          INVALID_PARAMETER_VALUE   400  (a ValueError too)
    │   └── FileMissing           INVALID_PARAMETER_VALUE   400  (a FileNotFoundError too)
    ├── BadRequest                BAD_REQUEST               400
    ├── AlreadyExists             RESOURCE_ALREADY_EXISTS   400
    ├── NotFound                  RESOURCE_DOES_NOT_EXIST   404
    ├── EndpointNotFound          ENDPOINT_NOT_FOUND        404
    ├── MethodNotAllowed          ENDPOINT_NOT_FOUND        405
    ├── PermissionDenied          PERMISSION_DENIED         403
    ├── PayloadTooLarge           BAD_REQUEST               413
    ├── UnsupportedMediaType      BAD_REQUEST               415
    ├── RangeNotSatisfiable       BAD_REQUEST               416
    ├── TooManyRequests           REQUEST_LIMIT_EXCEEDED    429
    ├── NotImplementedHere        NOT_IMPLEMENTED           501
    ├── Unavailable               TEMPORARILY_UNAVAILABLE   503
    │   └── Unreachable           TEMPORARILY_UNAVAILABLE   503  (the database; another try may find it back)
    ├── DeadlineExceeded          DEADLINE_EXCEEDED         504
    └── ConfigurationError        INVALID_STATE             500  (raised before a server runs)
        └── SchemaMismatch        INVALID_STATE             500

Source: the codes and their statuses are the MLflow REST protocol's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar, Final

# The status of a code that has no class here, or is given by name.
STATUSES: Final = {
    "INVALID_PARAMETER_VALUE": 400,
    "BAD_REQUEST": 400,
    "MALFORMED_REQUEST": 400,
    "RESOURCE_ALREADY_EXISTS": 400,
    "UNAUTHENTICATED": 401,
    "CUSTOMER_UNAUTHORIZED": 401,
    "PERMISSION_DENIED": 403,
    "RESOURCE_DOES_NOT_EXIST": 404,
    "NOT_FOUND": 404,
    "ENDPOINT_NOT_FOUND": 404,
    "ABORTED": 409,
    "RESOURCE_CONFLICT": 409,
    "ALREADY_EXISTS": 409,
    "REQUEST_LIMIT_EXCEEDED": 429,
    "RESOURCE_EXHAUSTED": 429,
    "CANCELLED": 499,
    "NOT_IMPLEMENTED": 501,
    "TEMPORARILY_UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}

# Source: the protocol's enumeration of error codes; those of services that are not here are left out.
CODES: Final = {
    "INTERNAL_ERROR": 1,
    "TEMPORARILY_UNAVAILABLE": 2,
    "IO_ERROR": 3,
    "BAD_REQUEST": 4,
    "SERVICE_UNDER_MAINTENANCE": 5,
    "DEADLINE_EXCEEDED": 7,
    "CANCELLED": 8,
    "RESOURCE_EXHAUSTED": 9,
    "ABORTED": 10,
    "NOT_FOUND": 11,
    "ALREADY_EXISTS": 12,
    "UNAUTHENTICATED": 13,
    "INVALID_PARAMETER_VALUE": 1000,
    "ENDPOINT_NOT_FOUND": 1001,
    "MALFORMED_REQUEST": 1002,
    "INVALID_STATE": 1003,
    "PERMISSION_DENIED": 1004,
    "FEATURE_DISABLED": 1005,
    "CUSTOMER_UNAUTHORIZED": 1006,
    "REQUEST_LIMIT_EXCEEDED": 1007,
    "RESOURCE_CONFLICT": 1008,
    "UNPARSEABLE_HTTP_ERROR": 1009,
    "NOT_IMPLEMENTED": 1010,
    "DATA_LOSS": 1011,
    "INVALID_STATE_TRANSITION": 2001,
    "COULD_NOT_ACQUIRE_LOCK": 2002,
    "RESOURCE_ALREADY_EXISTS": 3001,
    "RESOURCE_DOES_NOT_EXIST": 3002,
    "QUOTA_EXCEEDED": 4001,
    "RESOURCE_LIMIT_EXCEEDED": 5002,
}
_NAMES: Final = {number: name for name, number in CODES.items()}

# How much of a long filter an error repeats, before and after the place.
_SHOWN_AROUND: Final = 60


class RunyardError(Exception):
    """Base of every error raised on purpose; its message is fit to be shown to the caller."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500

    def __init__(
        self,
        message: object,
        error_code: str | int | None = None,
        sqlstate: str | None = None,
        error_class: str | None = None,
        **json_kwargs: Any,
    ) -> None:
        """Make an error; all but the message is for those who raise this class itself.

        Args:
            error_code: a code's name or its number, instead of the class's.
            sqlstate, error_class: how others class the error; they are told with it.
            json_kwargs: what else the body of the answer tells.
        """
        self.message = str(message)
        super().__init__(self.message)
        self.error_code = self.code if error_code is None else _code_name(error_code)
        self.sqlstate = sqlstate
        self.error_class = error_class
        self.json_kwargs = json_kwargs

    def get_http_status_code(self) -> int:
        return self.status if self.error_code == self.code else STATUSES.get(self.error_code, 500)

    def serialize_as_json(self) -> str:
        """Return the body of the answer that this error is."""
        told = {"sqlstate": self.sqlstate, "error_class": self.error_class}
        return json.dumps(
            {
                "error_code": self.error_code,
                "message": self.message,
                **{name: value for name, value in told.items() if value is not None},
                **self.json_kwargs,
            }
        )

    @classmethod
    def invalid_parameter_value(
        cls, message: str, sqlstate: str | None = None, error_class: str | None = None, **kwargs: Any
    ) -> RunyardError:
        return InvalidParameter(message, sqlstate=sqlstate, error_class=error_class, **kwargs)


class RestException(RunyardError):
    """An error that a server answered with; one of a known code is of that code's class too."""

    def __init__(self, json: Mapping[str, Any] | str) -> None:
        body = {"message": json} if isinstance(json, str) else dict(json)
        code = body.get("error_code")
        message = str(body.get("message", ""))
        super().__init__(message if code is None else f"{code}: {message}", code)
        self.json = body


class InvalidParameter(RunyardError):
    code, status = "INVALID_PARAMETER_VALUE", 400


class InvalidFilter(InvalidParameter):
    """A search expression that does not parse, or names what cannot be searched."""

    def __init__(self, message: str, *, expression: str, position: int) -> None:
        start = max(0, position - _SHOWN_AROUND)
        excerpt = expression[start : position + _SHOWN_AROUND]
        pointer = f"{excerpt}\n{' ' * (position - start)}^"
        super().__init__(f"{message} at character {position + 1}:\n{pointer}")
        self.expression = expression
        self.position = position


class InvalidType(InvalidParameter, TypeError):
    """What a program gave is of no type that will do; programs expect Python's own error."""


class InvalidValue(InvalidParameter, ValueError):
    """As above, of a value."""


class FileMissing(InvalidParameter, FileNotFoundError):
    """There is no such local file; as above."""


class BadRequest(RunyardError):
    code, status = "BAD_REQUEST", 400


class AlreadyExists(RunyardError):
    code, status = "RESOURCE_ALREADY_EXISTS", 400


class NotFound(RunyardError):
    code, status = "RESOURCE_DOES_NOT_EXIST", 404


class EndpointNotFound(RunyardError):
    code, status = "ENDPOINT_NOT_FOUND", 404


class MethodNotAllowed(RunyardError):
    code, status = "ENDPOINT_NOT_FOUND", 405


class PermissionDenied(RunyardError):
    code, status = "PERMISSION_DENIED", 403


class PayloadTooLarge(RunyardError):
    code, status = "BAD_REQUEST", 413


class UnsupportedMediaType(RunyardError):
    code, status = "BAD_REQUEST", 415


class RangeNotSatisfiable(RunyardError):
    code, status = "BAD_REQUEST", 416


class TooManyRequests(RunyardError):
    code, status = "REQUEST_LIMIT_EXCEEDED", 429

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotImplementedHere(RunyardError):
    code, status = "NOT_IMPLEMENTED", 501


class Unavailable(RunyardError):
    code, status = "TEMPORARILY_UNAVAILABLE", 503


class Unreachable(Unavailable):
    """The connection to the database was lost, or none is to be had; a little later it may be back."""


class Changed(Unavailable):
    """What is read is not any more what it was when the reading began."""


class DeadlineExceeded(RunyardError):
    code, status = "DEADLINE_EXCEEDED", 504


class ConfigurationError(RunyardError):
    """A setting, file or environment that keeps a command from starting."""

    code, status = "INVALID_STATE", 500


class SchemaMismatch(ConfigurationError):
    """The database's schema is not the one this version works with."""


def _code_name(code: str | int) -> str:
    return code if isinstance(code, str) else _NAMES.get(code, "INTERNAL_ERROR")
