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
STEPS = 10_000
SPOOLED = "runyard, with the spool"
WAYS = (SPOOLED, "runyard", "upstream")

# Run by each client's own interpreter; prints the figures as JSON.
PROGRAM = """
import json, os, resource, sys, time
start = time.perf_counter()
import mlflow
mlflow.log_metric
import_s = time.perf_counter() - start
memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
calls = int(sys.argv[1])
client = mlflow.MlflowClient()
mlflow.set_experiment("client")

def told(key, **options):
    \"\"\"Log points of one metric: the rate of the calls, and the rate until they are all on the server.\"\"\"
    start = time.perf_counter()
    for step in range(calls):
        mlflow.log_metric(key, step * 0.5, step=step, **options)
    called_s = time.perf_counter() - start
    mlflow.flush_async_logging()
    found = len(client.get_metric_history(run.info.run_id, key))
    assert found == calls, found
    return calls / called_s, calls / (time.perf_counter() - start)

with mlflow.start_run() as run:
    mlflow.log_metric("warm", 1.0)
    called, _ = told("called")
    rates = [called, *told("queued", synchronous=False)]
print(json.dumps([import_s, memory_mb, *rates]))
"""

# A training of STEPS steps, without a word and with a metric at each.
TRAINING = """
import json, sys, time
import mlflow, numpy as np
steps = int(sys.argv[1])
mlflow.set_experiment("training")
weights = np.random.default_rng(1).random((160, 160))

def train(log):
    state = weights
    start = time.perf_counter()
    for step in range(steps):
        for _ in range(4):
            state = np.tanh(state @ weights)
        log(step, float(state[0, 0]))
    return time.perf_counter() - start

with mlflow.start_run():
    mlflow.log_metric("warm", 1.0)
    def queued(step, value):
        mlflow.log_metric("loss", value, step=step, synchronous=False)
    found = []
    for _ in range(3):
        silent = train(lambda step, value: None)
        found.append([silent / steps, (train(queued) - silent) / steps])
        mlflow.flush_async_logging()
found.sort(key=lambda each: each[1])
print(json.dumps(found[1]))
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
                ways = WAYS if server == "runyard" else WAYS[1:]
                found = [[_measured(way, process, PROGRAM, CALLS) for way in ways] for _ in range(REPEATS)]
                for way, each in zip(ways, zip(*found, strict=True), strict=True):
                    rows.append((server, way, [statistics.median(figure) for figure in zip(*each, strict=True)]))
                if server == "runyard":
                    trained = {way: _measured(way, process, TRAINING, STEPS) for way in WAYS}
            finally:
                process.kill()
    lines = [
        f"{CALLS} calls of `log_metric` one after another in one run, on a server with SQLite; *queued* is with",
        "`synchronous=False`, *arrived* the same until all of it was read back. Import and memory are of a new",
        f"process; each figure is the median of {REPEATS} processes. With the spool a call returns when the point is",
        "in a file of this machine, and outlives the process.",
        measured_by("python -m benchmarks.python_client"),
        "",
        "| server | client | import (s) | memory (MB) | calls/s | queued/s | arrived/s |",
        "|---|---|---|---|---|---|---|",
    ]
    for server, way, (import_s, memory_mb, waited, queued, arrived) in rows:
        lines.append(
            f"| {server} | {way} | {import_s:.2f} | {memory_mb:.0f} | {waited:,.0f} | {queued:,.0f} | {arrived:,.0f} |"
        )
    lines += [
        "",
        f"What a metric at each of {STEPS:,} steps adds to a step of a training, logged in the background to ours:",
        "",
        "| client | a step without (ms) | added (ms) |",
        "|---|---|---|",
        *(f"| {way} | {step_s * 1000:.2f} | {added_s * 1000:.3f} |" for way, (step_s, added_s) in trained.items()),
    ]
    text = "\n".join(lines)
    print(text)
    put(TITLE, text)


def _measured(way: str, server: ServerProcess, program: str, count: int) -> list[float]:
    client = "mlflow-3" if way == "upstream" else "client"
    told = {**QUIET, "MLFLOW_TRACKING_URI": server.url, "PYTHONPATH": client_path(client), "OMP_NUM_THREADS": "1"}
    if way == SPOOLED:
        told["RUNYARD_SPOOL"] = str(server.log_path.parent / "spool")
    done = subprocess.run(
        [client_python(client), "-W", "ignore", "-c", program, str(count)],
        env=clean_environment(told),
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
