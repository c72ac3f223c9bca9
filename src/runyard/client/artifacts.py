"""Files to and from where artifacts are kept: through the server, or straight to the store that their URI names.

Files are streamed, so memory does not grow with their size. A download appears under its name when it is whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Protocol, TypeVar

import urllib3

from runyard.artifacts.store import ArtifactStore, Usage, open_store
from runyard.artifacts.uris import PROXY_SCHEME, check_artifact_path, proxied_path, scheme_of
from runyard.errors import InvalidParameter, Unavailable
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
    """A folder of the artifacts that a server keeps, reached through it."""

    def __init__(self, transport: HttpTransport, root: str) -> None:
        self._transport = transport
        self._root = root

    def list(self, path: str) -> list[FileInfo]:
        found = self._transport.get_json(PROXY_PATH, {"path": _join(self._root, path)}, _Listing)
        return [
            FileInfo(path=_join(path, check_artifact_path(file.path)), is_dir=file.is_dir, file_size=file.file_size)
            for file in found.files
        ]

    def upload(self, source: Path, path: str, progress: Progress) -> None:
        with _opened(source) as file:
            size_bytes = os.fstat(file.fileno()).st_size
            self._transport.upload(self._url_path(path), _Watched(file, progress), size_bytes)

    def download(self, path: str, target: Path, progress: Progress) -> None:
        with self._transport.download(self._url_path(path)) as answer, _written_whole(target) as file:
            try:
                for block in answer.stream(BLOCK_BYTES):
                    file.write(block)
                    progress(len(block))
            except urllib3.exceptions.HTTPError as error:
                raise Unavailable(f"the download of {path!r} from {self._transport.uri} was cut short") from error

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
            _finished(self._store.write(self._below(path), _blocks(_Watched(file, progress))))

    def download(self, path: str, target: Path, progress: Progress) -> None:
        with _written_whole(target) as file:
            _finished(self._read(self._below(path), file, progress))

    def _below(self, path: str) -> str:
        return _join(self._root, check_artifact_path(path))

    async def _read(self, path: str, file: IO[bytes], progress: Progress) -> None:
        size_bytes = (await self._store.head(path)).size_bytes
        async for block in await self._store.read(path, 0, size_bytes):
            file.write(block)
            progress(len(block))


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
    return InvalidParameter(f"cannot read {path!r}: {error.strerror or error}")


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
