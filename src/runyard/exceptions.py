"""The errors that a program catches: each is a `RunyardException`, and `MlflowException` is another name for it."""

from __future__ import annotations

from runyard.errors import RestException, RunyardError

RunyardException = RunyardError
MlflowException = RunyardException


class ExecutionException(RunyardException):
    """A project's run failed, or could not be started."""


class MissingConfigException(RunyardException):
    """What is needed is not configured."""


class InvalidUrlException(RunyardException):
    """A URL is none."""


__all__ = [
    "ExecutionException",
    "InvalidUrlException",
    "MissingConfigException",
    "MlflowException",
    "RestException",
    "RunyardException",
]
