"""Every error Runyard raises, with the code and status it has on the wire.

    RunyardError                  INTERNAL_ERROR            500
    ├── InvalidParameter          INVALID_PARAMETER_VALUE   400
    │   └── InvalidFilter         INVALID_PARAMETER_VALUE   400  (knows where the filter went wrong)
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
    └── ConfigurationError        INVALID_STATE             500  (raised before a server runs)
        └── SchemaMismatch        INVALID_STATE             500

Source: the codes and their statuses are the MLflow REST protocol's.
"""

from __future__ import annotations

from typing import ClassVar, Final

# How much of a long filter an error repeats, before and after the place.
_SHOWN_AROUND: Final = 60


class RunyardError(Exception):
    """Base of every error raised on purpose; its message is fit to be shown to the caller."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


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


class ConfigurationError(RunyardError):
    """A setting, file or environment that keeps a command from starting."""

    code, status = "INVALID_STATE", 500


class SchemaMismatch(ConfigurationError):
    """The database's schema is not the one this version works with."""
