"""Upstream's clients, each in its own environment, and the server that they are given."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.servers import ServerProcess, clean_environment, start_runyard

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENTS = ROOT / ".venvs"
SESSION_TIMEOUT_S = 300

# Clients try a request again and again when a server fails; here a failure is to be seen at once.
IMPATIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "GIT_PYTHON_REFRESH": "quiet",
    "MPLBACKEND": "Agg",
}


@dataclass(frozen=True)
class CompatServer:
    """A server for the sessions: Runyard, or upstream when the sessions themselves are to be proved."""

    process: ServerProcess
    is_runyard: bool


@pytest.fixture(scope="session")
def compat_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CompatServer]:
    """A server on the database that the test is for; the sessions of one worker share it."""
    folder = tmp_path_factory.mktemp("compat")
    is_runyard = request.config.getoption("compat_server") == "runyard"
    if request.param == "sqlite":
        uri, workers = f"sqlite:///{folder / 'tracking.db'}", 1
    else:
        uri, workers = request.getfixturevalue("postgres_server").create_database(), 2
    process = start_runyard(uri, folder, workers=workers) if is_runyard else start_upstream(uri, folder)
    yield CompatServer(process, is_runyard)
    if is_runyard:
        process.stop()
    else:
        # How upstream ends is not what is tested.
        process.kill()


@pytest.fixture(scope="session")
def upstream_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CompatServer]:
    """A real upstream server, for our client."""
    folder = tmp_path_factory.mktemp("upstream")
    process = start_upstream(f"sqlite:///{folder / 'tracking.db'}", folder)
    yield CompatServer(process, is_runyard=False)
    process.kill()


def run_session(name: str, client: str, server: CompatServer, folder: Path) -> None:
    """Run a session with a client's interpreter; a failure shows what it printed and what the server logged."""
    logged_before = len(server.process.log())
    try:
        done = subprocess.run(
            [client_python(client), "-m", f"tests.compat.sessions.{name}"],
            cwd=folder,
            env=clean_environment(
                {
                    **IMPATIENT,
                    **QUIET,
                    "MLFLOW_TRACKING_URI": server.process.url,
                    "COMPAT_SERVER": "runyard" if server.is_runyard else "upstream",
                    "PYTHONPATH": client_path(client),
                }
            ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SESSION_TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout
        pytest.fail(f"the session did not end in {SESSION_TIMEOUT_S} s:\n{said}", pytrace=False)
    log = server.process.log()[logged_before:]
    if done.returncode != 0:
        pytest.fail(
            f"the session ended with {done.returncode}:\n{done.stdout}\n--- the server's log ---\n{log}", pytrace=False
        )
    if server.is_runyard and "Traceback" in log:
        pytest.fail(f"the session went well, and yet the server logged an error of its own:\n{log}", pytrace=False)


def left_by(module: str, client: str, folder: Path) -> Any:
    """Return what a module of the tests prints last, run with a client's interpreter on a database of its own."""
    folder.mkdir()
    done = subprocess.run(
        [client_python(client), "-m", module],
        cwd=folder,
        env=clean_environment(
            {**QUIET, "MLFLOW_TRACKING_URI": f"sqlite:///{folder}/runs.db", "PYTHONPATH": client_path(client)}
        ),
        capture_output=True,
        text=True,
        timeout=SESSION_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def left_by_both(module: str, folder: Path) -> tuple[Any, Any]:
    """Return what a module of the tests prints with our client, and with upstream's."""
    with ThreadPoolExecutor(2) as pool:
        ours, theirs = pool.map(lambda client: left_by(module, client, folder / client), ("client", "mlflow-3"))
    return ours, theirs


def client_path(client: str) -> str:
    """Return where a client's session finds its modules: ours are the sources, under the name that it imports."""
    folders = [ROOT]
    if client == "client":
        folders += [ROOT / "src", ROOT / "compat" / "src"]
    return os.pathsep.join(map(str, folders))


def client_python(client: str) -> Path:
    """Return the interpreter of a client's environment; without one the test fails."""
    python = ENVIRONMENTS / client / "bin" / "python"
    if not python.exists():
        pytest.fail(f"there is no environment {client!r}: `make environments` makes it", pytrace=False)
    return python


def start_upstream(uri: str, folder: Path, *options: str) -> ServerProcess:
    port = free_port()
    python = client_python("mlflow-3")
    command = [
        *(str(python.with_name("mlflow")), "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--backend-store-uri", uri, "--artifacts-destination", str(folder / "artifacts")),
        *options,
    ]
    # It starts uvicorn by way of PATH.
    added = {"PATH": f"{python.parent}:{clean_environment()['PATH']}", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    return ServerProcess(command, port=port, folder=folder, environment={**QUIET, **added})
