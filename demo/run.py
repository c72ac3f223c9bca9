"""The demonstration: a server on SQLite and a local folder, and a program written for MLflow that uses it.

`make demo` runs it with Runyard's own client, `make demo-mlflow` with a stock one. What the server keeps is in
demo-data/, so a second start finds everything again.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 30


def main() -> None:
    options = _options()
    # Ctrl-C and an operator's stop are one: what was started here is taken down.
    signal.signal(signal.SIGTERM, _interrupt)
    url = f"http://127.0.0.1:{options.port}"
    try:
        with _server(options.port, options.data) as server:
            _wait_until_ready(server, url, options.data)
            print(f"Runyard serves at {url}, and keeps what it is given in {options.data}.")
            _train(options.client_python, url)
            if options.once:
                return
            print(f"\nThe server stays up at {url}. Ctrl-C stops it; `make demo` starts it again with all it has.")
            server.wait()
            sys.exit(f"the server ended by itself with {server.returncode}; its log is {options.data / 'server.log'}")
    except KeyboardInterrupt:
        print("\nStopped. `make demo` starts it again with all it has.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Show what Runyard does, with a program written for MLflow.")
    parser.add_argument(
        "--client-python",
        type=Path,
        required=True,
        help="interpreter of an environment with runyard-mlflow, or with mlflow",
    )
    parser.add_argument("--port", type=int, default=5000, help="port to serve at (default: 5000)")
    parser.add_argument(
        "--data", type=Path, default=HERE.parent / "demo-data", help="folder for the database and the artifacts"
    )
    parser.add_argument("--once", action="store_true", help="stop when the client is done, instead of staying up")
    options = parser.parse_args()
    # Absolute, but not resolved: an environment's interpreter is a link, and is told by its name which it is.
    options.client_python = options.client_python.absolute()
    options.data = options.data.absolute()
    return options


@contextlib.contextmanager
def _server(port: int, data: Path) -> Iterator[subprocess.Popen[bytes]]:
    data.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "runyard", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", f"sqlite:///{data / 'runyard.db'}"),
        *("--artifacts-destination", str(data / "artifacts")),
    ]
    with (data / "server.log").open("wb") as log:
        # A group of its own: Ctrl-C reaches this program, which then stops the server when the client is gone.
        server = subprocess.Popen(
            command, env=_environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield server
    finally:
        if server.poll() is None:
            server.terminate()
            server.wait(STOP_TIMEOUT_S)


def _wait_until_ready(server: subprocess.Popen[bytes], url: str, data: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            sys.exit(f"the server could not start:\n{(data / 'server.log').read_text(errors='replace')}")
        with contextlib.suppress(urllib.error.URLError, OSError), urllib.request.urlopen(f"{url}/readyz", timeout=5):
            return
        time.sleep(0.05)
    sys.exit(f"the server was not ready after {START_TIMEOUT_S} s")


def _train(client_python: Path, url: str) -> None:
    try:
        subprocess.run(
            [client_python, HERE / "train.py"],
            env=_environment(
                MLFLOW_TRACKING_URI=url,
                MLFLOW_DISABLE_TELEMETRY="true",
                MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
                GIT_PYTHON_REFRESH="quiet",
            ),
            check=True,
        )
    except subprocess.CalledProcessError as error:
        sys.exit(f"the client failed with {error.returncode}; what it said is above")


def _environment(**added: str) -> dict[str, str]:
    """Return this environment without what would configure a server or a client, plus what is added."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "RUNYARD_"))}
    return {**kept, **added}


def _interrupt(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
