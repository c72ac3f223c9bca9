"""The ASGI application of the scoring server."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final
from urllib.parse import unquote

import msgspec

from runyard.errors import EndpointNotFound, MethodNotAllowed, NotFound, RunyardError, Unavailable
from runyard.models.model import FORMAT_VERSION
from runyard.server.body import Body, Disconnected, Message, Receive, too_large
from runyard.server.observability.exchange import Exchange
from runyard.server.observability.exposition import expose
from runyard.server.observability.observer import Observer
from runyard.server.observability.tracing import Tracing
from runyard.server.readiness import Readiness
from runyard.server.replies import error_body, error_headers, unexpected_error
from runyard.serving import inference, openapi
from runyard.serving.inputs import clipped
from runyard.serving.invocations import Invocation
from runyard.serving.measures import METRICS, ServingMonitoring
from runyard.serving.scoring import Scorer
from runyard.serving.served import ServedModel
from runyard.settings import ServingSettings

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_JSON: Final = (b"content-type", b"application/json")
_NOSNIFF: Final = (b"x-content-type-options", b"nosniff")
_MODELS: Final = "/v2/models/"
# Below /v2/models/NAME and /v2/models/NAME/versions/VERSION.
_ACTIONS: Final = {"": "GET", "ready": "GET", "infer": "POST"}
_PATHS: Final = {
    "/ping": "GET",
    "/health": "GET",
    "/livez": "GET",
    "/readyz": "GET",
    "/version": "GET",
    "/metrics": "GET",
    "/openapi.json": "GET",
    "/docs": "GET",
    "/invocations": "POST",
    "/v2": "GET",
    "/v2/health/live": "GET",
    "/v2/health/ready": "GET",
}
# How much of a message about a request's content comes back: no error repeats a body.
_MESSAGE_LENGTH: Final = 1000


class Application:
    """What uvicorn calls; one for a process."""

    def __init__(
        self,
        settings: ServingSettings,
        scorer: Scorer,
        monitoring: ServingMonitoring,
        readiness: Readiness,
        tracing: Tracing | None = None,
    ) -> None:
        self._scorer = scorer
        self._monitoring = monitoring
        self._readiness = readiness
        self._observer = Observer(monitoring, tracing, logs_access=settings.access_log)
        self._max_body_bytes = settings.max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        exchange = self._observer.begin(scope)
        try:
            await self._respond(exchange, scope, receive, send)
        finally:
            self._observer.end(exchange)

    async def _respond(self, exchange: Exchange, scope: Scope, receive: Receive, send: Send) -> None:
        headers: Headers = [_NOSNIFF, (b"x-request-id", exchange.request_id.encode())]
        if self._readiness.refusal is not None:
            # So that no client, and no load balancer, sends its next request to where nobody is any more.
            headers.append((b"connection", b"close"))
        body = Body(receive)
        try:
            path: str = scope["path"]
            if path == "/invocations" and exchange.method == "POST":
                exchange.route = path
                status, answer = await self._invoke(exchange, body, headers)
            elif path.startswith(_MODELS):
                status, answer = await self._ask_model(exchange, scope, body, headers)
            else:
                status, answer = self._tell(exchange, path, headers)
        except asyncio.CancelledError:
            raise
        except Disconnected:
            return
        except Exception as error:
            await body.discard()
            refused = error if isinstance(error, RunyardError) else unexpected_error(error, exchange)
            if refused is error and refused.status == 500:
                logger.exception("%s", refused.message)
            status, answer = refused.status, _error_body(_bounded(refused), scope["path"])
            headers.append(_JSON)
            headers += [(name.encode(), value.encode()) for name, value in error_headers(refused).items()]
        exchange.status = status
        headers.append((b"content-length", b"%d" % len(answer)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def _invoke(self, exchange: Exchange, body: Body, headers: Headers) -> tuple[int, bytes]:
        content_type = exchange.headers.get(b"content-type")
        content = await self._read(exchange, body)
        invocation = Invocation(content, None if content_type is None else content_type.decode("latin-1"))
        served, answer = await self._scorer.score(exchange, invocation.read, invocation.write)
        headers.append(_JSON)
        _add_version(headers, served)
        return 200, answer

    async def _ask_model(self, exchange: Exchange, scope: Scope, body: Body, headers: Headers) -> tuple[int, bytes]:
        steps = scope["raw_path"].decode("latin-1").removeprefix(_MODELS).split("/")
        name, version, rest = unquote(steps[0]), None, steps[1:]
        template = "/v2/models/{name}"
        if rest[:1] == ["versions"] and len(rest) > 1:
            version, rest = unquote(rest[1]), rest[2:]
            template += "/versions/{version}"
        action = rest[0] if rest else ""
        allowed = _ACTIONS.get(action) if len(rest) < 2 else None
        if allowed is None:
            raise EndpointNotFound(f"there is nothing at {exchange.method} {clipped(scope['path'], 200)}")
        exchange.route = f"{template}/{action}" if action else template
        _check_method(exchange.method, allowed, exchange.route)
        served = self._scorer.served
        _check_name(served, name, version)
        headers.append(_JSON)
        if action == "":
            return 200, inference.model_metadata(served)
        if action == "ready":
            return self._ready({"name": served.name})
        question = inference.Inference(await self._read(exchange, body), exchange.headers.get(inference.HEADER_LENGTH))

        def read(served: ServedModel) -> Any:
            # Another version may have come since; who asked for this one is not answered by that one.
            _check_name(served, name, version)
            return question.read(served)

        served, answer = await self._scorer.score(exchange, read, question.write)
        _add_version(headers, served)
        if answer.header_bytes is not None:
            headers.remove(_JSON)
            headers.append((b"content-type", b"application/octet-stream"))
            headers.append((inference.HEADER_LENGTH, b"%d" % answer.header_bytes))
        return 200, answer.body

    def _tell(self, exchange: Exchange, path: str, headers: Headers) -> tuple[int, bytes]:
        allowed = _PATHS.get(path)
        if allowed is None:
            raise EndpointNotFound(f"there is nothing at {exchange.method} {clipped(path, 200)}")
        exchange.route = path
        _check_method(exchange.method, allowed, path)
        if path == "/metrics":
            self._monitoring.sample()
            content, media_type = expose(
                self._monitoring.counters, exchange.headers.get(b"accept", b"").decode("latin-1"), METRICS
            )
            headers.append((b"content-type", media_type.encode()))
            return 200, content
        if path == "/docs":
            headers += openapi.PAGE_HEADERS
            return 200, openapi.page(self._scorer.served)
        headers.append(_JSON)
        if path in {"/ping", "/health"}:
            return 200, b"\n"
        if path == "/version":
            return 200, FORMAT_VERSION.encode()
        if path == "/openapi.json":
            return 200, openapi.document(self._scorer.served)
        if path == "/v2":
            return 200, inference.server_metadata()
        if path in {"/livez", "/v2/health/live"}:
            return 200, b'{"live":true}'
        return self._ready({})

    def _ready(self, answer: dict[str, Any]) -> tuple[int, bytes]:
        is_ready = self._readiness.refusal is None
        return 200 if is_ready else Unavailable.status, msgspec.json.encode({**answer, "ready": is_ready})

    async def _read(self, exchange: Exchange, body: Body) -> bytes:
        if int(exchange.headers.get(b"content-length", b"0")) > self._max_body_bytes:
            raise too_large(self._max_body_bytes)
        return await body.read(self._max_body_bytes)


def _check_method(method: str, allowed: str, path: str) -> None:
    if method != allowed:
        raise MethodNotAllowed(f"{clipped(method, 20)} is not allowed on {path}; it answers {allowed}")


def _check_name(served: ServedModel, name: str, version: str | None) -> None:
    if name != served.name or version not in (None, served.version):
        asked = name if version is None else f"{name} version {version}"
        raise NotFound(f"the model {clipped(repr(asked), 200)} is not here: this server has {served.title}")


def _add_version(headers: Headers, served: ServedModel) -> None:
    if served.version is not None:
        headers.append((b"x-model-version", served.version.encode()))


def _error_body(error: RunyardError, path: str) -> bytes:
    if not path.startswith("/v2/"):
        return error_body(error)
    # The protocol has its own field for what went wrong.
    return msgspec.json.encode({**msgspec.json.decode(error_body(error)), "error": error.message})


def _bounded(error: RunyardError) -> RunyardError:
    if len(error.message) > _MESSAGE_LENGTH:
        error.message = clipped(error.message, _MESSAGE_LENGTH)
    return error
