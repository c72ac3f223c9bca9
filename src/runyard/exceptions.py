"""The errors that a program catches: each is a `RunyardException`, and `MlflowException` is another name for it.

`ErrorCode` and the codes by name, `INVALID_PARAMETER_VALUE` and the others, are numbers, as programs that compare
``error.error_code`` with ``ErrorCode.Name(RESOURCE_DOES_NOT_EXIST)`` expect.
"""

from __future__ import annotations

from typing import Final

from runyard.errors import CODES, STATUSES, RestException, RunyardError

RunyardException = RunyardError
MlflowException = RunyardException

# Of codes with one status, the one that a status alone means.
_BY_STATUS: Final = {
    400: "BAD_REQUEST",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "ENDPOINT_NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "NOT_IMPLEMENTED",
    503: "TEMPORARILY_UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class ErrorCode:
    """The protocol's error codes, by name and by number."""

    @staticmethod
    def Name(number: int) -> str:  # noqa: N802 - what programs call
        for name, known in CODES.items():
            if known == number:
                return name
        raise ValueError(f"there is no error code {number!r}")

    @staticmethod
    def Value(name: str) -> int:  # noqa: N802 - as above
        if name not in CODES:
            raise ValueError(f"there is no error code {name!r}")
        return CODES[name]

    @staticmethod
    def keys() -> list[str]:
        return list(CODES)

    @staticmethod
    def values() -> list[int]:
        return list(CODES.values())

    @staticmethod
    def items() -> list[tuple[str, int]]:
        return list(CODES.items())


class ExecutionException(RunyardException):
    """A project's run failed, or could not be started."""


class MissingConfigException(RunyardException):
    """What is needed is not configured."""


class InvalidUrlException(RunyardException):
    """A URL is none."""


class MlflowNotImplementedException(RunyardException):
    """What is asked for is not there."""

    code, status = "NOT_IMPLEMENTED", STATUSES["NOT_IMPLEMENTED"]

    def __init__(self, message: str = "") -> None:
        super().__init__(message)


def get_error_code(http_status: int) -> int:
    """Return the number of the code that an answer's status means where nothing else says it."""
    return CODES[_BY_STATUS.get(http_status, "INTERNAL_ERROR")]


def __getattr__(name: str) -> int:
    if name not in CODES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return CODES[name]


__all__ = [
    "ErrorCode",
    "ExecutionException",
    "InvalidUrlException",
    "MissingConfigException",
    "MlflowException",
    "MlflowNotImplementedException",
    "RestException",
    "RunyardException",
    "get_error_code",
]
