"""A folder of artifacts as one zip, made while it is sent: in memory is one block of it, however large the folder."""

from __future__ import annotations

import contextlib
import time
import zipfile
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from runyard.artifacts.store import ArtifactStore, Entry
from runyard.errors import InvalidParameter, NotFound

# No folder of ours is so deep; a link to a folder above it is.
MAX_DEPTH: Final = 100
_REGULAR_FILE: Final = 0o100644


class ArchiveResponse(StreamingResponse):
    """A zip on its way; when the client goes away, what is being read for it is closed at once."""

    def __init__(self, content: AsyncGenerator[bytes, None], headers: dict[str, str]) -> None:
        super().__init__(content, headers=headers, media_type="application/zip")
        self._content = content

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with contextlib.aclosing(self._content):
            await super().__call__(scope, receive, send)


async def open_archive(store: ArtifactStore, folder: str) -> AsyncGenerator[bytes, None]:
    """Return a zip of every file below a folder, by paths relative to it, as it is made.

    The files are stored as they are: most artifacts are compressed already, and the network waits for no processor.

    Raises:
        NotFound: there is no file below ``folder``; this comes before the first byte.
    """
    files = _files_below(store, folder)
    first = await anext(files, None)
    if first is None:
        raise NotFound(f"there are no artifacts below {folder!r}")
    return _archive(store, folder, first, files)


async def _archive(
    store: ArtifactStore, folder: str, first: Entry, others: AsyncIterator[Entry]
) -> AsyncGenerator[bytes, None]:
    cut = len(folder) + 1 if folder else 0
    made_at = time.localtime()[:6]
    outlet = _Outlet()
    # It cannot seek in the outlet, and so writes sizes and checksums behind each file.
    with zipfile.ZipFile(outlet, "w", zipfile.ZIP_STORED) as archive:
        entry: Entry | None = first
        while entry is not None:
            # A name on disk that is no text would be none in the archive either.
            info = zipfile.ZipInfo(entry.path[cut:].encode("utf-8", "replace").decode(), made_at)
            info.external_attr = _REGULAR_FILE << 16
            info.file_size = entry.size_bytes or 0
            with archive.open(info, "w") as member:
                if entry.size_bytes:
                    async with _closing(await store.read(entry.path, 0, entry.size_bytes)) as blocks:
                        async for block in blocks:
                            member.write(block)
                            yield outlet.drain()
            entry = await anext(others, None)
    yield outlet.drain()


async def _files_below(store: ArtifactStore, folder: str) -> AsyncGenerator[Entry, None]:
    """Give the files below a folder, depth first; of folders, only those on the way are in memory."""
    open_folders = [iter(await store.list_folder(folder))]
    while open_folders:
        entry = next(open_folders[-1], None)
        if entry is None:
            open_folders.pop()
        elif not entry.is_dir:
            yield entry
        elif len(open_folders) == MAX_DEPTH:
            raise InvalidParameter(f"{folder!r} has more than {MAX_DEPTH} folders in one another")
        else:
            open_folders.append(iter(await store.list_folder(entry.path)))


@contextlib.asynccontextmanager
async def _closing(blocks: AsyncIterator[bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
    try:
        yield blocks
    finally:
        if isinstance(blocks, AsyncGenerator):
            await blocks.aclose()


class _Outlet:
    """A file that can only be written to; what was written is taken out again and again."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, content: bytes, /) -> int:
        self._parts.append(content)
        return len(content)

    def flush(self) -> None:
        pass

    def close(self) -> None:
        pass

    def drain(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)
