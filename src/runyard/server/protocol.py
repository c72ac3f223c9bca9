"""HTTP as uvicorn speaks it, with bounds on what a client may send and how long it may take.

uvicorn takes a request's head however long it is and however slowly it comes, and waits for ever for a client that
neither sends the rest nor reads the answer. Here such a client is told, where it listens, and hung up on.
"""

from __future__ import annotations

import asyncio
import logging
from http import HTTPStatus
from typing import Any, Final

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

logger = logging.getLogger(__name__)

# From a request's first byte, or for the first of a connection from its being made, to the end of its head.
HEAD_TIMEOUT_S: Final = 30.0
# How long a connection that was made just before the end has for its request.
NEWCOMER_S: Final = 0.5


class _Refused(Exception):
    pass


class BoundedProtocol(HttpToolsProtocol):
    """One connection.

    `is_overdue` is asked of every connection about once a second; there is no timer for each, since a timer a request
    would cost more than the rest of this.
    """

    # Set by `bounded_protocol`.
    max_head_bytes: int
    client_timeout_s: float

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._heard = self.loop.time()
        # When the head that is still coming began; None while none is.
        self._head_began: float | None = self._heard
        self._head_bytes = 0
        # How much the client has left unread, and since when it was that much.
        self._unsent: tuple[int, float] | None = None
        self.url = b""

    def data_received(self, data: bytes) -> None:
        self._heard = self.loop.time()
        began = self._head_began
        super().data_received(data)
        # Of a head that began in this piece, behind the end of another request, it is not known how much there is.
        if began is not None and self._head_began == began:
            self._head_bytes += len(data)
            if self._head_bytes > self.max_head_bytes and not self.transport.is_closing():
                self._refuse_head()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        if self._head_began is None:
            self._head_began = self._heard

    def on_headers_complete(self) -> None:
        self._head_began = None
        self._head_bytes = 0
        size = len(self.url)
        for name, value in self.headers:
            size += len(name) + len(value)
        if size > self.max_head_bytes:
            self._refuse_head()
            raise _Refused
        super().on_headers_complete()

    def is_overdue(self, now: float) -> bool:
        """Return whether the client has kept this connection waiting too long; `hang_up` is what to do then."""
        if self.transport.is_closing():
            return False
        if self._head_began is not None:
            return now - self._head_began > min(HEAD_TIMEOUT_S, self.client_timeout_s)
        if self._is_idle:
            return False
        if self.flow.write_paused:
            # What the client has not read yet; as long as it becomes less, it reads.
            left = self.transport.get_write_buffer_size()
            if self._unsent is None or left != self._unsent[0]:
                self._unsent = (left, now)
            return now - self._unsent[1] > self.client_timeout_s
        self._unsent = None
        # With a body to come, and read as far as it has come.
        return self.cycle.more_body and not self.flow.read_paused and now - self._heard > self.client_timeout_s

    def hang_up(self) -> None:
        """Give the client up; what its request had begun learns that it is gone."""
        if self.flow.write_paused:
            self.transport.abort()
        elif self.headers is None and self._head_bytes == 0:
            # It never began to ask: there is nothing to answer.
            self.transport.close()
        else:
            self._refuse(408, "REQUEST_TIMEOUT", "the rest of the request did not come in time")

    def shutdown(self) -> None:
        """Close when what is asked is answered; a connection that has just been made may still ask."""
        if self.cycle is None:
            self.loop.call_later(NEWCOMER_S, super().shutdown)
        else:
            super().shutdown()

    @property
    def _is_idle(self) -> bool:
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP: uvicorn's name for it."""
        if not self.transport.is_closing():
            self._refuse(400, "BAD_REQUEST", msg)

    def _refuse_head(self) -> None:
        if not self._is_idle:
            # It would be taken for the answer to the request before it.
            self.transport.close()
            return
        is_url = len(self.url) > self.max_head_bytes // 2
        self._refuse(
            414 if is_url else 431,
            "BAD_REQUEST",
            f"the request's {'address is' if is_url else 'headers are'} too long: "
            f"with its address they may have {self.max_head_bytes} bytes",
        )

    def _refuse(self, status: int, code: str, message: str) -> None:
        if self._is_idle or not self.cycle.response_started:
            body = msgspec.json.encode({"error_code": code, "message": message})
            self.transport.write(
                b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
                % (status, HTTPStatus(status).phrase.encode(), len(body), body)
            )
        self.transport.close()


def bounded_protocol(*, max_head_bytes: int, client_timeout_s: float) -> type[asyncio.Protocol]:
    """Return the class of connections with these bounds, as uvicorn wants it."""
    bounds = {"max_head_bytes": max_head_bytes, "client_timeout_s": client_timeout_s}
    return type("Connection", (BoundedProtocol,), bounds)


def hang_up_overdue(connections: Any, now: float) -> None:
    """Hang up on every client among ``connections`` that has kept its connection waiting too long."""
    for connection in list(connections):
        if connection.is_overdue(now):
            logger.info("hung up on %s: too slow", connection.client)
            connection.hang_up()
