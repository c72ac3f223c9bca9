"""An error means to the client what it meant to the server: by its code, and where there is none by its status."""

from __future__ import annotations

import pickle

import msgspec
import pytest

from runyard import errors
from runyard.client.codec import error_of
from runyard.errors import RunyardError

# Raised before a server runs, or by the program's own calls; a filter's place is in its message alone. A scoring
# server's are not what the tracking client reads. Others are there as the one that they are a kind of.
NOT_ON_THE_WIRE = {
    errors.Changed,
    errors.ConfigurationError,
    errors.DeadlineExceeded,
    errors.FileMissing,
    errors.InvalidFilter,
    errors.InvalidType,
    errors.InvalidValue,
    errors.RestException,
    errors.SchemaMismatch,
    errors.Unreachable,
}


def kinds(base: type[RunyardError] = RunyardError) -> list[type[RunyardError]]:
    return [base, *(kind for child in base.__subclasses__() for kind in kinds(child))]


@pytest.mark.parametrize("kind", [kind for kind in kinds() if kind not in NOT_ON_THE_WIRE])
def test_every_error_arrives_as_what_it_was(kind: type[RunyardError]) -> None:
    body = msgspec.json.encode({"error_code": kind.code, "message": "what the server said"})
    found = error_of(kind.status, body, "http://server")
    assert isinstance(found, kind)
    assert isinstance(found, errors.RestException)
    assert (found.error_code, found.get_http_status_code()) == (kind.code, kind.status)
    assert str(found) == found.message == "what the server said"
    sent = pickle.loads(pickle.dumps(found))  # noqa: S301 - what a worker process tells of
    assert (type(sent), sent.message) == (type(found), found.message)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, errors.BadRequest),
        (401, errors.PermissionDenied),
        (403, errors.PermissionDenied),
        (404, errors.NotFound),
        (413, errors.PayloadTooLarge),
        (418, errors.BadRequest),
        (429, errors.Unavailable),
        (500, RunyardError),
        (502, errors.Unavailable),
        (504, errors.Unavailable),
    ],
)
def test_an_answer_of_something_in_between_is_told_by_its_status(status: int, kind: type[RunyardError]) -> None:
    found = error_of(status, b"<html>from a proxy</html>", "http://server")
    assert (isinstance(found, kind), found.code, found.status) == (True, kind.code, kind.status)
    for word in ("http://server", str(status), "from a proxy"):
        assert word in found.message
