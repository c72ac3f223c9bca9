"""The dispatch table: which function answers which method and path, and what it takes and gives.

A module of routes declares its endpoints on a `Routes`; the types in a handler's signature are its wire types. A
handler that is a coroutine function runs on the event loop and may only await; any other runs in a thread.
"""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from runyard.server.services import Services
from runyard.wire.base import Encoded, Request, Response

Answer = Response | Encoded[Any]
Handler = Callable[[Services, Any], Answer | Awaitable[Answer]]

# Programs call the first; the pages of upstream's UI call the second.
SURFACES: Final = ("/api", "/ajax-api")
# `{name}` is one step of a path, `{name:path}` the rest of it.
_PARAMETER: Final = re.compile(r"{(\w+)(:path)?}")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation: `methods` on `path` (with the API version, without the surface)."""

    methods: tuple[str, ...]
    path: str
    handler: Handler
    request_type: type[Request]
    response_type: type[Response]
    is_async: bool
    surfaces: tuple[str, ...]
    tag: str
    decoder: msgspec.json.Decoder[Any]
    list_fields: frozenset[str]
    path_parameters: tuple[str, ...]
    # Whether it changes nothing, and so answers where nothing may be changed.
    is_read: bool
    # Where the operation takes less than the server's limit.
    max_body_bytes: int | None

    @property
    def summary(self) -> str:
        return (inspect.getdoc(self.handler) or "").partition("\n")[0]

    @property
    def name(self) -> str:
        return getattr(self.handler, "__name__", self.path)


class Routes:
    """The endpoints of one resource, below ``/<surface>/<version>/<api>/``.

    Args:
        api: `mlflow`, the protocol's; `runyard`, our own.
    """

    def __init__(self, tag: str, *, api: str = "mlflow", version: str = "2.0") -> None:
        self.tag = tag
        self._api = api
        self._version = version
        self._endpoints: list[Endpoint] = []

    def __iter__(self) -> Iterator[Endpoint]:
        return iter(self._endpoints)

    def get(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        return self.route(("GET",), path, **options)

    def post(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        return self.route(("POST",), path, **options)

    def patch(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        return self.route(("PATCH",), path, **options)

    def delete(self, path: str, **options: Any) -> Callable[[Handler], Handler]:
        return self.route(("DELETE",), path, **options)

    def route(
        self,
        methods: tuple[str, ...],
        path: str,
        *,
        version: str | None = None,
        surfaces: tuple[str, ...] = SURFACES,
        max_body_bytes: int | None = None,
        reads: bool = False,
    ) -> Callable[[Handler], Handler]:
        """Declare that the decorated function answers ``methods`` on ``/<surface>/<version>/<api>/<path>``.

        Args:
            reads: it changes nothing, which is not plain from its methods; what answers GET never does.
        """

        def register(handler: Handler) -> Handler:
            hints = typing.get_type_hints(handler)
            request_type = hints["request"]
            fields = typing.get_type_hints(request_type)
            self._endpoints.append(
                Endpoint(
                    methods=methods,
                    path=f"/{version or self._version}/{self._api}/{path}",
                    handler=handler,
                    request_type=request_type,
                    response_type=_response_type(hints["return"]),
                    is_async=inspect.iscoroutinefunction(handler),
                    surfaces=surfaces,
                    tag=self.tag,
                    decoder=msgspec.json.Decoder(request_type, strict=False),
                    list_fields=frozenset(name for name, hint in fields.items() if _is_list(hint)),
                    path_parameters=tuple(name for name, _ in _PARAMETER.findall(path)),
                    is_read=reads or "GET" in methods,
                    max_body_bytes=max_body_bytes,
                )
            )
            return handler

        return register


@dataclass(frozen=True, slots=True)
class Match:
    endpoint: Endpoint
    path_parameters: Mapping[str, str]
    # The path as it was declared, with the names of its parameters.
    template: str


@dataclass
class DispatchTable:
    """All endpoints by method and path: exact paths by one dictionary, the few with parameters by patterns."""

    _exact: dict[str, dict[str, Match]] = field(default_factory=dict)
    _patterns: list[tuple[re.Pattern[str], str, dict[str, Endpoint]]] = field(default_factory=list)

    @classmethod
    def of(cls, endpoints: Iterable[Endpoint]) -> DispatchTable:
        table = cls()
        patterns: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            for surface in endpoint.surfaces:
                path = surface + endpoint.path
                if endpoint.path_parameters:
                    by_method = patterns.setdefault(path, {})
                    by_method.update(dict.fromkeys(endpoint.methods, endpoint))
                else:
                    matches = table._exact.setdefault(path, {})
                    matches.update(dict.fromkeys(endpoint.methods, Match(endpoint, {}, path)))
        for path, by_method in patterns.items():
            expression = _PARAMETER.sub(_step, path.replace(".", r"\."))
            table._patterns.append((re.compile(expression), path, by_method))
        return table

    def find(self, method: str, path: str) -> Match | None:
        """Return what answers, or None where the path is not an endpoint's; see `methods` for a wrong method."""
        matches = self._exact.get(path)
        if matches is not None:
            return matches.get(method)
        for pattern, template, by_method in self._patterns:
            found = pattern.fullmatch(path)
            if found is not None and method in by_method:
                return Match(by_method[method], found.groupdict(), template)
        return None

    def template(self, path: str) -> str | None:
        """Return the declared path that ``path`` is one of; None where it is no endpoint's."""
        if path in self._exact:
            return path
        return next((template for pattern, template, _ in self._patterns if pattern.fullmatch(path)), None)

    def methods(self, path: str) -> tuple[str, ...]:
        """Return the methods that ``path`` answers; empty where it is no endpoint's."""
        if path in self._exact:
            return tuple(self._exact[path])
        methods: list[str] = []
        for pattern, _, by_method in self._patterns:
            if pattern.fullmatch(path) is not None:
                methods.extend(by_method)
        return tuple(methods)


def _step(parameter: re.Match[str]) -> str:
    return f"(?P<{parameter[1]}>{'.+' if parameter[2] else '[^/]+'})"


def _response_type(hint: Any) -> type[Response]:
    response_type: type[Response] = typing.get_args(hint)[0] if typing.get_origin(hint) is Encoded else hint
    return response_type


def _is_list(hint: Any) -> bool:
    if typing.get_origin(hint) is typing.Annotated:
        return _is_list(typing.get_args(hint)[0])
    return typing.get_origin(hint) is list or any(_is_list(argument) for argument in typing.get_args(hint))
