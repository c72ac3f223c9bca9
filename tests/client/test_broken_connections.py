"""Connections that end in the middle: nothing is done twice that may not be, and no half of a file is left."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from runyard.client import tracking
from runyard.client.http import HttpTransport
from runyard.errors import Unavailable
from runyard.settings import ClientSettings


class Dropping:
    """A server that reads a request's head, sends what it was given and closes the connection."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heads: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        # Wakes the thread that waits for the next connection.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                received = b""
                while b"\r\n\r\n" not in received:
                    received += connection.recv(65_536)
                self.heads.append(received.partition(b"\r\n")[0])
                connection.sendall(self.answer)
                # All of the answer arrives before the end does.
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65_536):
                    pass


@contextlib.contextmanager
def dropping(answer: bytes = b"") -> Iterator[tuple[Dropping, HttpTransport]]:
    with (
        contextlib.closing(Dropping(answer)) as server,
        contextlib.closing(HttpTransport(server.url, ClientSettings(max_retries=1))) as transport,
    ):
        yield server, transport


def test_a_post_that_may_have_arrived_is_not_sent_again() -> None:
    with dropping() as (server, transport):
        with pytest.raises(Unavailable, match=server.url):
            tracking.create_run(transport, "0", start_time=1)
        assert server.heads == [b"POST /api/2.0/mlflow/runs/create HTTP/1.1"]


def test_what_may_be_done_twice_is_sent_again() -> None:
    with dropping() as (server, transport):
        with pytest.raises(Unavailable, match=server.url):
            list(tracking.search_runs(transport, ["0"]))
        assert server.heads == [b"POST /api/2.0/mlflow/runs/search HTTP/1.1"] * 2


def test_a_download_that_is_cut_short_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    target = tmp_path / "model.bin"
    target.write_bytes(b"the last good one")
    half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf"
    with dropping(half) as (_, transport), pytest.raises(Unavailable, match=r"'model\.bin'.*cut short"):
        transport.open_proxied("run").download("model.bin", target, lambda _: None)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"model.bin": b"the last good one"}
