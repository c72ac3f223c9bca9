"""A way to a server on which connections break off in the middle of what they carry."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from typing import Final

_BLOCK_BYTES: Final = 65536


class BreakingProxy:
    """Hands connections to a port of this machine, and breaks as many of them as it is told to.

    Args:
        after_bytes: how much a connection carries, one way, before it breaks.
        breaks: how many break.
    """

    def __init__(self, port: int, *, after_bytes: int, breaks: int) -> None:
        self._target = port
        self._after_bytes = after_bytes
        self._lock = threading.Lock()
        self.left = breaks
        # What was carried to the server, and back from it.
        self.sent_bytes = self.received_bytes = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        # Wakes the thread that waits for the next connection.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                for source, target, counter in ((client, server, "sent_bytes"), (server, client, "received_bytes")):
                    threading.Thread(target=self._carry, args=(source, target, counter, client), daemon=True).start()

    def _carry(self, source: socket.socket, target: socket.socket, counter: str, client: socket.socket) -> None:
        carried = 0
        with contextlib.suppress(OSError):
            while content := source.recv(_BLOCK_BYTES):
                target.sendall(content)
                carried += len(content)
                with self._lock:
                    setattr(self, counter, getattr(self, counter) + len(content))
                    is_over = carried >= self._after_bytes and self.left > 0
                    self.left -= is_over
                if is_over:
                    # A reset, as by a firewall that forgot the connection.
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
