"""The counters that workers share, without a server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from runyard.server.observability.counters import SEGMENT_BYTES, Counters, shared_file
from runyard.server.observability.exposition import expose
from runyard.server.observability.monitoring import METRICS, Monitoring


@pytest.fixture
def file() -> Iterator[int]:
    """A file for two workers."""
    descriptor = shared_file(2)
    yield descriptor
    os.close(descriptor)


def samples(counters: Counters) -> dict[str, float]:
    """Return what Prometheus reads, by name and labels as they are written."""
    content, _ = expose(counters, "")
    return {
        sample.name + "".join(f",{key}={value}" for key, value in sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(content.decode())
        for sample in family.samples
    }


def count_in_another_process(descriptor: int, number: int) -> None:
    """Have a worker count a request and a commit, and end with another request in flight."""
    program = (
        "import sys;"
        "from runyard.server.observability.counters import Counters;"
        "from runyard.server.observability.monitoring import Monitoring;"
        "monitoring = Monitoring(Counters(*map(int, sys.argv[1:])));"
        "monitoring.request_began();"
        "monitoring.request_ended('GET', '/health', 200, 0.003);"
        "monitoring.request_began();"
        "monitoring.sample();"
        "monitoring.committed(2, 30, 0.004);"
        "monitoring.set('mlflow_runs_total', 7)"
    )
    subprocess.run(
        [sys.executable, "-c", program, str(descriptor), str(number)], pass_fds=(descriptor,), check=True, timeout=60
    )


REQUEST = "mlflow_http_requests_total,method=GET,route=/health,status=200"


def test_whichever_worker_is_asked_gives_the_sum_over_all(file: int) -> None:
    monitorings = [Monitoring(Counters(file, number)) for number in (0, 1)]
    for monitoring in (*monitorings, monitorings[0]):
        monitoring.request_began()
        monitoring.request_ended("GET", "/health", 200, 0.003)
        monitoring.set("runyard_ingest_queue_writes", 4)
    for monitoring in monitorings:
        found = samples(monitoring.counters)
        assert found[REQUEST] == 3
        assert found["mlflow_http_request_total,method=GET,status=200"] == 3
        assert found["runyard_ingest_queue_writes"] == 8
        assert found["runyard_workers"] == 2


def test_what_a_dead_worker_counted_stays_and_what_it_had_in_hand_goes(file: int) -> None:
    monitoring = Monitoring(Counters(file, 0))
    monitoring.set("mlflow_runs_total", 5)
    monitoring.sample()
    count_in_another_process(file, 1)
    found = samples(monitoring.counters)
    assert found[REQUEST] == 1
    assert found["runyard_ingest_commit_points_sum"] == 30
    assert found["runyard_http_requests_in_flight"] == 0
    assert found["runyard_workers"] == 1
    assert found["mlflow_runs_total"] == 7


def test_a_workers_successor_counts_on(file: int) -> None:
    monitoring = Monitoring(Counters(file, 0))
    count_in_another_process(file, 1)
    count_in_another_process(file, 1)
    successor = Monitoring(Counters(file, 1))
    assert samples(successor.counters)["runyard_http_requests_in_flight"] == 0
    found = samples(monitoring.counters)
    assert found[REQUEST] == 2
    assert found["runyard_worker_starts_total"] == 4
    assert found["runyard_workers"] == 2


def test_a_histogram_counts_up_to_and_with_each_bound() -> None:
    monitoring = Monitoring()
    for seconds in (0.001, 0.002, 0.25, 99.0):
        monitoring.request_began()
        monitoring.request_ended("GET", "/health", 200, seconds)
    found = samples(monitoring.counters)
    name, labels = "mlflow_http_request_duration_seconds", "method=GET,route=/health,status=200"
    buckets = {
        bound: found[f"{name}_bucket,le={bound},{labels}"] for bound in ("0.001", "0.0025", "0.25", "10.0", "+Inf")
    }
    assert buckets == {"0.001": 1, "0.0025": 2, "0.25": 3, "10.0": 3, "+Inf": 4}
    assert found[f"{name}_count,{labels}"] == 4
    assert found[f"{name}_sum,{labels}"] == pytest.approx(99.253)


def test_methods_that_nobody_uses_are_one_series_together() -> None:
    monitoring = Monitoring()
    for method in ("BREW", "WHEN"):
        monitoring.request_began()
        monitoring.request_ended(method, "unmatched", 404, 0.001)
    found = samples(monitoring.counters)
    assert found["mlflow_http_requests_total,method=unmatched,route=unmatched,status=404"] == 2
    assert not [name for name in found if "BREW" in name]


def test_a_full_segment_refuses_no_one_and_spoils_nothing() -> None:
    counters = Counters()
    for number in range(SEGMENT_BYTES // 64):
        counters.values[counters.series("runyard_cleanup_deleted_total", f"kind-{number}")] += 1
    [snapshot] = counters.read()
    assert 1000 < len(snapshot.series) < SEGMENT_BYTES // 64
    assert {values[0] for values in snapshot.series.values()} == {1.0}


def test_every_metric_says_what_it_is() -> None:
    for name, metric in METRICS.items():
        assert metric.help.endswith("."), name
        assert (metric.kind in {"counter", "maximum"}) == name.endswith("_total"), name
