"""A connection to PostgreSQL that is cut at a chosen moment: when a COMMIT is sent, before its answer comes back."""

from __future__ import annotations

import contextlib
import socket
import threading


class CuttingProxy:
    """Sends on to a port of this machine; while armed, the next COMMIT gets no answer, and its connection is over."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._is_armed = False
        # Whether the COMMIT goes on to the server before the cut.
        self._delivers = True
        self.cuts = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def arm(self, *, delivers: bool) -> None:
        self._delivers = delivers
        self._is_armed = True

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            is_cut = threading.Event()
            threading.Thread(target=self._send_on, args=(client, server, is_cut), daemon=True).start()
            threading.Thread(target=self._send_back, args=(server, client, is_cut), daemon=True).start()

    def _send_on(self, client: socket.socket, server: socket.socket, is_cut: threading.Event) -> None:
        with contextlib.suppress(OSError), server:
            while content := client.recv(65536):
                if self._is_armed and b"COMMIT" in content:
                    self._is_armed = False
                    self.cuts += 1
                    is_cut.set()
                    if self._delivers:
                        server.sendall(content)
                        # The server ends the session in order, after the commit.
                        server.shutdown(socket.SHUT_WR)
                        while server.recv(65536):
                            pass
                    # Closing alone would do nothing while the other thread reads.
                    server.shutdown(socket.SHUT_RDWR)
                    client.close()
                    return
                server.sendall(content)

    def _send_back(self, server: socket.socket, client: socket.socket, is_cut: threading.Event) -> None:
        with contextlib.suppress(OSError), client:
            while not is_cut.is_set() and (content := server.recv(65536)):
                if not is_cut.is_set():
                    client.sendall(content)
