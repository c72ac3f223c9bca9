"""A real PgBouncer for the tests, in transaction mode, before one of the PostgreSQL servers that they start."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.ports import free_port

START_TIMEOUT_S = 30
STOP_TIMEOUT_S = 30


class PgBouncer:
    """A pooler with few server connections, so that clients really share them."""

    def __init__(self, postgres_port: int, *, pool_size: int = 4) -> None:
        program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
        if program is None:
            raise AssertionError("PgBouncer is not installed: `make test` installs it, or `apt-get install pgbouncer`")
        self.port = free_port()
        self._folder = Path(tempfile.mkdtemp(prefix="runyard-pgbouncer-"))
        settings = {
            "listen_addr": "127.0.0.1",
            "listen_port": self.port,
            "unix_socket_dir": "",
            "auth_type": "trust",
            "auth_file": self._folder / "users",
            "pool_mode": "transaction",
            "default_pool_size": pool_size,
            "max_client_conn": 500,
            "server_login_retry": 1,
        }
        (self._folder / "users").write_text('"postgres" ""\n')
        lines = [
            f"* = host=127.0.0.1 port={postgres_port}",
            "[pgbouncer]",
            *(f"{k} = {v}" for k, v in settings.items()),
        ]
        (self._folder / "ini").write_text("\n".join(["[databases]", *lines, ""]))
        account: dict[str, Any] = {}
        # It refuses to run as root.
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            for path in (self._folder, *self._folder.iterdir()):
                os.chown(path, user.pw_uid, user.pw_gid)
            account = {"user": "postgres", "group": "postgres", "extra_groups": []}
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, self._folder / "ini"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, **account
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    told = self.log()
                    self.stop()
                    raise AssertionError(f"PgBouncer did not start:\n{told}") from error
                time.sleep(0.02)
            else:
                return

    def url(self, postgres_url: str) -> str:
        """Return the URI of a database by way of this pooler, given that of the server's own."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{postgres_url.rpartition('/')[2]}"

    def log(self) -> str:
        return (self._folder / "log").read_text(encoding="utf-8", errors="replace")

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(STOP_TIMEOUT_S)
        shutil.rmtree(self._folder, ignore_errors=True)
