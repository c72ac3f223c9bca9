"""Spans for OpenTelemetry, where the extra ``runyard[otel]`` is installed and the environment names a collector.

The SDK reads its own variables: the endpoint, its headers, the service's name, the sampler.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from runyard import __version__
from runyard.server.observability.exchange import Exchange
from runyard.settings import otlp_endpoint

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

logger = logging.getLogger(__name__)


class Tracing:
    """Makes a span of each request, below the caller's where it sends a ``traceparent``."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry import trace
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._trace = trace
        self._provider = provider
        self._tracer = provider.get_tracer("runyard", __version__)
        self._extract = TraceContextTextMapPropagator().extract

    def begin(self, exchange: Exchange) -> None:
        headers = exchange.headers
        carrier = {name: headers[name.encode()].decode("latin-1") for name in _CARRIED if name.encode() in headers}
        exchange.span = span = self._tracer.start_span(
            exchange.method, self._extract(carrier), self._trace.SpanKind.SERVER
        )
        context = span.get_span_context()
        exchange.trace_id = f"{context.trace_id:032x}"
        exchange.span_id = f"{context.span_id:016x}"

    def end(self, exchange: Exchange) -> None:
        span = exchange.span
        if span.is_recording():
            span.update_name(f"{exchange.method} {exchange.route}")
            span.set_attributes(
                {
                    "http.request.method": exchange.method,
                    "http.route": exchange.route,
                    "http.response.status_code": exchange.status,
                    "url.path": exchange.raw_path.decode("latin-1"),
                    "runyard.request_id": exchange.request_id,
                }
            )
            # As the conventions for HTTP servers have it: what the client did wrong is no error here.
            if exchange.status >= 500:
                span.set_status(self._trace.StatusCode.ERROR)
                span.set_attribute("error.type", str(exchange.status))
        span.end()

    def close(self) -> None:
        """Send what is left, as far as the collector takes it."""
        self._provider.shutdown()


_CARRIED = ("traceparent", "tracestate")


def open_tracing() -> Tracing | None:
    """Return what makes spans, or None where the environment names no collector or the extra is missing."""
    endpoint = otlp_endpoint()
    if endpoint is None:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, OTELResourceDetector, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        logger.warning(
            "the environment names a collector of traces, %s, and OpenTelemetry is not installed, so none are sent: "
            "install runyard[otel]",
            endpoint,
        )
        return None
    defaults = Resource({SERVICE_NAME: "runyard", SERVICE_VERSION: __version__})
    # What the environment says of the service counts before our words.
    provider = TracerProvider(resource=Resource.create().merge(defaults).merge(OTELResourceDetector().detect()))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Tracing(provider)
