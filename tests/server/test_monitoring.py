"""/metrics of a real server: what is counted, by which labels, over all its workers."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.postgres import PostgresServer
from tests.server.http import get, make_run, post, send
from tests.servers import ServerProcess, start_runyard

Start = Callable[..., ServerProcess]
LOG_METRIC = "/api/2.0/mlflow/runs/log-metric"
PROXY = "/api/2.0/mlflow-artifacts/artifacts"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    folder: Path = tmp_path_factory.mktemp("monitoring")
    process = start_runyard(f"sqlite:///{folder / 'runyard.db'}", folder)
    yield process
    process.stop()


class Scrape:
    """What one scrape found."""

    def __init__(self, port: int, path: str = "/metrics", headers: Mapping[str, str] | None = None) -> None:
        self.answer = send(port, "GET", path, headers=headers)
        assert self.answer.status == 200, self.answer.body
        self.samples = [
            sample for family in text_string_to_metric_families(self.answer.body.decode()) for sample in family.samples
        ]

    def sum(self, name: str, **labels: str) -> float:
        """Return the sum of the samples that have these labels, and perhaps others."""
        return sum(
            sample.value for sample in self.samples if sample.name == name and labels.items() <= sample.labels.items()
        )

    def values(self, name: str, label: str) -> set[str]:
        return {sample.labels[label] for sample in self.samples if sample.name == name}


def added(port: int, act: Callable[[], object], name: str, **labels: str) -> float:
    """Return by how much ``act`` raised a sample."""
    before = Scrape(port).sum(name, **labels)
    act()
    return Scrape(port).sum(name, **labels) - before


def log_metric(port: int, run_id: str, step: int = 0) -> int:
    body = {"run_id": run_id, "key": "loss", "value": 1.5, "timestamp": 1, "step": step}
    return post(port, "runs/log-metric", body).status


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/health", "/health", "200"),
        ("GET", "/", "/", "200"),
        ("GET", "/assets/none.js", "/assets/{name}", "404"),
        ("GET", "/api/2.0/mlflow/runs/get?run_id=none", "/api/2.0/mlflow/runs/get", "404"),
        ("GET", "/ajax-api/2.0/mlflow/runs/get?run_id=none", "/ajax-api/2.0/mlflow/runs/get", "404"),
        ("GET", "/api/2.0/mlflow/logged-models/m-1", "/api/2.0/mlflow/logged-models/{model_id}", "404"),
        ("DELETE", "/api/2.0/mlflow/runs/get", "/api/2.0/mlflow/runs/get", "405"),
        ("DELETE", "/health", "/health", "405"),
        ("GET", "/get-artifact?run_id=none&path=a", "/get-artifact", "404"),
        ("GET", f"{PROXY}/no/such/file", f"{PROXY}/{{path}}", "404"),
        ("HEAD", f"{PROXY}/no/such/file", f"{PROXY}/{{path}}", "404"),
        ("GET", "/one/of/a/million", "unmatched", "404"),
        ("LINK", "/api/2.0/mlflow/runs/get", "/api/2.0/mlflow/runs/get", "405"),
        ("POST", "/", "/", "405"),
    ],
)
def test_a_request_is_counted_by_method_route_and_status(
    server: ServerProcess, method: str, path: str, route: str, status: str
) -> None:
    labels = {"method": "unmatched" if method == "LINK" else method, "route": route, "status": status}

    def act() -> None:
        assert send(server.port, method, path).status == int(status)

    assert added(server.port, act, "mlflow_http_requests_total", **labels) == 1
    assert added(server.port, act, "mlflow_http_request_duration_seconds_count", **labels) == 1
    assert added(server.port, act, "mlflow_http_request_duration_seconds_bucket", le="+Inf", **labels) == 1


def test_paths_that_are_nothing_make_no_series_of_their_own(server: ServerProcess) -> None:
    for number in range(20):
        send(server.port, "GET", f"/guess/{number}")
        send(server.port, "GET", f"/api/2.0/mlflow/runs/guess-{number}")
    routes = Scrape(server.port).values("mlflow_http_requests_total", "route")
    assert "unmatched" in routes
    assert not [route for route in routes if "guess" in route]


def test_a_client_that_hangs_up_is_counted_and_not_left_in_flight(server: ServerProcess) -> None:
    import socket

    def act() -> None:
        with socket.create_connection(("127.0.0.1", server.port)) as connection:
            head = f"POST {LOG_METRIC} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            connection.sendall(f"{head}Content-Length: 500\r\n\r\n{{".encode())
        deadline = time.monotonic() + 10
        while Scrape(server.port).sum("runyard_http_requests_in_flight") > 1 and time.monotonic() < deadline:
            time.sleep(0.02)

    assert added(server.port, act, "mlflow_http_requests_total", route=LOG_METRIC, status="499") == 1
    assert Scrape(server.port).sum("runyard_http_requests_in_flight") == 1


def test_bytes_of_artifacts_are_counted_both_ways(server: ServerProcess) -> None:
    content = os.urandom(3_000_000)

    def put() -> None:
        assert send(server.port, "PUT", f"{PROXY}/0/counted.bin", content).status == 200

    def fetch() -> None:
        assert send(server.port, "GET", f"{PROXY}/0/counted.bin").body == content

    name = "runyard_artifact_bytes_total"
    assert added(server.port, put, name, direction="received") == len(content)
    assert added(server.port, fetch, name, direction="sent") == len(content)
    assert added(server.port, lambda: send(server.port, "GET", "/"), name) == 0


def test_the_writers_commits_are_counted_with_their_sizes_and_times(server: ServerProcess) -> None:
    run_id = make_run(server.port)
    before = Scrape(server.port)
    for step in range(5):
        assert log_metric(server.port, run_id, step) == 200
    metrics = [{"key": "m", "value": i, "timestamp": i, "step": i} for i in range(100)]
    assert post(server.port, "runs/log-batch", {"run_id": run_id, "metrics": metrics}).status == 200
    after = Scrape(server.port)

    def grown(name: str) -> float:
        return after.sum(name) - before.sum(name)

    assert grown("runyard_ingest_commit_writes_sum") == 6
    assert grown("runyard_ingest_commit_writes_count") == grown("runyard_ingest_commit_duration_seconds_count") == 6
    assert grown("runyard_ingest_commit_points_sum") == 105
    assert grown("runyard_ingest_commit_duration_seconds_sum") > 0
    assert after.sum("runyard_ingest_queue_writes") == 0


def test_connections_processes_and_the_version_are_told(server: ServerProcess) -> None:
    found = Scrape(server.port)
    assert found.sum("runyard_database_connections") >= 1
    assert found.sum("runyard_database_connections_limit") == 15
    assert found.sum("process_resident_memory_bytes", worker="0") > 10_000_000
    assert found.sum("process_cpu_seconds_total") > 0
    assert found.sum("mlflow_exporter_info") == 1


def test_runs_and_experiments_are_counted_and_what_is_deleted_for_good_too(running_server: Start) -> None:
    server = running_server()
    run_ids = [make_run(server.port) for _ in range(3)]
    post(server.port, "experiments/create", {"name": "second"})
    found = Scrape(server.port)
    assert (found.sum("mlflow_runs_total"), found.sum("mlflow_experiments_total")) == (3, 2)
    post(server.port, "runs/delete", {"run_id": run_ids[0]})
    content = b'{"run_ids": ["%s"]}' % run_ids[0].encode()
    emptied = send(server.port, "POST", "/api/1.0/runyard/trash/empty", content, {"Content-Type": "application/json"})
    assert emptied.status == 200, emptied.body
    time.sleep(1.1)
    found = Scrape(server.port)
    assert found.sum("mlflow_runs_total") == 3
    assert found.sum("runyard_cleanup_deleted_total", kind="runs") == 1
    assert found.sum("runyard_cleanup_deleted_total", kind="experiments") == 0


@pytest.mark.slow
def test_workers_are_counted_together_and_nothing_is_lost_when_one_is_killed(running_server: Start) -> None:
    server = running_server(workers=2)
    run_id = make_run(server.port)
    deadline = time.monotonic() + 30
    while Scrape(server.port).sum("runyard_workers") < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda step: log_metric(server.port, run_id, step), range(120))) == {200}
    # Each on a connection of its own, so that both workers are asked.
    scrapes = [Scrape(server.port) for _ in range(12)]
    assert {scrape.sum("mlflow_http_requests_total", route=LOG_METRIC, status="200") for scrape in scrapes} == {120}
    assert {scrape.sum("runyard_ingest_commit_points_sum") for scrape in scrapes} == {121}
    assert {scrape.sum("runyard_workers") for scrape in scrapes} == {2}
    assert {scrape.sum("mlflow_runs_total") for scrape in scrapes} == {1}

    workers = {path.name for path in Path("/proc").glob("[0-9]*") if parent_of(path) == server.pid}
    assert len(workers) == 2
    os.kill(int(min(workers)), signal.SIGKILL)
    deadline = time.monotonic() + 30
    while (found := Scrape(server.port)).sum("runyard_worker_starts_total") < 3 and time.monotonic() < deadline:
        assert found.sum("mlflow_http_requests_total", route=LOG_METRIC) == 120
        time.sleep(0.1)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda step: log_metric(server.port, run_id, step), range(200, 240))) == {200}
    for _ in range(12):
        found = Scrape(server.port)
        assert found.sum("mlflow_http_requests_total", route=LOG_METRIC, status="200") == 160
        assert found.sum("runyard_http_requests_in_flight") >= 1
        assert found.values("process_start_time_seconds", "worker") == {"0", "1"}


def parent_of(process: Path) -> int:
    try:
        found = re.search(r"^PPid:\s*(\d+)", (process / "status").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0


def test_requests_in_flight_are_seen_while_they_last(server: ServerProcess) -> None:
    import socket

    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(f"PUT {PROXY}/0/slow.bin HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 9\r\n\r\n".encode())
        deadline = time.monotonic() + 10
        while (found := Scrape(server.port).sum("runyard_http_requests_in_flight")) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        assert found == 2


@pytest.mark.postgres
def test_a_database_that_is_away_does_not_keep_a_scrape_waiting(
    running_server: Start, durable_postgres_server: PostgresServer
) -> None:
    server = running_server(durable_postgres_server.create_database())
    make_run(server.port)
    assert Scrape(server.port).sum("mlflow_runs_total") == 1
    durable_postgres_server.kill()
    time.sleep(1.1)
    began = time.monotonic()
    assert Scrape(server.port).sum("mlflow_runs_total") == 1
    assert time.monotonic() - began < 4
    durable_postgres_server.start()
    # The connections of before are broken, and clients told so try again.
    while post(server.port, "runs/create", {"experiment_id": "0"}).status != 200:
        assert time.monotonic() - began < 30
    # PostgreSQL skips up to 32 numbers when it recovers from a crash.
    assert 2 <= Scrape(server.port).sum("mlflow_runs_total") <= 34


def test_scrapes_at_once_all_get_their_answer(server: ServerProcess) -> None:
    found: list[float] = []
    threads = [
        threading.Thread(target=lambda: found.append(Scrape(server.port).sum("mlflow_experiments_total")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert found == [1.0] * 8


def test_the_format_is_the_one_that_the_scraper_prefers(server: ServerProcess) -> None:
    plain = send(server.port, "GET", "/metrics")
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    open_metrics = send(
        server.port, "GET", "/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"}
    )
    assert open_metrics.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert open_metrics.body.endswith(b"# EOF\n")


def test_a_pods_address_is_answered_and_a_foreign_host_is_not(server: ServerProcess) -> None:
    assert send(server.port, "GET", "/metrics", headers={"Host": "10.42.0.17:5000"}).status == 200
    assert send(server.port, "GET", "/metrics", headers={"Host": "evil.example.com"}).status == 403


def test_metrics_are_at_their_path_behind_a_prefix_too(running_server: Start) -> None:
    server = running_server(None, "--static-prefix", "/mlflow")
    get(server.port, "experiments/get", experiment_id="0")
    assert Scrape(server.port, "/mlflow/metrics").sum("mlflow_http_requests_total", status="200") > 0
    assert Scrape(server.port).sum("mlflow_http_requests_total", status="200") > 0


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (("--no-metrics",), 404),
        (("--no-metrics", "--expose-prometheus", "no/such/folder"), 200),
        (("--expose-prometheus", "no/such/folder"), 200),
    ],
)
def test_metrics_can_be_switched_off_and_upstreams_option_switches_them_on(
    running_server: Start, tmp_path: Path, options: tuple[str, ...], status: int
) -> None:
    server = running_server(None, *options)
    assert send(server.port, "GET", "/metrics").status == status
    assert not (tmp_path / "no").exists()
