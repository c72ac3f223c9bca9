"""What it costs to watch a server: CPU time a request of counting, of ids and of each kind of log.

``python -m benchmarks.observing`` prints it. Lines are written to a file, as they are to a container's log.
"""

from __future__ import annotations

import logging
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import redirect_stderr
from typing import Any

from runyard.server.observability.logs import configure_logging
from runyard.server.observability.monitoring import Monitoring
from runyard.server.observability.observer import Observer
from runyard.server.observability.tracing import Tracing
from runyard.settings import Settings

ROUTE = "/api/2.0/mlflow/runs/log-metric"
SCOPE: dict[str, Any] = {
    "type": "http",
    "method": "POST",
    "raw_path": ROUTE.encode(),
    "client": ("127.0.0.1", 50_000),
    "headers": [
        (b"host", b"localhost:5000"),
        (b"user-agent", b"mlflow-python-client/3.17.2"),
        (b"accept-encoding", b"gzip, deflate"),
        (b"accept", b"*/*"),
        (b"content-type", b"application/json"),
        (b"content-length", b"110"),
    ],
}
TRACED = {
    **SCOPE,
    "headers": [
        *SCOPE["headers"],
        (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
        (b"x-request-id", b"0af7651916cd43dd"),
    ],
}


def watch(observer: Observer, scope: dict[str, Any]) -> Callable[[], None]:
    """Return what surrounds one request."""

    def one() -> None:
        exchange = observer.begin(scope)
        exchange.route, exchange.status = ROUTE, 200
        observer.end(exchange)

    return one


def cost_us(function: Callable[[], object], *, repeats: int = 7, calls: int = 20_000) -> float:
    """Return the CPU time of a call in microseconds, the least of some repeats."""
    best = float("inf")
    for _ in range(repeats):
        began = time.thread_time()
        for _ in range(calls):
            function()
        best = min(best, (time.thread_time() - began) / calls)
    return best * 1e6


def main() -> None:
    monitoring = Monitoring()
    silent = Observer(monitoring, None, logs_access=False)
    loud = Observer(monitoring, None, logs_access=True)
    rows = {
        "counted, with an id, no line (the default)": cost_us(watch(silent, SCOPE)),
        "the same, with an id and a trace from the client": cost_us(watch(silent, TRACED)),
        "a commit counted, however many requests it holds": cost_us(lambda: monitoring.committed(3, 3, 0.002)),
    }
    from opentelemetry.sdk.trace import TracerProvider

    traced = Observer(monitoring, Tracing(TracerProvider()), logs_access=False)
    rows["a span made, and not sent"] = cost_us(watch(traced, TRACED))
    for log_format, level in (("text", "info"), ("json", "info"), ("text", "warning")):
        with tempfile.TemporaryFile("w") as file, redirect_stderr(file):
            configure_logging(Settings(log_format=log_format, log_level=level))
            rows[f"access log, `{log_format}`, level `{level}`"] = cost_us(watch(loud, SCOPE))
            logging.getLogger().handlers.clear()
    sys.stdout.write("| Setting | µs a request |\n|---|---|\n")
    for name, cost in rows.items():
        sys.stdout.write(f"| {name} | {cost:.1f} |\n")


if __name__ == "__main__":
    main()
