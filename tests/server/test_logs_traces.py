"""Spans that reach a collector: a real server with the extra, and a collector on loopback that reads them."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from runyard.server.observability.tracing import open_tracing
from tests.ports import free_port
from tests.server.http import get, send
from tests.servers import ServerProcess

Start = Callable[..., ServerProcess]

TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


class Collector(ThreadingHTTPServer):
    """Takes spans over HTTP as OpenTelemetry's protocol has it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[ExportTraceServiceRequest] = []
        self.environment = {
            ENDPOINT: f"http://127.0.0.1:{self.server_port}",
            # Sent soon, and not by way of a proxy.
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "NO_PROXY": "127.0.0.1",
        }

    def span_of(self, request_id: str) -> tuple[Span, dict[str, Any], dict[str, Any]]:
        """Return the span of a request, its attributes and those of its resource, as soon as it is there."""
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            for request in list(self.requests):
                for group in request.resource_spans:
                    for span in (span for scope in group.scope_spans for span in scope.spans):
                        attributes = values_of(span)
                        if attributes.get("runyard.request_id") == request_id:
                            return span, attributes, values_of(group.resource)
            time.sleep(0.05)
        raise AssertionError(f"no span of the request {request_id} arrived")


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == "/v1/traces"
        self.server.requests.append(ExportTraceServiceRequest.FromString(content))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_args: object) -> None:
        pass


def values_of(message: Any) -> dict[str, Any]:
    """Return the attributes of a span or a resource."""
    return {
        attribute.key: getattr(attribute.value, attribute.value.WhichOneof("value")) for attribute in message.attributes
    }


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as collector:
        thread = threading.Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


@pytest.mark.parametrize("workers", [1, 2])
def test_each_request_is_a_span_below_the_callers(running_server: Start, collector: Collector, workers: int) -> None:
    server = running_server(environment=collector.environment, workers=workers)
    answer = send(
        server.port,
        "GET",
        "/api/2.0/mlflow/experiments/get?experiment_id=0",
        headers={"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01"},
    )
    span, attributes, resource = collector.span_of(answer.headers["x-request-id"])
    assert span.name == "GET /api/2.0/mlflow/experiments/get"
    assert span.kind == Span.SPAN_KIND_SERVER
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE_ID, SPAN_ID)
    assert 0 < span.end_time_unix_nano - span.start_time_unix_nano < 30e9
    assert attributes["http.request.method"] == "GET"
    assert attributes["http.route"] == "/api/2.0/mlflow/experiments/get"
    assert attributes["http.response.status_code"] == 200
    assert resource["service.name"] == "runyard"


def test_a_request_of_nobodys_trace_begins_one_that_its_log_line_names(
    running_server: Start, collector: Collector
) -> None:
    server = running_server(None, "--access-log", environment=collector.environment)
    answer = get(server.port, "experiments/get", experiment_id="404")
    span, attributes, _ = collector.span_of(answer.headers["x-request-id"])
    assert span.parent_span_id == b""
    assert attributes["http.response.status_code"] == 404
    assert span.status.code == Status.STATUS_CODE_UNSET
    assert f"trace_id={span.trace_id.hex()}" in server.log()


def test_the_environment_names_the_service(running_server: Start, collector: Collector) -> None:
    server = running_server(environment={**collector.environment, "OTEL_SERVICE_NAME": "tracking"})
    answer = get(server.port, "experiments/get", experiment_id="0")
    assert collector.span_of(answer.headers["x-request-id"])[2]["service.name"] == "tracking"


def test_a_collector_that_is_away_keeps_nobody_waiting(running_server: Start) -> None:
    server = running_server(environment={ENDPOINT: f"http://127.0.0.1:{free_port()}", "NO_PROXY": "127.0.0.1"})
    began = time.monotonic()
    assert get(server.port, "experiments/get", experiment_id="0").status == 200
    assert time.monotonic() - began < 5
    server.stop()
    assert time.monotonic() - began < 20


def test_without_an_endpoint_nothing_is_loaded_or_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ENDPOINT, raising=False)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", raising=False)
    assert open_tracing() is None


def test_an_endpoint_without_the_extra_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(ENDPOINT, "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    assert open_tracing() is None
    assert "runyard[otel]" in caplog.text
