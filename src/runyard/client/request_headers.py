"""Headers that a program has added to every request to its server, such as those that a proxy in between asks for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Final


class RequestHeaderProvider(ABC):
    """Knows headers to add; it is asked before every request, so what it tells may change."""

    @abstractmethod
    def in_context(self) -> bool:
        """Return whether there is anything to add now."""

    @abstractmethod
    def request_headers(self) -> dict[str, str]: ...


class Registry:
    """The providers that are asked; a later one's word counts before an earlier one's."""

    def __init__(self) -> None:
        self._registry: list[RequestHeaderProvider] = []

    def register(self, request_header_provider: Callable[[], RequestHeaderProvider]) -> None:
        self._registry.append(request_header_provider())

    def __iter__(self) -> Iterator[RequestHeaderProvider]:
        return iter(self._registry)


providers: Final = Registry()


def resolve_request_headers() -> dict[str, str]:
    """Return the headers that the providers add to a request that is made now."""
    added: dict[str, str] = {}
    for provider in providers:
        if provider.in_context():
            added.update(provider.request_headers())
    return added
