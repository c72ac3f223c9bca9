"""The servers that are measured: how each is installed, started, watched and stopped."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.ports import free_port

CACHE = Path(os.environ.get("RUNYARD_BENCHMARKS_CACHE", ".cache/benchmarks"))
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 30
# A server is at rest when it needs less than this part of one core for this long.
SETTLED_S = 2.0
SETTLED_CPU = 0.1
CLOCK_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Kind:
    """A server to measure, at the version that its packages pin."""

    name: str
    packages: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    # What SQLAlchemy or the driver of each calls PostgreSQL.
    postgresql_scheme: str = "postgresql"

    def command(self, port: int, database: str, folder: Path, workers: int) -> list[str]:
        database = database.replace("postgresql://", f"{self.postgresql_scheme}://", 1)
        if self.name == "runyard":
            return [
                *(sys.executable, "-m", "runyard", "server", "--port", str(port), "--workers", str(workers)),
                *("--backend-store-uri", database, "--artifacts-destination", str(folder / "artifacts")),
            ]
        programs = (CACHE / self.name / "bin").absolute()
        if self.name == "upstream":
            return [
                *(str(programs / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(port)),
                *("--backend-store-uri", database, "--artifacts-destination", str(folder / "artifacts")),
            ]
        return [
            *(str(programs / "fml"), "server", "--listen-address", f"127.0.0.1:{port}"),
            *(
                "--database-uri",
                database.replace("sqlite:///", "sqlite://"),
                "--default-artifact-root",
                str(folder / "artifacts"),
                "--log-level",
                "warn",
            ),
        ]


KINDS = {
    kind.name: kind
    for kind in (
        Kind("runyard"),
        Kind(
            "upstream",
            ("mlflow==3.17.2", "psycopg2-binary==2.9.11"),
            {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"},
            "postgresql+psycopg2",
        ),
        Kind("fasttrackml", ("fasttrackml==0.6.0",)),
    )
}


def install(kind: Kind) -> None:
    """Make the peer's own environment, once."""
    folder = CACHE / kind.name
    if not kind.packages or (folder / ".ready").exists():
        return
    uv = shutil.which("uv") or ".venvs/uv/bin/uv"
    print(f"installing {', '.join(kind.packages)} …", flush=True)
    subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
    subprocess.run(
        [
            uv,
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            "--python",
            str(folder / "bin" / "python"),
            *kind.packages,
        ],
        check=True,
    )
    (folder / ".ready").touch()


class Server:
    """A server that has answered; `pids` are its processes and theirs."""

    def __init__(self, kind: Kind, database: str, workers: int = 1, port: int | None = None) -> None:
        self.kind = kind
        self.folder = Path(tempfile.mkdtemp(prefix=f"benchmark-{kind.name}-"))
        self.port = port or free_port()
        if _answers(self.port):
            raise SystemExit(f"port {self.port} is taken; stop what uses it")
        started = time.perf_counter()
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                kind.command(self.port, database, self.folder, workers),
                cwd=self.folder,
                env={**os.environ, **kind.environment, **_path_of(kind)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        self.start_seconds = time.perf_counter() - started

    def stop(self) -> None:
        pids = self.pids()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIMEOUT_S)
        # Upstream's job runner starts processes in groups of their own.
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def pids(self) -> list[int]:
        """Return the processes of this server."""
        parents: dict[int, list[int]] = {}
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    parents.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
        found = [self._process.pid]
        for pid in found:
            found.extend(parents.get(pid, ()))
        return found

    def cpu_seconds(self) -> float:
        """Return the processor time, user's and system's, of all its processes so far."""
        total = 0.0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                fields = _stat(pid)
                total += (int(fields[11]) + int(fields[12])) / CLOCK_TICKS
        return total

    def memory_mb(self) -> float:
        """Return the memory of all its processes, shared pages divided among those that share them (PSS), in MB."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                    if line.startswith("Pss:"):
                        total += int(line.split()[1])
        return total / 1000

    def settle(self) -> None:
        """Wait until it has done what it does after its start: workers that still start are no measure of it."""
        deadline = time.monotonic() + START_TIMEOUT_S
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(SETTLED_S)
            now = self.cpu_seconds()
            if now - before < SETTLED_S * SETTLED_CPU:
                return
            before = now

    def _wait(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not _answers(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{self.kind.name} did not start:\n{(self.folder / 'log').read_text()[-3000:]}")
            time.sleep(0.005)


@contextlib.contextmanager
def running(kind: Kind, database: str, workers: int = 1) -> Iterator[Server]:
    server = Server(kind, database, workers)
    try:
        yield server
    finally:
        server.stop()


def _answers(port: int) -> bool:
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/get?experiment_id=0")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError:
        return False
    except OSError:
        return False


def _path_of(kind: Kind) -> dict[str, str]:
    # Upstream finds the program of its web server by PATH.
    return {"PATH": f"{(CACHE / kind.name / 'bin').absolute()}:{os.environ['PATH']}"} if kind.packages else {}


def _stat(pid: int) -> Sequence[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
