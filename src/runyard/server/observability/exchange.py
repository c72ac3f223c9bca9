"""What is known of the request that is being answered: for its log lines, its metrics and its trace."""

from __future__ import annotations

import random
import re
import time
from collections.abc import MutableMapping
from contextvars import ContextVar
from typing import Any, Final

from runyard.server.observability.monitoring import UNMATCHED

# Where the client hung up before there was anything to send it (nginx's number for that).
HUNG_UP: Final = 499
# No more than others put into one, and nothing that could be taken for something else in a log.
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9_.:+/=@-]{1,128}")
# Source: W3C Trace Context, section 3.2. Versions after 00 begin in the same way.
_TRACEPARENT: Final = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?"
)


class Exchange:
    """One request and what became of it."""

    __slots__ = (
        "began",
        "client",
        "headers",
        "is_error_logged",
        "method",
        "raw_path",
        "request_id",
        "route",
        "span",
        "span_id",
        "status",
        "trace_id",
    )

    def __init__(self, scope: MutableMapping[str, Any]) -> None:
        self.began = time.perf_counter()
        self.method: str = scope["method"]
        self.raw_path: bytes = scope["raw_path"]
        self.client: tuple[str, int] | None = scope["client"]
        headers: dict[bytes, bytes] = dict(scope["headers"])
        self.headers = headers
        given = headers.get(b"x-request-id")
        if given is not None and _REQUEST_ID.fullmatch(given):
            self.request_id = given.decode()
        else:
            self.request_id = f"{random.getrandbits(64):016x}"
        # Those of the caller, until there is a span of our own.
        self.trace_id = self.span_id = ""
        parent = headers.get(b"traceparent")
        if parent is not None and (found := _TRACEPARENT.fullmatch(parent)) is not None:
            self.trace_id, self.span_id = found[1].decode(), found[2].decode()
        self.route = UNMATCHED
        self.status = HUNG_UP
        self.span: Any = None
        # One failure may be met twice on its way out; it is told once.
        self.is_error_logged = False


current_exchange: ContextVar[Exchange | None] = ContextVar("current_exchange", default=None)
