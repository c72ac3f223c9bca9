"""Ports for the servers that tests start."""

from __future__ import annotations

import os
import random
import socket

# Below the range that the kernel gives to outgoing connections, so that no client of another test can take a port
# between its choice here and the server's start.
FIRST_PORT = 15_000
LAST_PORT = 30_000

_numbers = random.Random(os.getpid())


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens."""
    for _ in range(200):
        port = _numbers.randint(FIRST_PORT, LAST_PORT)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise AssertionError(f"no free port found between {FIRST_PORT} and {LAST_PORT}")
