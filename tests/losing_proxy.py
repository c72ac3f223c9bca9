"""A way to a server on which one answer is lost."""

from __future__ import annotations

import contextlib
import socket
import threading


class LosingProxy:
    """Hands each connection to the server and back; the first answer to the making of a run is lost on the way."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.lost = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._target)) as server:
            losing = threading.Event()
            back = threading.Thread(target=self._send_back, args=(server, client, losing), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                while content := client.recv(1 << 16):
                    if b"runs/create" in content and self.lost == 0:
                        self.lost += 1
                        losing.set()
                    server.sendall(content)
            with contextlib.suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            back.join(10)

    def _send_back(self, server: socket.socket, client: socket.socket, losing: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while content := server.recv(1 << 16):
                if losing.is_set():
                    client.shutdown(socket.SHUT_RDWR)
                    return
                client.sendall(content)
