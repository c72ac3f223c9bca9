"""What happens around every request, whoever answers it: counting, timing, the log's line, the trace's span."""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from typing import Any

from runyard.server.observability.exchange import Exchange, current_exchange
from runyard.server.observability.logs import log_access
from runyard.server.observability.monitoring import RequestMonitoring
from runyard.server.observability.tracing import Tracing


class Observer:
    def __init__(self, monitoring: RequestMonitoring, tracing: Tracing | None, *, logs_access: bool) -> None:
        self._monitoring = monitoring
        self._tracing = tracing
        self._logs_access = logs_access

    def begin(self, scope: MutableMapping[str, Any]) -> Exchange:
        """Return what is known of a request, which its log lines find too."""
        exchange = Exchange(scope)
        current_exchange.set(exchange)
        self._monitoring.request_began()
        if self._tracing is not None:
            self._tracing.begin(exchange)
        return exchange

    def end(self, exchange: Exchange) -> None:
        seconds = time.perf_counter() - exchange.began
        self._monitoring.request_ended(exchange.method, exchange.route, exchange.status, seconds)
        if self._tracing is not None:
            self._tracing.end(exchange)
        if self._logs_access:
            log_access(exchange, seconds)
