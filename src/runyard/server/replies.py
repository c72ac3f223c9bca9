"""Answers that are not a handler's: errors, in one shape everywhere."""

from __future__ import annotations

import logging

import msgspec
from starlette.responses import Response

from runyard.errors import PayloadTooLarge, RunyardError, TooManyRequests, Unavailable
from runyard.server.observability.exchange import Exchange

logger = logging.getLogger(__name__)

RETRY_AFTER_S = "1"


def error_body(error: RunyardError) -> bytes:
    """Return the JSON that tells a client of ``error``."""
    # A lone surrogate in an echoed value is no text that UTF-8 can hold.
    message = error.message.encode("utf-8", "replace").decode()
    return msgspec.json.encode({"error_code": error.code, "message": message})


def error_headers(error: RunyardError) -> dict[str, str]:
    if isinstance(error, TooManyRequests):
        return {"retry-after": str(error.retry_after_s)}
    if isinstance(error, Unavailable):
        return {"retry-after": RETRY_AFTER_S}
    # What follows on the connection is the rest of a body that nobody will read.
    return {"connection": "close"} if isinstance(error, PayloadTooLarge) else {}


def error_response(error: RunyardError) -> Response:
    return Response(
        error_body(error), status_code=error.status, headers=error_headers(error), media_type="application/json"
    )


def unexpected_error(error: BaseException, exchange: Exchange) -> RunyardError:
    """Log ``error`` with its traceback under the request's id, and return what the client is told: the id alone."""
    request_id = exchange.request_id
    if not exchange.is_error_logged:
        exchange.is_error_logged = True
        path = exchange.raw_path.decode("latin-1")
        logger.error("unexpected error %s in %s %s", request_id, exchange.method, path, exc_info=error)
    return RunyardError(f"internal error {request_id}; the server's log has the details under this id")
