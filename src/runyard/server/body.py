"""The body of a request, as it arrives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from runyard.errors import PayloadTooLarge

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]

_MAX_DISCARDED_BYTES: Final = 16 * 1024 * 1024
_MAX_DISCARD_S: Final = 10.0


class Disconnected(Exception):
    """The client hung up before its request was read."""


class Body:
    """What is left of a request's body; itself what ASGI calls ``receive``."""

    __slots__ = ("_has_more", "_receive")

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._has_more = True

    async def __call__(self) -> Message:
        message = await self._receive()
        self._has_more = message["type"] == "http.request" and message.get("more_body", False)
        return message

    async def read(self, limit: int) -> bytes:
        """Return the whole body.

        Raises:
            PayloadTooLarge: it is larger than ``limit`` bytes.
            Disconnected: its end will not come.
        """
        parts: list[bytes] = []
        size = 0
        while self._has_more:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                self._has_more = False
                raise Disconnected
            part: bytes = message.get("body", b"")
            self._has_more = message.get("more_body", False)
            size += len(part)
            if size > limit:
                raise too_large(limit)
            if not self._has_more and not parts:
                return part
            parts.append(part)
        return b"".join(parts)

    async def discard(self) -> None:
        """Read what is left and forget it: a client that is still sending would not see the answer it gets.

        What is too large or too slow for that is left to the client's own error.
        """
        if self._has_more:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._read_on(), _MAX_DISCARD_S)

    async def _read_on(self) -> None:
        left = _MAX_DISCARDED_BYTES
        while self._has_more and left > 0:
            left -= len((await self()).get("body", b""))


def too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the request body is larger than {limit} bytes; send less at a time")
