"""Files to and from where artifacts are kept: through the server, or straight to the store that their URI names.

Files are streamed, so memory does not grow with their size. A download appears under its name when it is whole.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import logging
import os
import re
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, TypeVar

import urllib3

from runyard.artifacts.store import ArtifactStore, Usage, open_store
from runyard.artifacts.uris import PROXY_SCHEME, check_artifact_path, proxied_path, scheme_of
from runyard.client.direct import Unreachable
from runyard.errors import FileMissing, InvalidParameter, NotImplementedHere, Unavailable
from runyard.wire.artifacts import FileInfo
from runyard.wire.base import Response

if TYPE_CHECKING:
    from runyard.client.http import HttpTransport
    from runyard.client.transport import Transport

T = TypeVar("T")

# Told how many more bytes have been moved; fewer than none where a part has to be sent again.
Progress = Callable[[int], None]

PROXY_PATH: Final = "/api/2.0/mlflow-artifacts/artifacts"
BLOCK_BYTES: Final = 1024 * 1024
# In a row that bring nothing.
DOWNLOAD_TRIES: Final = 5
_DIGEST: Final = re.compile(r"sha-256=:([A-Za-z0-9+/=]*):")
_logger: Final = logging.getLogger(__name__)


class ArtifactFolder(Protocol):
    """Files below a root, by paths relative to it; '' is the root itself."""

    def list(self, path: str) -> list[FileInfo]:
        """Return what is directly below a folder, with paths from the root; nothing where there is no such folder."""
        ...

    def upload(self, source: Path, path: str, progress: Progress) -> None: ...

    def download(self, path: str, target: Path, progress: Progress) -> None:
        """Write the file at ``path`` to ``target``; raise NotFound where there is none."""
        ...


class ProxiedFolder:
    """A folder of the artifacts that a server keeps: through it, or straight to its store where it says how."""

    def __init__(self, transport: HttpTransport, root: str) -> None:
        self._transport = transport
        self._root = root

    def list(self, path: str) -> list[FileInfo]:
        found = self._transport.call("GET", PROXY_PATH, {"path": _join(self._root, path)}, _Listing)
        return [
            FileInfo(path=_join(path, check_artifact_path(file.path)), is_dir=file.is_dir, file_size=file.file_size)
            for file in found.files
        ]

    def upload(self, source: Path, path: str, progress: Progress) -> None:
        with _opened(source) as file:
            size_bytes = os.fstat(file.fileno()).st_size
            sha256 = _sha256(file)
            if self._transport.direct.can_upload(size_bytes):
                with _through_the_server():
                    self._transport.direct.upload(source, size_bytes, sha256, _join(self._root, path), progress)
                    return
            self._transport.upload(self._url_path(path), _Watched(file, progress), size_bytes, sha256)

    def download(self, path: str, target: Path, progress: Progress) -> None:
        with _written_whole(target) as file:
            sha256 = self._download(path, file, progress)
            file.flush()
            _check_digest(Path(file.name), sha256, path)

    def _download(self, path: str, file: IO[bytes], progress: Progress) -> str | None:
        """Fetch a file, and what is missing of it where the connection breaks; return its SHA-256 if that is told."""
        with self._transport.download(self._url_path(path), {}) as answer:
            size_bytes = int(answer.headers.get("Content-Length", "0"))
            if not self._transport.direct.can_download(size_bytes):
                return self._receive(path, answer, file, progress)
        with _through_the_server():
            return self._transport.direct.download(_join(self._root, path), Path(file.name), progress)
        with self._transport.download(self._url_path(path), {}) as answer:
            return self._receive(path, answer, file, progress)

    def _receive(self, path: str, answer: urllib3.BaseHTTPResponse, file: IO[bytes], progress: Progress) -> str | None:
        sha256, etag = _told_digest(answer.headers.get("Repr-Digest", "")), answer.headers.get("ETag")
        tries = 0
        while True:
            reached = file.tell()
            try:
                for block in answer.stream(BLOCK_BYTES):
                    file.write(block)
                    progress(len(block))
                return sha256
            except urllib3.exceptions.HTTPError as error:
                tries = 1 if file.tell() > reached else tries + 1
                if tries >= DOWNLOAD_TRIES or etag is None:
                    raise Unavailable(f"the download of {path!r} from {self._transport.uri} was cut short") from error
            headers = {"Range": f"bytes={file.tell()}-", "If-Range": etag}
            answer = self._transport.download(self._url_path(path), headers)
            if answer.status == 200:
                # It has changed since.
                progress(-file.tell())
                file.seek(0)
                file.truncate()
                sha256, etag = _told_digest(answer.headers.get("Repr-Digest", "")), answer.headers.get("ETag")

    def _url_path(self, path: str) -> str:
        return f"{PROXY_PATH}/{_join(self._root, path)}"


class RemoteFolders:
    """Folders of the artifacts that a server keeps, to be deleted through it."""

    def __init__(self, transport: HttpTransport) -> None:
        self._transport = transport

    async def usage(self, path: str) -> Usage:
        return await asyncio.to_thread(self._usage, path)

    async def delete(self, path: str) -> None:
        await asyncio.to_thread(self._transport.delete, f"{PROXY_PATH}/{path}")

    async def ping(self) -> None:
        await asyncio.to_thread(self._usage, "readiness-check")

    def _usage(self, path: str) -> Usage:
        folder = ProxiedFolder(self._transport, path)
        files = find_files(folder, "")
        # A server does not tell when.
        return Usage(len(files), sum(file.file_size or 0 for file in files), None)


class StoredFolder:
    """A folder of a store that this process reaches itself."""

    def __init__(self, store: ArtifactStore, root: str) -> None:
        self._store = store
        self._root = root

    def list(self, path: str) -> list[FileInfo]:
        cut = len(self._root) + 1 if self._root else 0
        entries = _finished(self._store.list_folder(self._below(path)))
        return [FileInfo(path=entry.path[cut:], is_dir=entry.is_dir, file_size=entry.size_bytes) for entry in entries]

    def upload(self, source: Path, path: str, progress: Progress) -> None:
        with _opened(source) as file:
            size_bytes = os.fstat(file.fileno()).st_size
            blocks = _blocks(_Watched(file, progress))
            _finished(self._store.write(self._below(path), blocks, size_bytes=size_bytes, sha256=_sha256(file)))

    def download(self, path: str, target: Path, progress: Progress) -> None:
        with _written_whole(target) as file:
            sha256 = _finished(self._read(self._below(path), file, progress))
            file.flush()
            _check_digest(Path(file.name), sha256, path)

    def _below(self, path: str) -> str:
        return _join(self._root, check_artifact_path(path))

    async def _read(self, path: str, file: IO[bytes], progress: Progress) -> str | None:
        found = await self._store.head(path)
        async for block in await self._store.read(path, 0, found.size_bytes, etag=found.etag):
            file.write(block)
            progress(len(block))
        return found.sha256


def open_folder(transport: Transport, artifact_uri: str) -> ArtifactFolder:
    """Return the folder at an artifact URI: through the server for `mlflow-artifacts:`, else straight to the store.

    Raises:
        ConfigurationError: no store is known for the URI's scheme.
    """
    if scheme_of(artifact_uri) == PROXY_SCHEME:
        return transport.open_proxied(proxied_path(artifact_uri))
    return StoredFolder(open_store(artifact_uri), "")


def find_files(folder: ArtifactFolder, path: str) -> list[FileInfo]:
    """Return every file below ``path``; where that is a file itself, or nothing, an entry of unknown size for it.

    Raises:
        InvalidParameter: the server named a file whose path leads out of the folder.
    """
    top = folder.list(path)
    if not top and path:
        return [FileInfo(path=path, is_dir=False)]
    found: list[FileInfo] = []
    waiting = top[::-1]
    while waiting:
        entry = waiting.pop()
        if entry.is_dir:
            waiting.extend(folder.list(entry.path)[::-1])
        else:
            found.append(entry)
    for file in found:
        # Paths become local files, and a server is not to choose where.
        check_artifact_path(file.path)
    return found


def download(folder: ArtifactFolder, files: list[FileInfo], target: Path, progress: Progress) -> None:
    """Write ``files`` below the local folder ``target``, each at its path."""
    for file in files:
        folder.download(file.path, target / file.path, progress)


def make_folder(folder: Path) -> None:
    """Make a local folder unless it is there; raise InvalidParameter where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidParameter(f"cannot write {str(folder)!r}: {error.strerror or error}") from error


