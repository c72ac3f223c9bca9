"""A real nginx in front of servers: its own folder, loopback only, gone when the test is."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.ports import free_port

START_TIMEOUT_S = 20

_CONFIGURATION = """
{user}
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
events {{ worker_connections 512; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  {site}
}}
"""
_SITE = """
  upstream runyard {{
    {servers}
    keepalive 32;
  }}
  server {{
    listen 127.0.0.1:{port};
    {settings}
    location / {{
      proxy_pass http://runyard;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      {location}
    }}
  }}
"""


class Nginx:
    """An nginx that sends what it gets on to servers at the given ports of this machine.

    Args:
        settings: directives of the server block.
        location: directives of the place that is sent on; by default the Host header is handed on as it came.
        site: what stands in the http block instead of all that; it listens at ``port``.
        port: where it listens, a free one by default.
    """

    def __init__(
        self,
        ports: Sequence[int] = (),
        *,
        settings: str = "",
        location: str = "proxy_set_header Host $http_host;",
        site: str | None = None,
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = Path(tempfile.mkdtemp(prefix="runyard-nginx-"))
        configuration = self._folder / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(
                folder=self._folder,
                # Started by root, its workers would be nobody, who may not write here.
                user="user root;" if os.geteuid() == 0 else "",
                site=site
                or _SITE.format(
                    port=self.port,
                    servers="\n    ".join(f"server 127.0.0.1:{each} max_fails=1 fail_timeout=1s;" for each in ports),
                    settings=settings,
                    location=location,
                ),
            )
        )
        program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        assert program is not None, "nginx is missing: make environments installs it"
        self._process = subprocess.Popen([program, "-p", str(self._folder), "-c", str(configuration)])
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(START_TIMEOUT_S)
        print((self._folder / "error.log").read_text(errors="replace")[-4000:])
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise AssertionError("nginx did not start") from None
                time.sleep(0.02)
