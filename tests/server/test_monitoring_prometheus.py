"""/metrics in the hands of the real Prometheus: its linter, and its server that scrapes ours."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.ports import free_port
from tests.server.http import make_run, post, send
from tests.servers import ServerProcess

Start = Callable[..., ServerProcess]

pytestmark = pytest.mark.prometheus

TIMEOUT_S = 60
LOG_METRIC = "/api/2.0/mlflow/runs/log-metric"


class Prometheus:
    """A Prometheus server that scrapes one port every second."""

    def __init__(self, port: int) -> None:
        self._port = port

    def query(self, expression: str) -> dict[str, float]:
        """Return the values that an expression has now, by the labels that are left, as JSON."""
        answer = send(self._port, "GET", f"/api/v1/query?{urlencode({'query': expression})}")
        assert answer.status == 200, answer.body
        return {
            json.dumps(result["metric"], sort_keys=True): float(result["value"][1])
            for result in answer.json["data"]["result"]
        }

    def wait_for(self, expression: str, expected: dict[str, float]) -> None:
        deadline = time.monotonic() + TIMEOUT_S
        while (found := self.query(expression)) != expected:
            assert time.monotonic() < deadline, f"{expression} is {found}, and not {expected}"
            time.sleep(0.2)

    def targets(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = send(self._port, "GET", "/api/v1/targets").json["data"]["activeTargets"]
        return found


@contextmanager
def scraping(target_port: int, folder: Path) -> Iterator[Prometheus]:
    port = free_port()
    config = {
        "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
        "scrape_configs": [{"job_name": "runyard", "static_configs": [{"targets": [f"127.0.0.1:{target_port}"]}]}],
    }
    # JSON is YAML.
    (folder / "prometheus.yml").write_text(json.dumps(config))
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *("prometheus", f"--config.file={folder / 'prometheus.yml'}"),
                *(f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + TIMEOUT_S
        while True:
            try:
                if send(port, "GET", "/-/ready").status == 200:
                    break
            except OSError:
                pass
            assert process.poll() is None, (folder / "prometheus.log").read_text()
            assert time.monotonic() < deadline, (folder / "prometheus.log").read_text()
            time.sleep(0.1)
        yield Prometheus(port)
    finally:
        process.terminate()
        process.wait(TIMEOUT_S)


def test_promtool_has_nothing_to_say_about_the_metrics(running_server: Start) -> None:
    server = running_server()
    run_id = make_run(server.port)
    body = {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1, "step": 1}
    assert post(server.port, "runs/log-metric", body).status == 200
    send(server.port, "GET", "/nothing")
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=send(server.port, "GET", "/metrics").body,
        capture_output=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


@pytest.mark.slow
def test_prometheus_scrapes_two_workers_and_answers_what_dashboards_ask(running_server: Start, tmp_path: Path) -> None:
    server = running_server(workers=2)
    run_id = make_run(server.port)

    def log(step: int) -> int:
        body = {"run_id": run_id, "key": "m", "value": 1, "timestamp": 1, "step": step}
        return post(server.port, "runs/log-metric", body).status

    with scraping(server.port, tmp_path) as prometheus:
        prometheus.wait_for(
            "up", {json.dumps({"__name__": "up", "instance": f"127.0.0.1:{server.port}", "job": "runyard"}): 1}
        )
        with ThreadPoolExecutor(4) as pool:
            assert set(pool.map(log, range(100))) == {200}
        by_route = f'sum by (method, route, status) (mlflow_http_requests_total{{route="{LOG_METRIC}"}})'
        prometheus.wait_for(by_route, {json.dumps({"method": "POST", "route": LOG_METRIC, "status": "200"}): 100})
        prometheus.wait_for("max(mlflow_runs_total)", {"{}": 1})
        prometheus.wait_for("max(mlflow_experiments_total)", {"{}": 1})
        prometheus.wait_for("sum(runyard_workers)", {"{}": 2})
        prometheus.wait_for("count(process_resident_memory_bytes)", {"{}": 2})
        # Each metric's type arrived with it, so that functions for counters and histograms make sense.
        quantile = prometheus.query(
            "histogram_quantile(0.95, sum by (le) (mlflow_http_request_duration_seconds_bucket"
            f'{{route="{LOG_METRIC}"}}))'
        )
        assert 0 < quantile["{}"] < 10
        # Whichever worker a scrape meets, no counter ever seems to have started anew.
        time.sleep(3)
        for name in ("mlflow_http_requests_total", "mlflow_runs_total", "runyard_worker_starts_total"):
            assert prometheus.query(f"sum(resets({name}[5m]))") == {"{}": 0}, name
        assert [target["lastError"] for target in prometheus.targets()] == [""]
