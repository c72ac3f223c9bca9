"""Our scoring server beside upstream's, the same models in the same run: ``python -m benchmarks.serving``."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from benchmarks.results import RESULTS, measured_by, put
from benchmarks.servers import CLOCK_TICKS
from runyard.models.flavors import sklearn
from tests.compat.conftest import QUIET, client_python
from tests.ports import free_port
from tests.servers import ServerProcess, clean_environment

TITLE = "The scoring server beside upstream's"
# The one measured, ours without scoring requests together, and the peer.
WAYS = ("runyard", "runyard, one by one", "upstream")
CONNECTIONS = (1, 32)
ROW = [5.1, 3.5, 1.4, 0.2]


@dataclass(frozen=True)
class Load:
    rate: float
    p50_ms: float
    p99_ms: float
    cpu_ms: float


@dataclass(frozen=True)
class Figures:
    start_s: float
    memory_mb: float
    loads: tuple[Load, ...]
    loaded_mb: float


@click.command(help=__doc__)
@click.option("--quick", is_flag=True, help="A smoke run of runyard alone, answers checked.")
@click.option("--seconds", default=6.0, show_default=True, help="How long each load lasts.")
@click.option("--output", type=click.Path(path_type=Path), help="Where the results go (default: RESULTS.md here).")
def main(quick: bool, seconds: float, output: Path | None) -> None:
    ways = WAYS[:1] if quick else WAYS
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        bodies = _save_models(folder)
        found = {
            (model, way): _measured(way, folder / model, body, 0.5 if quick else seconds)
            for model, body in bodies.items()
            for way in ways
        }
    text = _report(found, list(bodies), ways)
    click.echo(text)
    if not quick or output is not None:
        put(TITLE, text, output or RESULTS)


def _save_models(folder: Path) -> dict[str, Any]:
    """Save the models, and return what each is asked."""
    features, kinds = load_iris(return_X_y=True, as_frame=True)
    # The guide's: of arrays, with 100 trees, logged without an example.
    forest = RandomForestClassifier(n_estimators=100, max_depth=10, random_state=42)
    sklearn.save_model(forest.fit(features.to_numpy(), kinds), folder / "forest")
    line = LogisticRegression(max_iter=1000).fit(features, kinds)
    sklearn.save_model(line, folder / "logistic", input_example=features.head(2))
    return {
        "forest": {"inputs": [ROW]},
        "logistic": {"dataframe_split": {"columns": list(features.columns), "data": [ROW]}},
    }


def _measured(way: str, model: Path, body: Any, seconds: float) -> Figures:
    click.echo(f"{model.name}, {way}: starting", err=True)
    began = time.perf_counter()
    with _running(way, model) as server:
        start_s = time.perf_counter() - began
        _check(server, body)
        memory_mb = _memory_mb(server)
        # What is made on first use is made.
        _load(server, body, CONNECTIONS[-1], min(1.0, seconds))
        loads = tuple(_load(server, body, connections, seconds) for connections in CONNECTIONS)
        _check(server, body)
        return Figures(start_s, memory_mb, loads, _memory_mb(server))


@contextlib.contextmanager
def _running(way: str, model: Path) -> Iterator[ServerProcess]:
    port = free_port()
    python = str(client_python("mlflow-3")) if way == "upstream" else sys.executable
    command = [python, "-m", "mlflow" if way == "upstream" else "runyard", "models", "serve", "-m", str(model)]
    if way == "runyard, one by one":
        command += ["--batch-max-size", "1"]
    server = ServerProcess(
        [*command, "-p", str(port), "--env-manager", "local"],
        port=port,
        folder=model.parent,
        # Upstream starts uvicorn by way of PATH.
        environment={**QUIET, "PATH": f"{Path(python).parent}:{clean_environment()['PATH']}"},
    )
    try:
        yield server
    finally:
        server.kill()


def _check(server: ServerProcess, body: Any) -> None:
    request = urllib.request.Request(
        f"{server.url}/invocations", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        found = json.load(answer)
    if found != {"predictions": [0]}:
        raise SystemExit(f"the model answered {found}")


def _load(server: ServerProcess, body: Any, connections: int, seconds: float) -> Load:
    spec = {
        "kind": "invocations",
        "targets": [json.dumps(body)] * connections,
        "port": server.port,
        "seconds": seconds,
    }
    before = _cpu_s(server)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load", json.dumps(spec)], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    if found["errors"]:
        raise SystemExit(f"a request failed: {found['errors'][0]}")
    answered = found["answered"]
    return Load(
        answered / found["elapsed"],
        found["p50_s"] * 1000,
        found["p99_s"] * 1000,
        (_cpu_s(server) - before) / answered * 1000,
    )


def _cpu_s(server: ServerProcess) -> float:
    total = 0
    for pid in server.pids():
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / CLOCK_TICKS


def _memory_mb(server: ServerProcess) -> float:
    """Return the memory of its processes, pages that several share divided among them."""
    total = 0
    for pid in server.pids():
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1000


def _report(found: dict[tuple[str, str], Figures], models: list[str], ways: tuple[str, ...]) -> str:
    how = (
        "One process each, asked for one row at a time; the load is a process of its own on the same cores. *forest* "
        "is the guide's model of iris (100 trees, arrays, no signature), *logistic* a logistic regression with a "
        "signature of four columns. *One by one* is ours with `--batch-max-size 1`. Both log a line per request."
    )
    lines = [measured_by("python -m benchmarks.serving"), "", how]
    for model in models:
        figures = [found[model, way] for way in ways]
        titles = [*ways, *(["times upstream"] if "upstream" in ways else [])]
        lines += ["", f"## {model}", "", f"| | {' | '.join(titles)} |", "|---" * (len(titles) + 1) + "|"]
        rows: list[tuple[str, list[float], bool]] = []
        for place, connections in enumerate(CONNECTIONS):
            plural = "" if connections == 1 else "s"
            loads = [each.loads[place] for each in figures]
            rows += [
                (f"requests/s, {connections} connection{plural}", [each.rate for each in loads], True),
                ("p50 (ms)", [each.p50_ms for each in loads], False),
                ("p99 (ms)", [each.p99_ms for each in loads], False),
                ("server CPU per request (ms)", [each.cpu_ms for each in loads], False),
            ]
        rows += [
            ("start to first answer (s)", [each.start_s for each in figures], False),
            ("memory idle (MB)", [each.memory_mb for each in figures], False),
            ("memory after the loads (MB)", [each.loaded_mb for each in figures], False),
        ]
        for name, values, is_rate in rows:
            cells = [_shown(value) for value in values]
            if "upstream" in ways:
                cells.append(f"{values[0] / values[-1]:.1f}" if is_rate else f"{values[-1] / values[0]:.1f}")
            lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


if __name__ == "__main__":
    main()
