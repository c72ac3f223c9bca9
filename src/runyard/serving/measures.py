"""What a scoring server measures."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from runyard.server.observability.counters import Counters
from runyard.server.observability.monitoring import METRICS as SERVERS, REQUEST_SECONDS, Metric, RequestMonitoring

BATCH_REQUESTS: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)

METRICS: Final[Mapping[str, Metric]] = {
    **{
        name: SERVERS[name]
        for name in (
            "mlflow_http_request_duration_seconds",
            "runyard_http_requests_in_flight",
            "runyard_worker_starts_total",
            "runyard_workers",
        )
    },
    "runyard_serving_prediction_duration_seconds": Metric(
        "histogram",
        "Time to answer what was scored together: reading the requests, asking the model, writing the answers.",
        (),
        REQUEST_SECONDS,
    ),
    "runyard_serving_batch_requests": Metric("histogram", "Requests that were scored together.", (), BATCH_REQUESTS),
    "runyard_serving_queue_requests": Metric("gauge", "Requests that wait to be scored."),
    "runyard_serving_refused_total": Metric(
        "counter", "Requests that were not scored: the queue was full, or the time was up.", ("reason",)
    ),
    "runyard_serving_model_workers": Metric("gauge", "Workers that serve this version.", ("name", "version")),
    "runyard_serving_model_changes_total": Metric(
        "counter", "Changes of a worker to another version, and those that failed.", ("result",)
    ),
}


class ServingMonitoring(RequestMonitoring):
    """What a process of a scoring server measures; its methods are called on the event loop."""

    def __init__(self, counters: Counters | None = None) -> None:
        super().__init__(METRICS, counters)
        self._seconds = self._place("runyard_serving_prediction_duration_seconds")
        self._requests_together = self._place("runyard_serving_batch_requests")
        self._refused = {
            reason: self._place("runyard_serving_refused_total", reason) for reason in ("queue_full", "timeout")
        }
        self._changes = {
            result: self._place("runyard_serving_model_changes_total", result) for result in ("done", "failed")
        }

    def predicted(self, requests: int, seconds: float) -> None:
        """Count what was scored together."""
        self._observe(self._seconds, REQUEST_SECONDS, seconds)
        self._observe(self._requests_together, BATCH_REQUESTS, requests)

    def refused(self, reason: str) -> None:
        self._values[self._refused[reason]] += 1

    def serves(self, name: str, version: str | None, *, is_served: bool) -> None:
        """Say that this worker serves a version, or not any more."""
        self.set("runyard_serving_model_workers", float(is_served), name, version or "")

    def changed(self, result: str) -> None:
        """Count a change of version: done, or failed."""
        self._values[self._changes[result]] += 1
