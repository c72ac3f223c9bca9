"""The ASGI application: the endpoints by the dispatch table, everything else by Starlette's routes."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import re
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse
from starlette.routing import Route

from runyard.errors import (
    BadRequest,
    EndpointNotFound,
    MethodNotAllowed,
    PermissionDenied,
    RunyardError,
)
from runyard.server.access import EXEMPT_PATHS, SAFE_METHODS, AccessPolicy
from runyard.server.body import Body, Disconnected, Message, Receive, too_large
from runyard.server.decoding import decode_body, decode_query
from runyard.server.endpoints import DispatchTable, Endpoint, Match
from runyard.server.observability.exchange import HUNG_UP, Exchange
from runyard.server.observability.observer import Observer
from runyard.server.observability.tracing import Tracing
from runyard.server.pages import page_routes, to_prefix
from runyard.server.rates import Rates
from runyard.server.replies import error_body, error_headers, error_response, unexpected_error
from runyard.server.routes import (
    artifacts,
    experiments,
    health,
    logged_models,
    metrics,
    model_versions,
    monitoring,
    registered_models,
    run_changes,
    run_tables,
    runs,
    server_info,
    transfers,
    trash,
)
from runyard.server.services import Services
from runyard.wire.base import Encoded, Response

Scope = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

ENDPOINTS: Final[tuple[Endpoint, ...]] = tuple(
    endpoint
    for module in (
        experiments,
        runs,
        metrics,
        artifacts,
        transfers,
        logged_models,
        registered_models,
        model_versions,
        server_info,
        run_tables,
        run_changes,
        trash,
    )
    for endpoint in module.routes
)
_KIND: Final = re.compile(r":\w+(?=})")
API_PREFIXES: Final = ("/api/", "/ajax-api/")


class Application:
    """What uvicorn calls; one for a process."""

    def __init__(self, services: Services, tracing: Tracing | None = None) -> None:
        self.services = services
        settings = services.settings
        self._monitoring = services.monitoring
        self._observer = Observer(services.monitoring, tracing, logs_access=settings.access_log)
        self._table = DispatchTable.of(ENDPOINTS)
        self._access = AccessPolicy(settings)
        self._prefix = settings.static_prefix
        self._max_body_bytes = settings.max_body_bytes
        self._is_read_only = settings.read_only
        # A client may meet any of the workers.
        self._rates = (
            Rates(settings.rate_limit / settings.workers, settings.trusted_proxies) if settings.rate_limit else None
        )
        # As many as there are database connections for them.
        self._threads = ThreadPoolExecutor(settings.pool_size + settings.max_overflow, "runyard-request")
        self._security_headers: Headers = [
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"same-origin"),
        ]
        if settings.x_frame_options.upper() != "NONE":
            self._security_headers.append((b"x-frame-options", settings.x_frame_options.encode()))
        self._json_headers: Headers = [(b"content-type", b"application/json"), *self._security_headers]
        self._pages = _pages(services)

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        exchange = self._observer.begin(scope)
        try:
            await self._respond(exchange, scope, receive, send)
        finally:
            self._observer.end(exchange)

    async def _respond(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        method = exchange.method
        path: str = scope["path"]
        headers = exchange.headers
        extra_headers: Headers = [(b"x-request-id", exchange.request_id.encode())]
        if self.services.readiness.refusal is not None:
            # So that no client, and no load balancer, sends its next request to where nobody is any more.
            extra_headers.append((b"connection", b"close"))
        body = Body(receive)
        try:
            if self._prefix and path.startswith(self._prefix + "/"):
                path = scope["path"] = path[len(self._prefix) :]
                scope["raw_path"] = scope["raw_path"][len(self._prefix.encode()) :]
            host = headers.get(b"host", b"")
            self._access.check_host(path, host)
            if self._rates is not None and path not in EXEMPT_PATHS:
                self._rates.take(scope, headers)
            origin = headers.get(b"origin")
            if origin is not None:
                extra_headers += self._cross_origin_headers(origin.decode("latin-1"), host)
                self._access.check_origin(method, origin.decode("latin-1"), host)
                if method == "OPTIONS":
                    exchange.status = 204
                    await _send(send, 204, [*self._security_headers, *extra_headers], b"")
                    return
            match = self._table.find(method, path)
            if match is None:
                template = self._table.template(path)
                if template is not None:
                    exchange.route = template
                    raise MethodNotAllowed(
                        f"{method} is not allowed on {path}; it answers {', '.join(self._table.methods(path))}"
                    )
                if self._is_read_only and method not in SAFE_METHODS:
                    raise _read_only()
                await self._send_page(exchange, scope, body, send, extra_headers)
                return
            exchange.route = match.template
            if self._is_read_only and not match.endpoint.is_read:
                raise _read_only()
            answer = await self._answer(match, method, headers, scope, body)
        except RunyardError as error:
            await body.discard()
            if error.status == 500:
                error = unexpected_error(error, exchange)
            exchange.status = error.status
            named = [(name.encode(), value.encode()) for name, value in error_headers(error).items()]
            await _send(send, error.status, [*self._json_headers, *named, *extra_headers], error_body(error))
        except Disconnected:
            return
        except Exception as error:  # noqa: BLE001 - the last resort: logged, and told to the client by its id
            hidden = unexpected_error(error, exchange)
            if exchange.status != HUNG_UP:
                # An answer has begun and cannot be taken back; the server closes the connection where it broke off.
                return
            exchange.status = hidden.status
            await _send(send, hidden.status, [*self._json_headers, *extra_headers], error_body(hidden))
        else:
            exchange.status = 200
            await _send(send, 200, [*self._json_headers, *extra_headers], answer)

    async def _answer(self, match: Match, method: str, headers: dict[bytes, bytes], scope: Scope, body: Body) -> bytes:
        endpoint = match.endpoint
        if method == "GET":
            request = decode_query(endpoint, scope["query_string"], match.path_parameters)
        else:
            content = await self._read(endpoint, headers, body)
            if content:
                # Anything else is what a form on a page of another site can send without asking first.
                if not headers.get(b"content-type", b"").lower().startswith(b"application/json"):
                    raise BadRequest(
                        "Bad Request. The Content-Type header must be 'application/json', "
                        f"got {headers.get(b'content-type', b'').decode('latin-1')!r}"
                    )
                request = decode_body(endpoint, content, match.path_parameters)
            else:
                request = decode_query(endpoint, scope["query_string"], match.path_parameters)
        if endpoint.is_async:
            return _encoded(await endpoint.handler(self.services, request))  # type: ignore[misc]
        # A line that the handler logs belongs to the request.
        run = contextvars.copy_context().run
        return await asyncio.get_running_loop().run_in_executor(self._threads, run, self._handle, endpoint, request)

    def _handle(self, endpoint: Endpoint, request: Any) -> bytes:
        return _encoded(endpoint.handler(self.services, request))  # type: ignore[arg-type]

    async def _read(self, endpoint: Endpoint, headers: dict[bytes, bytes], body: Body) -> bytes:
        limit = self._max_body_bytes
        if endpoint.max_body_bytes is not None:
            limit = min(limit, endpoint.max_body_bytes)
        if int(headers.get(b"content-length", b"0")) > limit:
            raise too_large(limit)
        return await body.read(limit)

    def _cross_origin_headers(self, origin: str, host: bytes) -> Headers:
        if not self._access.is_allowed_origin(origin, host):
            return []
        return [
            (b"access-control-allow-origin", origin.encode("latin-1")),
            (b"access-control-allow-methods", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            (b"access-control-allow-headers", b"Content-Type, Authorization, X-MLFLOW-WORKSPACE, X-Request-ID"),
            (b"access-control-expose-headers", b"X-Request-ID"),
            (b"access-control-max-age", b"600"),
            (b"vary", b"Origin"),
        ]

    async def _send_page(
        self, exchange: Exchange, scope: Scope, body: Body, send: Send, extra_headers: Headers
    ) -> None:
        added = [*self._security_headers, *extra_headers]

        async def send_page(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                if exchange.status >= 400:
                    await body.discard()
                present = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(pair for pair in added if pair[0] not in present)]
            elif scope.get("endpoint") in artifacts.SENDING:
                self._monitoring.artifact_sent(len(message.get("body", b"")))
            await send(message)

        async def receive_for_page() -> Message:
            message = await body()
            if scope.get("endpoint") in artifacts.RECEIVING:
                self._monitoring.artifact_received(len(message.get("body", b"")))
            return message

        scope["runyard.exchange"] = exchange
        try:
            await self._pages(scope, receive_for_page, send_page)
        finally:
            route = scope.get("route")
            if route is not None:
                exchange.route = _template(route.path)


def _read_only() -> PermissionDenied:
    return PermissionDenied("the server is read-only for now: it was started with --read-only, and takes no writes")


def _encoded(answer: Response | Encoded[Any]) -> bytes:
    return answer.body if isinstance(answer, Encoded) else _encode(answer)


_encode = msgspec.json.Encoder().encode


async def _send(send: Send, status: int, headers: Headers, body: bytes) -> None:
    # A 204 has no body, and so no length.
    length = [] if status == 204 else [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": [*length, *headers]})
    await send({"type": "http.response.body", "body": body})


def _pages(services: Services) -> Starlette:
    prefix = services.settings.static_prefix
    application = Starlette(
        routes=[
            *_all(health.health_routes, artifacts.artifact_routes, page_routes),
            *(monitoring.monitoring_routes if services.settings.has_metrics else []),
            *([Route(prefix, to_prefix)] if prefix else []),
        ],
        exception_handlers={
            RunyardError: _runyard_error,
            HTTPException: _http_error,
            Exception: _unexpected_error,
        },
    )
    application.state.services = services
    application.state.totals = monitoring.TotalsReader(services.database, services.monitoring)
    return application


def _all(*groups: Iterable[Route]) -> Iterable[Route]:
    for group in groups:
        yield from group


@functools.cache
def _template(path: str) -> str:
    # Starlette's templates tell the kinds of their parameters too.
    return _KIND.sub("", path)


async def _runyard_error(request: StarletteRequest, error: Exception) -> StarletteResponse:
    assert isinstance(error, RunyardError)
    if error.status == 500:
        return await _unexpected_error(request, error)
    return error_response(error)


async def _http_error(request: StarletteRequest, error: Exception) -> StarletteResponse:
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return error_response(MethodNotAllowed(f"{request.method} is not allowed on {request.url.path}"))
    if error.status_code == 404:
        return error_response(EndpointNotFound(f"there is nothing at {request.method} {request.url.path}"))
    return error_response(BadRequest(str(error.detail)))


async def _unexpected_error(request: StarletteRequest, error: Exception) -> StarletteResponse:
    return error_response(unexpected_error(error, request.scope["runyard.exchange"]))
