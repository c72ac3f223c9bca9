"""What is measured: the metrics by name, and what each part of the server calls to count.

What happens for each request costs well under a microsecond: a look into a dictionary and a few additions to floats.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from runyard.server.observability.counters import Counters

# Upstream's buckets, so that what asks for one of them by its bound finds it, and two below for answers as quick as
# ours; the last bucket has no bound.
REQUEST_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
_REQUEST_SUM: Final = len(REQUEST_SECONDS) + 1
COMMIT_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
COMMIT_WRITES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
COMMIT_POINTS: Final = (1, 10, 100, 1000, 10_000, 20_000)

# What has no template of its own: paths that are nothing, and methods that nobody uses.
UNMATCHED: Final = "unmatched"
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True)
class Metric:
    """One metric, and how the workers' values make the server's.

    A counter or histogram is the sum over all workers, dead ones too; a gauge the sum over the living. A maximum is
    the greatest that any worker knows, of something that they all see grow; the latest is the same, of a time.
    """

    kind: Literal["counter", "gauge", "maximum", "latest", "histogram"]
    help: str
    labels: tuple[str, ...] = ()
    # Upper bounds, of a histogram. It has a value a bucket (not cumulative), one for what is above, and the sum.
    buckets: tuple[float, ...] = ()

    @property
    def size(self) -> int:
        return len(self.buckets) + 2 if self.kind == "histogram" else 1


METRICS: Final[Mapping[str, Metric]] = {
    "mlflow_http_request_duration_seconds": Metric(
        "histogram",
        "Time from a request's arrival to the end of its answer.",
        ("method", "route", "status"),
        REQUEST_SECONDS,
    ),
    "mlflow_runs_total": Metric("maximum", "Runs created in this database so far, deleted ones too."),
    "mlflow_experiments_total": Metric("maximum", "Experiments created in this database so far, deleted ones too."),
    "runyard_http_requests_in_flight": Metric("gauge", "Requests that are being answered; the scrape is one of them."),
    "runyard_database_connections": Metric(
        "gauge", "Connections to the database: in use, and idle in the pool.", ("state",)
    ),
    "runyard_database_connections_limit": Metric("gauge", "Connections that the workers may open at most."),
    "runyard_ingest_queue_writes": Metric("gauge", "Writes to runs that wait for the writer."),
    "runyard_ingest_commit_duration_seconds": Metric(
        "histogram", "Time to write one group of writes to runs, its commit included.", (), COMMIT_SECONDS
    ),
    "runyard_ingest_commit_writes": Metric(
        "histogram", "Writes to runs that went into one commit together.", (), COMMIT_WRITES
    ),
    "runyard_ingest_commit_points": Metric(
        "histogram", "Metric points, params and tags that went into one commit together.", (), COMMIT_POINTS
    ),
    "runyard_artifact_bytes_total": Metric(
        "counter", "Bytes of artifacts that the server received from clients and sent to them.", ("direction",)
    ),
    "runyard_cleanup_deleted_total": Metric("counter", "What was deleted for good.", ("kind",)),
    "runyard_cleanup_moved_total": Metric("counter", "Runs that moved to the trash by their age."),
    "runyard_cleanup_freed_bytes_total": Metric("counter", "Bytes of the artifacts that were deleted for good."),
    "runyard_cleanup_failures_total": Metric("counter", "What could not be deleted and is tried again."),
    "runyard_cleanup_passes_total": Metric("counter", "Passes of clean-up in the background."),
    "runyard_cleanup_last_pass_timestamp_seconds": Metric("latest", "When the last of these passes ended."),
    "runyard_worker_starts_total": Metric("counter", "Worker processes started: more than there are, where some died."),
    "runyard_workers": Metric("gauge", "Worker processes that are alive."),
}

# What clean-up counts, and the metric with its labels that each of it adds to.
CLEANED: Final[Mapping[str, tuple[str, ...]]] = {
    "run_count": ("runyard_cleanup_deleted_total", "runs"),
    "model_count": ("runyard_cleanup_deleted_total", "models"),
    "experiment_count": ("runyard_cleanup_deleted_total", "experiments"),
    "orphan_count": ("runyard_cleanup_deleted_total", "orphans"),
    "moved_run_count": ("runyard_cleanup_moved_total",),
    "size_bytes": ("runyard_cleanup_freed_bytes_total",),
    "failure_count": ("runyard_cleanup_failures_total",),
    "pass_count": ("runyard_cleanup_passes_total",),
}


class RequestMonitoring:
    """What a process that answers requests measures, in counters that its server's other workers may read.

    Args:
        metrics: all that the server measures, by name; the first and the in-flight gauge are of its requests.
    """

    def __init__(self, metrics: Mapping[str, Metric], counters: Counters | None = None) -> None:
        self.metrics = metrics
        self.counters = counters or Counters()
        self._values = self.counters.values
        self._requests: dict[tuple[str, str, int], int] = {}
        self._samplers: list[Callable[[], None]] = []
        self._in_flight = 0
        self._forget_gauges()
        self._values[self._place("runyard_workers")] = 1
        self._values[self._place("runyard_worker_starts_total")] += 1

    def request_began(self) -> None:
        self._in_flight += 1

    def request_ended(self, method: str, route: str, status: int, seconds: float) -> None:
        self._in_flight -= 1
        place = self._requests.get((method, route, status))
        if place is None:
            place = self._place_of_request(method, route, status)
        values = self._values
        values[place + bisect_left(REQUEST_SECONDS, seconds)] += 1
        values[place + _REQUEST_SUM] += seconds

    def set(self, name: str, value: float, *labels: str) -> None:
        """Give a gauge or a maximum its value."""
        self._values[self._place(name, *labels)] = value

    def watch(self, sampler: Callable[[], None]) -> None:
        """Have ``sampler`` set its gauges whenever they are looked at."""
        self._samplers.append(sampler)

    def sample(self) -> None:
        """Bring the gauges of this process up to date."""
        self.set("runyard_http_requests_in_flight", self._in_flight)
        for sampler in self._samplers:
            sampler()

    def _observe(self, place: int, buckets: tuple[float, ...], value: float) -> None:
        self._values[place + bisect_left(buckets, value)] += 1
        self._values[place + len(buckets) + 1] += value

    def _place_of_request(self, method: str, route: str, status: int) -> int:
        # Any word may be a method, and each would be a series for ever.
        shown = method if method in _METHODS else UNMATCHED
        place = self._place("mlflow_http_request_duration_seconds", shown, route, str(status))
        if shown == method:
            self._requests[method, route, status] = place
        return place

    def _place(self, name: str, *labels: str) -> int:
        return self.counters.series(name, *labels, size=self.metrics[name].size)

    def _forget_gauges(self) -> None:
        # What a worker that died had in hand, its successor does not have.
        for name, *labels in self.counters.read()[self.counters.number].series:
            if self.metrics[name].kind == "gauge":
                self.set(name, 0.0, *labels)


class Monitoring(RequestMonitoring):
    """What a process of the tracking server measures."""

    def __init__(self, counters: Counters | None = None) -> None:
        super().__init__(METRICS, counters)
        self._commit_seconds = self._place("runyard_ingest_commit_duration_seconds")
        self._commit_writes = self._place("runyard_ingest_commit_writes")
        self._commit_points = self._place("runyard_ingest_commit_points")
        self._received = self._place("runyard_artifact_bytes_total", "received")
        self._sent = self._place("runyard_artifact_bytes_total", "sent")
        self.cleaned(dict.fromkeys(CLEANED, 0))

    def committed(self, writes: int, points: int, seconds: float) -> None:
        """Count a group that the writer has written; called from its thread alone."""
        self._observe(self._commit_seconds, COMMIT_SECONDS, seconds)
        self._observe(self._commit_writes, COMMIT_WRITES, writes)
        self._observe(self._commit_points, COMMIT_POINTS, points)

    def artifact_received(self, size_bytes: int) -> None:
        self._values[self._received] += size_bytes

    def artifact_sent(self, size_bytes: int) -> None:
        self._values[self._sent] += size_bytes

    def cleaned(self, counts: Mapping[str, int]) -> None:
        """Count what clean-up did, by the names of `CLEANED`; called on the event loop."""
        for name, count in counts.items():
            self._values[self._place(*CLEANED[name])] += count
