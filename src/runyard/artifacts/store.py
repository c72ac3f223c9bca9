"""One interface over the places that keep artifacts; `open_store` finds the one that a URI means."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from runyard.artifacts.uris import local_path
from runyard.errors import NotFound


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or a folder; ``path`` is relative to the store's root, ``size_bytes`` None for a folder."""

    path: str
    is_dir: bool
    size_bytes: int | None


@dataclass(frozen=True, slots=True)
class Metadata:
    size_bytes: int
    # As HTTP writes it, with its quotes.
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class Usage:
    """How much is below a folder, and when the last of it was written; None where there is nothing."""

    file_count: int
    size_bytes: int
    modified: datetime | None


class ArtifactStore(ABC):
    """Files below a root, by paths that `uris.check_artifact_path` has passed.

    Methods may be called at once from one event loop. A file appears whole or not at all: a write that is
    interrupted leaves what was there before. Of writes to one path at once, one stays, whole. Memory does not grow
    with the size of a file.
    """

    @abstractmethod
    async def write(self, path: str, chunks: AsyncIterator[bytes]) -> None:
        """Store a file; when this returns it survives a crash.

        Raises:
            InvalidParameter: the path is a folder, or a step of it is a file.
            Unavailable: there is no room.
        """

    @abstractmethod
    async def head(self, path: str) -> Metadata:
        """Raise NotFound, which names the path, unless there is such a file."""

    @abstractmethod
    async def read(self, path: str, start: int, end: int) -> AsyncIterator[bytes]:
        """Return the bytes from ``start`` to before ``end``; raise NotFound where there is no such file."""

    @abstractmethod
    async def list_folder(self, path: str) -> list[Entry]:
        """Return what is directly in a folder, by name; nothing where there is no such folder."""

    @abstractmethod
    async def delete(self, path: str) -> None:
        """Remove a file, or a folder with all that is in it; what is not there is no error."""

    @abstractmethod
    async def usage(self, path: str) -> Usage:
        """Return how much there is below a folder; nothing where there is no such folder."""

    @abstractmethod
    async def ping(self) -> None:
        """Raise Unavailable unless the store can be used."""


def open_store(uri: str) -> ArtifactStore:
    """Return the store whose root is ``uri``.

    Raises:
        ConfigurationError: there is none for that scheme, or its root cannot be used.
    """
    path = local_path(uri)
    if path is not None:
        from runyard.artifacts.local import LocalStore

        return LocalStore(path)
    from runyard.artifacts.objects import ObjectStore

    return ObjectStore(uri)


def artifact_not_found(path: str) -> NotFound:
    return NotFound(f"artifact {path!r} does not exist")
