"""The server without a socket: the same application, called in the process of its only client."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import MutableMapping
from typing import Any

from runyard.server.app import Application
from runyard.server.opening import opened_services
from runyard.settings import Settings


class InProcessServer:
    """An application on an event loop in a thread of its own; its methods may be called from any other thread."""

    def __init__(self, settings: Settings) -> None:
        self._stack = contextlib.ExitStack()
        services = self._stack.enter_context(opened_services(settings))
        self._application = Application(services)
        self._stack.callback(self._application.close)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="runyard-inprocess", daemon=True)
        self._thread.start()

    def call(self, method: str, path: str, query: bytes = b"", body: bytes = b"") -> tuple[int, bytes]:
        """Return the status and the body of the answer."""
        return asyncio.run_coroutine_threadsafe(self._call(method, path, query, body), self._loop).result()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._stack.close()

    async def _call(self, method: str, path: str, query: bytes, body: bytes) -> tuple[int, bytes]:
        status = 500
        parts: list[bytes] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                parts.append(message.get("body", b""))

        scope: MutableMapping[str, Any] = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query,
            "headers": [
                (b"host", b"localhost"),
                (b"content-type", b"application/json"),
                (b"content-length", b"%d" % len(body)),
            ],
            "client": None,
            "server": ("localhost", 80),
            "extensions": {},
        }
        await self._application(scope, receive, send)
        return status, b"".join(parts)


def open_application(settings: Settings) -> InProcessServer:
    return InProcessServer(settings)
