"""Artifacts in a folder of this machine."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import shutil
import time
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import BinaryIO, Final, ParamSpec, TypeVar

from runyard.artifacts.store import (
    ArtifactStore,
    Entry,
    Metadata,
    Usage,
    artifact_not_found,
    changed,
    checked,
    gathered,
)
from runyard.errors import ConfigurationError, InvalidParameter, Unavailable
from runyard.wire.names import shown

P = ParamSpec("P")
T = TypeVar("T")

# Uploads under way, in the same file system as where they will be; not listed, not served.
UPLOADS_FOLDER: Final = ".runyard-uploads"
CHUNK_BYTES: Final = 1024 * 1024
_DIGEST_ATTRIBUTE: Final = "user.runyard.sha256"
_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


class LocalStore(ArtifactStore):
    """Files in ``root``, which is made when the first is written."""

    def __init__(self, root: Path) -> None:
        if root.exists() and not root.is_dir():
            raise ConfigurationError(f"the artifact folder {str(root)!r} is a file")
        self._root = root.absolute()

    async def write(
        self, path: str, chunks: AsyncIterator[bytes], *, size_bytes: int | None = None, sha256: str | None = None
    ) -> None:
        target = self._locate(path)
        if target == self._root:
            raise InvalidParameter("Missing value for required parameter 'path': name the file to write")
        part = self._root / UPLOADS_FOLDER / uuid.uuid4().hex
        try:
            file = await _in_thread(_create, part)
            try:
                async for block in checked(gathered(chunks, CHUNK_BYTES), path, sha256):
                    await _in_thread(file.write, block)
                await _in_thread(_finish, file, part, target, sha256)
            finally:
                file.close()
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise

    async def head(self, path: str) -> Metadata:
        return await _in_thread(self._head, path)

    async def read(self, path: str, start: int, end: int, *, etag: str | None = None) -> AsyncIterator[bytes]:
        file = await _in_thread(self._open, path, etag)
        return _read(file, start, end)

    async def list_folder(self, path: str) -> list[Entry]:
        return await _in_thread(self._list, path)

    async def delete(self, path: str) -> None:
        target = self._locate(path)
        if target == self._root:
            raise InvalidParameter("Missing value for required parameter 'path': name the file or folder to delete")
        await _in_thread(_remove, target)

    async def usage(self, path: str) -> Usage:
        return await _in_thread(_usage, self._locate(path))

    async def ping(self) -> None:
        await _in_thread(self._check_writable)

    async def remove_stale_uploads(self, older_than: timedelta) -> int:
        return await _in_thread(_remove_older, self._root / UPLOADS_FOLDER, older_than)

    def _locate(self, path: str) -> Path:
        target = self._root / path
        # A link within the folder may not lead out of it.
        if path and not Path(os.path.realpath(target)).is_relative_to(os.path.realpath(self._root)):
            raise InvalidParameter(f"Invalid path {shown(path)}: it leads out of the artifact folder")
        if path.partition("/")[0] == UPLOADS_FOLDER:
            raise InvalidParameter(f"Invalid path {shown(path)}: {UPLOADS_FOLDER!r} is the server's own")
        return target

    def _head(self, path: str) -> Metadata:
        target = self._locate(path)
        try:
            status = target.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise artifact_not_found(path) from None
        if not target.is_file():
            raise artifact_not_found(path)
        modified = datetime.fromtimestamp(status.st_mtime, timezone.utc)
        return Metadata(status.st_size, _etag(status), modified, _noted_digest(target, status))

    def _open(self, path: str, etag: str | None) -> BinaryIO:
        try:
            file = self._locate(path).open("rb", buffering=0)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            raise artifact_not_found(path) from None
        if etag is not None and _etag(os.fstat(file.fileno())) != etag:
            file.close()
            raise changed(path)
        return file

    def _list(self, path: str) -> list[Entry]:
        try:
            with os.scandir(self._locate(path)) as found:
                children = sorted(found, key=lambda child: child.name)
        except (FileNotFoundError, NotADirectoryError):
            return []
        prefix = f"{path}/" if path else ""
        entries = []
        for child in children:
            if not path and child.name == UPLOADS_FOLDER:
                continue
            # Another may delete while this lists.
            with contextlib.suppress(FileNotFoundError):
                is_dir = child.is_dir()
                entries.append(Entry(prefix + child.name, is_dir, None if is_dir else child.stat().st_size))
        return entries

    def _check_writable(self) -> None:
        folder = self._root
        while not folder.exists():
            folder = folder.parent
        if not os.access(folder, os.W_OK | os.X_OK):
            raise Unavailable(f"the artifact folder {str(self._root)!r} cannot be written to")


async def _in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    try:
        return await asyncio.to_thread(function, *args, **kwargs)
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise Unavailable("there is no room left for artifacts; nothing was written") from error
        raise


def _etag(status: os.stat_result) -> str:
    return f'"{status.st_mtime_ns:x}-{status.st_size:x}"'


def _create(part: Path) -> BinaryIO:
    part.parent.mkdir(parents=True, exist_ok=True)
    return part.open("xb", buffering=0)


def _finish(file: BinaryIO, part: Path, target: Path, sha256: str | None) -> None:
    if sha256 is not None:
        _note_digest(file, sha256)
    os.fsync(file.fileno())
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.replace(target)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        raise InvalidParameter(
            f"Invalid path {shown(target.name)}: a folder has that name, or a file has the name of its folder"
        ) from None
    # The name is in the folder, and so the folder must reach the disk too.
    if os.name == "posix":
        descriptor = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _note_digest(file: BinaryIO, sha256: str) -> None:
    # With what shows that the file is still the one it was of. Some file systems have no place for it.
    status = os.fstat(file.fileno())
    with contextlib.suppress(OSError, AttributeError):
        os.setxattr(file.fileno(), _DIGEST_ATTRIBUTE, f"{sha256} {status.st_size} {status.st_mtime_ns}".encode())


def _noted_digest(target: Path, status: os.stat_result) -> str | None:
    try:
        noted = os.getxattr(target, _DIGEST_ATTRIBUTE).decode().split()
    except (OSError, AttributeError, UnicodeDecodeError):
        return None
    is_current = noted[1:] == [str(status.st_size), str(status.st_mtime_ns)]
    return noted[0] if is_current else None


async def _read(file: BinaryIO, start: int, end: int) -> AsyncIterator[bytes]:
    try:
        await _in_thread(file.seek, start)
        left = end - start
        while left > 0:
            block = await _in_thread(file.read, min(left, CHUNK_BYTES))
            if not block:
                break
            left -= len(block)
            yield block
    finally:
        file.close()


def _usage(target: Path) -> Usage:
    file_count = size_bytes = 0
    latest = 0.0
    folders = [str(target)]
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        latest = target.stat().st_mtime
    while folders:
        # Another may delete while this counts; and what may not be read counts for nothing.
        with (
            contextlib.suppress(FileNotFoundError, NotADirectoryError, PermissionError),
            os.scandir(folders.pop()) as found,
        ):
            for child in found:
                with contextlib.suppress(FileNotFoundError):
                    status = child.stat(follow_symlinks=False)
                    latest = max(latest, status.st_mtime)
                    if child.is_dir(follow_symlinks=False):
                        folders.append(child.path)
                    else:
                        file_count += 1
                        size_bytes += status.st_size
    return Usage(file_count, size_bytes, datetime.fromtimestamp(latest, timezone.utc) if latest else None)


def _remove_older(folder: Path, age: timedelta) -> int:
    deadline = time.time() - age.total_seconds()
    removed = 0
    # One that has just been finished is gone from here.
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as found:
        for child in found:
            with contextlib.suppress(FileNotFoundError):
                if child.stat().st_mtime < deadline:
                    Path(child).unlink()
                    removed += 1
    return removed


def _remove(target: Path) -> None:
    if target.is_dir() and not target.is_symlink():
        shutil.rmtree(target, ignore_errors=False)
    else:
        with contextlib.suppress(NotADirectoryError):
            target.unlink(missing_ok=True)
