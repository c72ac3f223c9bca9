"""Our Python client beside upstream's, on our server and on upstream's: ``python -m benchmarks.python_client``."""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.results import measured_by, put
from tests.compat.conftest import QUIET, client_path, client_python, start_upstream
from tests.servers import ServerProcess, clean_environment, start_runyard

TITLE = "The Python client beside upstream's"
TIMEOUT_S = 300
CALLS = 1000
REPEATS = 3
CLIENTS = ("client", "mlflow-3")

# Run by each client's own interpreter; prints the figures as JSON.
PROGRAM = """
import json, resource, sys, time
start = time.perf_counter()
import mlflow
mlflow.log_metric
import_s = time.perf_counter() - start
memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
calls = int(sys.argv[1])
mlflow.set_experiment("client")
with mlflow.start_run() as run:
    mlflow.log_metric("warm", 1.0)
    start = time.perf_counter()
    for step in range(calls):
        mlflow.log_metric("waited", step * 0.5, step=step)
    waited_s = time.perf_counter() - start
    start = time.perf_counter()
    for step in range(calls):
        mlflow.log_metric("queued", step * 0.5, step=step, synchronous=False)
    queued_s = time.perf_counter() - start
    mlflow.flush_async_logging()
    flushed_s = time.perf_counter() - start
found = len(mlflow.MlflowClient().get_metric_history(run.info.run_id, "queued"))
assert found == calls, found
print(json.dumps([import_s, memory_mb, calls / waited_s, calls / queued_s, calls / flushed_s]))
"""


def main() -> None:
    rows: list[tuple[str, str, list[float]]] = []
    for server in ("runyard", "upstream"):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            uri = f"sqlite:///{folder / 'tracking.db'}"
            process = start_runyard(uri, folder, workers=1) if server == "runyard" else start_upstream(uri, folder)
            try:
                # In turns, so that what else the machine does meets both.
                found = [[_measured(client, process) for client in CLIENTS] for _ in range(REPEATS)]
                for client, each in zip(CLIENTS, zip(*found, strict=True), strict=True):
                    rows.append((server, client, [statistics.median(figure) for figure in zip(*each, strict=True)]))
            finally:
                process.kill()
    lines = [
        f"{CALLS} calls of `log_metric` one after another in one run, on a server with SQLite; *queued* is with",
        "`synchronous=False`, *flushed* the same until all has arrived. Import and memory are of a new process;",
        f"each figure is the median of {REPEATS} processes.",
        measured_by("python -m benchmarks.python_client"),
        "",
        "| server | client | import (s) | memory (MB) | calls/s | queued/s | flushed/s |",
        "|---|---|---|---|---|---|---|",
    ]
    for server, client, (import_s, memory_mb, waited, queued, flushed) in rows:
        name = "runyard" if client == "client" else "upstream"
        lines.append(
            f"| {server} | {name} | {import_s:.2f} | {memory_mb:.0f} | {waited:,.0f} | {queued:,.0f} | {flushed:,.0f} |"
        )
    text = "\n".join(lines)
    print(text)
    put(TITLE, text)


def _measured(client: str, server: ServerProcess) -> list[float]:
    done = subprocess.run(
        [client_python(client), "-W", "ignore", "-c", PROGRAM, str(CALLS)],
        env=clean_environment({**QUIET, "MLFLOW_TRACKING_URI": server.url, "PYTHONPATH": client_path(client)}),
        cwd=server.log_path.parent,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    figures: list[float] = json.loads(done.stdout.splitlines()[-1])
    return figures


if __name__ == "__main__":
    main()