def files_below(source: Path) -> Iterator[tuple[Path, str]]:
    """Give the files below a local folder with their paths relative to it, as artifacts spell them."""
    for parent, folders, names in os.walk(source):
        folders.sort()
        for name in sorted(names):
            file = Path(parent, name)
            if file.is_file():
                yield file, file.relative_to(source).as_posix()


class _Listing(Response):
    files: list[FileInfo] = []


class _Watched:
    """A file that tells how much of it is read."""

    def __init__(self, file: IO[bytes], progress: Progress) -> None:
        self._file = file
        self._progress = progress

    def read(self, size: int = -1) -> bytes:
        try:
            block = self._file.read(size)
        except OSError as error:
            # As an OSError it would pass for a broken connection, and be tried again.
            raise _unreadable(self._file.name, error) from error
        self._progress(len(block))
        return block

    def tell(self) -> int:
        return self._file.tell()

    def seek(self, position: int) -> int:
        # A retry begins again.
        self._progress(position - self._file.tell())
        return self._file.seek(position)


def _sha256(file: IO[bytes]) -> str:
    """Return the digest of what is in a file, in hexadecimal, and go back to its beginning."""
    digest = hashlib.sha256()
    try:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
    except OSError as error:
        raise _unreadable(file.name, error) from error
    file.seek(0)
    return digest.hexdigest()


