"""The transport to no server at all: the server's own application, called in this process.

The client's only import of the server, and itself imported only where a tracking URI is a database's.
"""

from __future__ import annotations

import re
from typing import Any, TypeVar

import msgspec

from runyard.artifacts.store import open_store
from runyard.client.artifacts import StoredFolder
from runyard.client.codec import API_PATH, content_of, decoded, query_of
from runyard.client.transport import Transport
from runyard.server.inprocess import InProcessServer, open_application
from runyard.settings import Settings, load_settings
from runyard.wire.base import Request, Response

R = TypeVar("R", bound=Response)


class InProcessTransport(Transport):
    """The server's own application on a database, without a socket: for one user who runs no server.

    A server may be running on the same database at the same time.
    """

    def __init__(self, uri: str, artifacts_destination: str | None = None) -> None:
        # Nobody but this process asks, so every name is right.
        self.settings: Settings = load_settings(
            backend_store_uri=uri, artifacts_destination=artifacts_destination, allowed_hosts="*", static_prefix=""
        )
        self._server: InProcessServer | None = open_application(self.settings)
        self.uri = re.sub(r"(://[^:/]*):[^/]*@", r"\1:***@", uri)

    def request(
        self, method: str, path: str, request: Request, response_type: type[R], *, is_idempotent: bool | None = None
    ) -> R:
        return self.call(method, API_PATH + path, content_of(request), response_type)

    def call(self, method: str, path: str, content: dict[str, Any] | None, response_type: type[R]) -> R:
        if self._server is None:
            raise RuntimeError("the transport was closed")
        query, body = (query_of(content or {}), b"") if method == "GET" else (b"", msgspec.json.encode(content or {}))
        status, answer = self._server.call(method, path, query, body)
        return decoded(status, answer, response_type, self.uri)

    def open_proxied(self, path: str) -> StoredFolder:
        # The same files that the server's routes would stream, without a copy of each in memory on the way.
        return StoredFolder(open_store(self.settings.artifacts_destination), path)

    def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
