"""One interface over the places that keep artifacts; `open_store` finds the one that a URI means."""

from __future__ import annotations

import asyncio
import hashlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from runyard.artifacts.uris import local_path
from runyard.errors import Changed, InvalidParameter, NotFound, NotImplementedHere


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
    # In hexadecimal, of the whole file; None where it was written without.
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """How much is below a folder, and when the last of it was written; None where there is nothing."""

    file_count: int
    size_bytes: int
    modified: datetime | None


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """A request that whoever has it may send to the store itself, for a while; its headers must come with it."""

    url: str
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class MultipartUpload:
    """A file that is to be sent in parts, the first of ``parts`` for its first part."""

    upload_id: str
    parts: list[SignedRequest]


@dataclass(frozen=True, slots=True)
class SentPart:
    """A part that the store has; numbers count from 1."""

    number: int
    # What the store answered to it.
    etag: str


class Signer(ABC):
    """Lets others read and write single files of a store for a while, without its credentials.

    Methods that sign raise NotImplementedHere for a file that has to go through the server.
    """

    # Whether it signs every name's GET, and whether it signs uploads in parts.
    signs_reads: bool = True
    signs_parts: bool = False

    async def can_sign(self) -> bool:
        """Whether the server's credentials may sign; asked once in a while, where only the cloud knows."""
        return True

    @abstractmethod
    async def sign_read(self, path: str, lifetime: timedelta) -> SignedRequest:
        """Return a GET of a file, which need not be there."""

    @abstractmethod
    async def sign_write(self, path: str, lifetime: timedelta) -> SignedRequest:
        """Return a PUT of a whole file."""

    async def start_upload(
        self, path: str, part_count: int, lifetime: timedelta, sha256: str | None = None
    ) -> MultipartUpload:
        """Return a PUT for each part of a file, which appears when `finish_upload` is told of them."""
        raise unsigned("Multipart upload")

    async def finish_upload(self, path: str, upload_id: str, parts: list[SentPart], sha256: str | None = None) -> None:
        """Make a file of parts that were sent; raise InvalidParameter where the store does not have them."""
        raise unsigned("Multipart upload")

    async def abort_upload(self, path: str, upload_id: str) -> None:
        """Forget the parts of an upload; one that is not known is no error."""
        raise unsigned("Multipart upload")


class ArtifactStore(ABC):
    """Files below a root, by paths that `uris.check_artifact_path` has passed.

    Methods may be called at once from one event loop. A file appears whole or not at all: a write that is
    interrupted leaves what was there before. Of writes to one path at once, one stays, whole. Memory does not grow
    with the size of a file.
    """

    # Lets clients go to the store itself; None where they cannot.
    signer: Signer | None = None

    @abstractmethod
    async def write(
        self, path: str, chunks: AsyncIterator[bytes], *, size_bytes: int | None = None, sha256: str | None = None
    ) -> None:
        """Store a file; when this returns it survives a crash.

        Args:
            size_bytes: how much will come, where that is known.
            sha256: the digest of what will come, in hexadecimal; it is kept, and `head` tells it.
        Raises:
            InvalidParameter: the path is a folder, or a step of it is a file, or what came has another digest.
            Unavailable: there is no room.
        """

    @abstractmethod
    async def head(self, path: str) -> Metadata:
        """Raise NotFound, which names the path, unless there is such a file."""

    @abstractmethod
    async def read(self, path: str, start: int, end: int, *, etag: str | None = None) -> AsyncIterator[bytes]:
        """Return the bytes from ``start`` to before ``end``.

        Args:
            etag: of the file that is meant, from `head`.
        Raises:
            NotFound: there is no such file.
            Changed: it is another one by now.
        """

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

    async def remove_stale_uploads(self, older_than: timedelta) -> int:
        """Remove what uploads that nothing was added to for so long have left; return how many there were."""
        return 0


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


def unsigned(what: str) -> NotImplementedHere:
    """Return the error of a file that cannot go straight to the store."""
    # Clients look for these words, and send the file whole then.
    return NotImplementedHere(
        f"{what} is not supported for the current artifact repository; send and fetch the file whole through the "
        "server, which has no limit on its size"
    )


async def gathered(chunks: AsyncIterator[bytes], size_bytes: int) -> AsyncIterator[bytes]:
    """Give ``chunks`` put together to blocks of at least that size, but for the last.

    What arrives from a network comes in small pieces, and each costs a visit to another thread.
    """
    blocks: list[bytes] = []
    size = 0
    async for chunk in chunks:
        blocks.append(chunk)
        size += len(chunk)
        if size >= size_bytes:
            yield b"".join(blocks)
            blocks, size = [], 0
    if blocks:
        yield b"".join(blocks)


async def checked(chunks: AsyncIterator[bytes], path: str, sha256: str | None) -> AsyncIterator[bytes]:
    """Give ``chunks``, and at their end raise InvalidParameter if their digest is not ``sha256``."""
    digest = hashlib.sha256()
    async for chunk in chunks:
        if sha256 is not None:
            await asyncio.to_thread(digest.update, chunk)
        yield chunk
    if sha256 is not None and digest.hexdigest() != sha256:
        raise InvalidParameter(
            f"the upload of {path!r} was damaged on its way and is not stored: its SHA-256 is {digest.hexdigest()}, "
            f"and the client's is {sha256}; send it again"
        )


def changed(path: str) -> Changed:
    return Changed(f"artifact {path!r} was written while it was read; read it again")


def artifact_not_found(path: str) -> NotFound:
    return NotFound(f"artifact {path!r} does not exist")