def _told_digest(header: str) -> str | None:
    found = _DIGEST.search(header)
    return base64.b64decode(found[1]).hex() if found is not None else None


def _check_digest(part: Path, sha256: str | None, path: str) -> None:
    if sha256 is None:
        return
    with part.open("rb") as file:
        found = _sha256(file)
    if found != sha256:
        raise Unavailable(
            f"{path!r} was damaged on its way, or where it is kept: its SHA-256 is {found}, and {sha256} was stored; "
            "nothing was written; fetch it again"
        )


@contextlib.contextmanager
def _through_the_server() -> Iterator[None]:
    """Leave it to what comes after this to move a file that cannot go straight to the store."""
    try:
        yield
    except (Unreachable, NotImplementedHere) as error:
        _logger.debug("a file goes through the server: %s", error)


def _finished(task: Coroutine[Any, Any, T]) -> T:
    """Return what ``task`` returns. It runs in a thread of its own, for in a notebook's there is a loop already."""
    with ThreadPoolExecutor(1, "runyard-artifacts") as thread:
        return thread.submit(asyncio.run, task).result()


def _opened(source: Path) -> IO[bytes]:
    try:
        return source.open("rb")
    except OSError as error:
        raise _unreadable(str(source), error) from error


def _unreadable(path: str, error: OSError) -> InvalidParameter:
    kind = FileMissing if isinstance(error, FileNotFoundError) else InvalidParameter
    return kind(f"cannot read {path!r}: {error.strerror or error}")


async def _blocks(file: _Watched) -> AsyncIterator[bytes]:
    while block := file.read(BLOCK_BYTES):
        yield block


@contextlib.contextmanager
def _written_whole(target: Path) -> Iterator[IO[bytes]]:
    part = target.with_name(f"{target.name}.part-{os.getpid()}")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as file:
            yield file
        part.replace(target)
    except OSError as error:
        raise InvalidParameter(f"cannot write {str(target)!r}: {error.strerror or error}") from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _join(root: str, path: str) -> str:
    return f"{root}/{path}".strip("/")
