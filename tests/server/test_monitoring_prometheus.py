"""/metrics in the hands of the real Prometheus: its linter, and its server that scrapes ours."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.prometheus import TIMEOUT_S, scraping
from tests.server.http import make_run, post, send
from tests.servers import ServerProcess

Start = Callable[..., ServerProcess]

pytestmark = pytest.mark.prometheus

LOG_METRIC = "/api/2.0/mlflow/runs/log-metric"


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

    jobs = [{"job_name": "runyard", "static_configs": [{"targets": [f"127.0.0.1:{server.port}"]}]}]
    with scraping(jobs, tmp_path) as prometheus:
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
