"""What is measured: one function a row, each checking the content of what it was answered."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.client import Client, NotOffered, seed_history, seed_runs, token_in
from benchmarks.servers import Server

PAGE = 1000
# Stands for a row of an endpoint that a peer does not have.
NOT_OFFERED = "none"
# How long a load may last at most; it ends by itself long before.
LOAD_TIMEOUT_S = 120


@dataclass(frozen=True)
class Scale:
    """How much of everything."""

    seconds: float = 6.0
    runs: int = 5000
    points: int = 100_000
    repeats: int = 9


@dataclass
class Figures:
    """The figures of one server, by the names of rows; a text stands for a row that failed, and says why."""

    values: dict[str, float | str] = field(default_factory=dict)


@dataclass
class Context:
    server: Server
    scale: Scale
    experiment_id: str = ""
    long_run: str = ""

    @property
    def client(self) -> Client:
        return Client(self.server.port)


def log_metrics(context: Context, connections: int) -> dict[str, float]:
    """One point a request; afterwards every acknowledged point must be there."""
    client = context.client
    runs = [client.make_run("0") for _ in range(connections)]
    before = context.server.cpu_seconds()
    found = _load(context, "metrics", runs)
    cpu = context.server.cpu_seconds() - before
    answered = found["answered"]
    stored = sum(len(client.history(run_id, "loss")) for run_id in runs)
    _require(stored == answered, f"{answered} points were acknowledged, {stored} are stored")
    return {
        "rate": answered / found["elapsed"],
        "p50_ms": found["p50_s"] * 1e3,
        "cpu_ms": cpu / answered * 1e3,
    }


def log_batches(context: Context, connections: int) -> float:
    """1,000 points a request; afterwards every acknowledged point must be there."""
    client = context.client
    runs = [client.make_run("0") for _ in range(connections)]
    found = _load(context, "batches", runs)
    answered = found["answered"] * 1000
    stored = sum(len(client.history(run_id, "m3")) for run_id in runs) * 10
    _require(stored == answered, f"{answered} points were acknowledged, {stored} are stored")
    return answered / float(found["elapsed"])


def lifecycles(context: Context) -> float:
    """Runs created, logged to and finished, on 8 connections."""
    experiment_id = context.client.post("experiments/create", {"name": f"lifecycles {time.time_ns()}"})["experiment_id"]
    found = _load(context, "lifecycles", [experiment_id] * 8)
    return float(found["answered"]) / 3 / float(found["elapsed"])


def page_by_metric(context: Context) -> float:
    client = context.client
    expected = min(PAGE, context.scale.runs)

    def page() -> None:
        runs = _search(client, context)["runs"]
        values = [_metric(run, "metric_3") for run in runs]
        _require(len(runs) == expected and values == sorted(values, reverse=True), "a page is not in order")
        _require(len(runs[0]["data"]["params"]) == 20 and len(runs[0]["data"]["metrics"]) == 20, "a run is not whole")

    return _median_ms(context, lambda: _search_raw(client, context), check=page)


def first_page(context: Context) -> float:
    """The same page, the first time that anything of these runs is asked for: what a server remembers is no help."""
    start = time.perf_counter()
    _search_raw(context.client, context)
    return (time.perf_counter() - start) * 1e3


def all_pages(context: Context) -> float:
    client = context.client

    def read() -> None:
        seen: set[str] = set()
        total = 0
        token = None
        while True:
            page = _search(client, context, page_token=token)
            runs = page.get("runs", [])
            total += len(runs)
            seen.update(run["info"]["run_id"] for run in runs)
            token = page.get("next_page_token")
            if not token:
                break
        _require(total == len(seen) == context.scale.runs, f"{total} runs came, {len(seen)} of them different")

    # Reading the JSON takes the client as long as some servers take to make it; only the answers are timed.
    return _median_ms(context, lambda: _read_pages(client, context), check=read, repeats=3)


def filtered(context: Context) -> float:
    """Two clauses, which 2 % of the runs meet."""
    client = context.client
    # metric_1 is even, so two runs in a hundred are above 0.8 and have the param's value.
    body = {"filter": "metrics.metric_1 > 0.8 and params.param_2 = '3'", "order_by": [], "max_results": 100}

    def check() -> None:
        runs = _search(client, context, **body)["runs"]
        _require(0 < len(runs) <= 100, f"the filter found {len(runs)} runs")
        for run in runs:
            _require(_metric(run, "metric_1") > 0.8, "a run does not meet the filter")

    return _median_ms(context, lambda: _search_raw(client, context, **body), check=check)


def history(context: Context) -> float:
    client = context.client

    def check() -> None:
        points = client.history(context.long_run, "long")
        _require(len(points) == context.scale.points, f"{len(points)} points came")
        _require({point["step"] for point in points} == set(range(context.scale.points)), "points are missing")

    def read() -> None:
        for _ in client.history_pages(context.long_run, "long"):
            pass

    return _median_ms(context, read, check=check, repeats=5)


def interval(context: Context) -> float:
    client = context.client
    query = {
        "run_ids": context.long_run,
        "metric_key": "long",
        "start_step": 0,
        "end_step": context.scale.points - 1,
        "max_results": 1000,
    }

    def read() -> bytes:
        return client.get_raw("metrics/get-history-bulk-interval", **query)

    def check() -> None:
        points = json.loads(read())["metrics"]
        # Upstream adds points that must not be missed to those that it samples.
        _require(0.2 * 1000 <= len(points) <= 1100, f"{len(points)} points came")

    return _median_ms(context, read, check=check)


def search_under_load(context: Context) -> dict[str, float]:
    """The page of 1,000 runs while 16 connections log, and how long those wait at worst."""
    client = context.client
    runs = [client.make_run("0") for _ in range(16)]
    load = _start_load(context, "metrics", runs)
    time.sleep(0.5)
    end = time.monotonic() + max(context.scale.seconds - 1.5, 0.5)
    waits: list[float] = []
    while time.monotonic() < end or not waits:
        start = time.perf_counter()
        _search_raw(client, context)
        waits.append(time.perf_counter() - start)
    found = _loaded(load)
    return {"search_ms": statistics.median(waits) * 1e3, "p99_ms": found["p99_s"] * 1e3}


def measure(server: Server, scale: Scale, rows: Sequence[str], tell: Callable[[str], None]) -> Figures:
    """Measure the rows that were asked for; one that fails is told with its reason and the others go on."""
    figures = Figures()
    context = Context(server, scale)

    def row(names: dict[str, str], function: Callable[[], float | dict[str, float]], group: str) -> None:
        if group not in rows:
            return
        tell(next(iter(names.values())))
        try:
            found = function()
            for name, title in names.items():
                figures.values[title] = found[name] if isinstance(found, dict) else found
        except NotOffered:
            figures.values.update(dict.fromkeys(names.values(), NOT_OFFERED))
        except Exception as error:  # noqa: BLE001 - a peer may fail in any way; the others are measured all the same
            for title in names.values():
                figures.values[title] = f"failed: {type(error).__name__}: {str(error)[:200]}"

    server.settle()
    if "idle" in rows:
        figures.values["cold start, empty database (s)"] = server.start_seconds
        figures.values["memory idle (MB)"] = server.memory_mb()
        figures.values["processes"] = len(server.pids())
    row(
        {"rate": "log-metric/s, 16 connections", "cpu_ms": "server CPU per log-metric (ms)"},
        lambda: log_metrics(context, 16),
        "log-metric",
    )
    row({"p50_ms": "log-metric p50, 1 connection (ms)"}, lambda: log_metrics(context, 1), "log-metric")
    row({"": "metrics/s in batches of 1,000, 1 connection"}, lambda: log_batches(context, 1), "batches")
    row({"": "metrics/s in batches of 1,000, 8 connections"}, lambda: log_batches(context, 8), "batches")
    row({"": "run lifecycles/s, 8 connections"}, lambda: lifecycles(context), "lifecycles")
    if {"search", "mixed"} & set(rows):
        tell(f"seeding {scale.runs} runs")
        context.experiment_id = seed_runs(server.port, scale.runs)
    row({"": "page of 1,000 runs by a metric, first asked (ms)"}, lambda: first_page(context), "search")
    row({"": "page of 1,000 runs by a metric, p50 (ms)"}, lambda: page_by_metric(context), "search")
    row({"": "all pages of those runs (ms)"}, lambda: all_pages(context), "search")
    row({"": "filter on metric and param, p50 (ms)"}, lambda: filtered(context), "search")
    row(
        {"search_ms": "search p50 while 16 connections log (ms)", "p99_ms": "their p99 meanwhile (ms)"},
        lambda: search_under_load(context),
        "mixed",
    )
    if "history" in rows:
        tell(f"seeding a history of {scale.points} points")
        context.long_run = seed_history(server.port, scale.points)
    row({"": "history of 100,000 points (ms)"}, lambda: history(context), "history")
    row({"": "bulk interval of it to 1,000 (ms)"}, lambda: interval(context), "history")
    return figures


GROUPS = ("idle", "log-metric", "batches", "lifecycles", "search", "mixed", "history")


def shown(value: float | str) -> str:
    """Return a figure as a table has it."""
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _start_load(context: Context, kind: str, targets: Sequence[str]) -> subprocess.Popen[str]:
    spec = {"port": context.server.port, "seconds": context.scale.seconds, "kind": kind, "targets": list(targets)}
    return subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load", json.dumps(spec)], stdout=subprocess.PIPE, text=True
    )


def _loaded(load: subprocess.Popen[str]) -> Any:
    output, _ = load.communicate(timeout=LOAD_TIMEOUT_S)
    found = json.loads(output)
    _require(not found["errors"], f"there were errors, the first: {found['errors'][:1]}")
    _require(found["answered"] > 0, "nothing was answered")
    return found


def _load(context: Context, kind: str, targets: Sequence[str]) -> Any:
    return _loaded(_start_load(context, kind, targets))


def _search_body(context: Context, **body: Any) -> dict[str, Any]:
    return {
        "experiment_ids": [context.experiment_id],
        "order_by": ["metrics.metric_3 DESC"],
        "max_results": PAGE,
        **{name: value for name, value in body.items() if value is not None},
    }


def _search(client: Client, context: Context, **body: Any) -> Any:
    return client.post("runs/search", _search_body(context, **body))


def _search_raw(client: Client, context: Context, **body: Any) -> bytes:
    return client.post_raw("runs/search", _search_body(context, **body))


def _read_pages(client: Client, context: Context) -> None:
    token = None
    while True:
        content = _search_raw(client, context, page_token=token)
        token = token_in(content)
        if not token:
            return


def _metric(run: Any, key: str) -> float:
    return next(float(metric["value"]) for metric in run["data"]["metrics"] if metric["key"] == key)


def _median_ms(
    context: Context, function: Callable[[], object], *, check: Callable[[], None], repeats: int = 0
) -> float:
    check()
    times = []
    for _ in range(repeats or context.scale.repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times) * 1e3


def _require(condition: bool, otherwise: str) -> None:
    if not condition:
        raise AssertionError(otherwise)
