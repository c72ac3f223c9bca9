"""Real server processes for the tests: started on loopback, waited for, stopped by their process id."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.ports import free_port

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30


class ServerProcess:
    """A server that was started and has answered its health check."""

    def __init__(
        self, command: Sequence[str | Path], *, port: int, folder: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start ``command`` in ``folder``, where its log goes too, and wait until it is healthy."""
        self.port = port
        self.url = f"http://127.0.0.1:{port}"
        self.log_path = folder / f"server-{port}.log"
        self.was_ended = False
        self._environment = clean_environment(environment)
        with self.log_path.open("ab") as log:
            # A group of its own, so that its workers can be found when it is gone.
            self.process = subprocess.Popen(
                command,
                cwd=folder,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait_until_healthy()
        except BaseException:
            self.kill()
            raise

    @property
    def pid(self) -> int:
        return self.process.pid

    def pids(self) -> list[int]:
        """Return its process and its workers."""
        listed = subprocess.run(["ps", "-o", "pid=", "-g", str(self.pid)], capture_output=True, text=True, check=False)
        return list(map(int, listed.stdout.split()))

    def log(self) -> str:
        """Return what the server has written so far."""
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End it and its workers at once, as a power cut would."""
        self.was_ended = True
        self._signal_group(signal.SIGKILL)
        self.process.wait(STOP_TIMEOUT_S)

    def terminate(self) -> int:
        """Ask it to stop, wait until it has, and return its exit status."""
        self.was_ended = True
        self.process.terminate()
        try:
            return self.process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server did not stop in {STOP_TIMEOUT_S} s:\n{self.log()}") from None

    def stop(self) -> None:
        """End it as an operator would, and require that it ends well: status 0, and no worker left behind."""
        if self.process.poll() is not None:
            raise AssertionError(f"the server ended by itself with {self.process.returncode}:\n{self.log()}")
        status = self.terminate()
        has_survivors = self._signal_group(0)
        self._signal_group(signal.SIGKILL)
        if status != 0 or has_survivors:
            left = ", and left a worker behind" if has_survivors else ""
            raise AssertionError(f"told to stop, the server ended with {status}{left}:\n{self.log()}")

    def _signal_group(self, number: int) -> bool:
        try:
            os.killpg(self.process.pid, number)
        except ProcessLookupError:
            return False
        return True

    def _wait_until_healthy(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except (OSError, urllib.error.URLError):
                pass
            if self.process.poll() is not None:
                raise AssertionError(f"the server ended with {self.process.returncode} at its start:\n{self.log()}")
            if time.monotonic() > deadline:
                raise AssertionError(f"the server was not healthy after {START_TIMEOUT_S} s:\n{self.log()}")
            time.sleep(0.02)


def start_runyard(
    backend_store_uri: str,
    folder: Path,
    *options: str,
    workers: int = 1,
    environment: Mapping[str, str] | None = None,
    port: int | None = None,
    python: Path | str = sys.executable,
) -> ServerProcess:
    """Start ``runyard server`` on a free port with its artifacts in ``folder``/artifacts."""
    port = port or free_port()
    command = [
        *(python, "-m", "runyard", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", backend_store_uri, "--artifacts-destination", str(folder / "artifacts")),
        *("--workers", str(workers), *options),
    ]
    return ServerProcess(command, port=port, folder=folder, environment=environment)


def clean_environment(added: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this environment without what would configure a server or a client, plus what is added."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "RUNYARD_"))}
    return {**kept, **(added or {})}
