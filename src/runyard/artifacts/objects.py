"""Artifacts in an object store (S3 and its like, Azure, Google Cloud), with the credentials of the environment."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

import obstore
from obstore.exceptions import BaseError, PermissionDeniedError, PreconditionError, UnauthenticatedError

from runyard.artifacts.clouds import open_bucket
from runyard.artifacts.signing import remove_stale_parts, signer_of
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
from runyard.errors import InvalidParameter, Unavailable
from runyard.settings import StoreSettings, load_store_settings

CHUNK_BYTES: Final = 1024 * 1024
# Of a file, in memory, are as many parts as are sent at once and one that fills.
PART_BYTES: Final = 8 * 1024 * 1024
PARTS_AT_ONCE: Final = 2
# An object store takes 10,000 of them.
MAX_PARTS: Final = 9_000
# The object's own metadata, which each cloud has.
DIGEST_KEY: Final = "sha256"
_STATUS: Final = re.compile(r"status code: (\d{3})")
_CODE: Final = re.compile(r"<Code>(\w+)</Code>")


class ObjectStore(ArtifactStore):
    """Objects below the bucket and prefix that ``uri`` names."""

    def __init__(self, uri: str, settings: StoreSettings | None = None) -> None:
        self.bucket = open_bucket(uri, load_store_settings() if settings is None else settings)
        self._store: Any = self.bucket.store
        self.signer = signer_of(self.bucket)

    async def write(
        self, path: str, chunks: AsyncIterator[bytes], *, size_bytes: int | None = None, sha256: str | None = None
    ) -> None:
        if not path:
            raise InvalidParameter("Missing value for required parameter 'path': name the file to write")
        part_bytes = max(PART_BYTES, (size_bytes or 0) // MAX_PARTS)
        blocks = gathered(checked(chunks, path, sha256), CHUNK_BYTES)
        start, is_whole = await _beginning(blocks, part_bytes)
        attributes = {DIGEST_KEY: sha256} if sha256 is not None else None
        with _translated(path):
            if is_whole:
                await obstore.put_async(self._store, path, b"".join(start), attributes=attributes, use_multipart=False)
                return
            # An iterator that breaks off aborts the upload: nothing of it appears, and nothing stays.
            await obstore.put_async(
                self._store,
                path,
                _chained(start, blocks),
                attributes=attributes,
                use_multipart=True,
                chunk_size=part_bytes,
                max_concurrency=PARTS_AT_ONCE,
            )

    async def head(self, path: str) -> Metadata:
        with _translated(path):
            found = await obstore.get_async(self._store, path, options={"head": True})
        meta = found.meta
        return Metadata(meta["size"], meta["e_tag"] or "", meta["last_modified"], found.attributes.get(DIGEST_KEY))

    async def read(self, path: str, start: int, end: int, *, etag: str | None = None) -> AsyncIterator[bytes]:
        if start == end:
            return _nothing()
        options: dict[str, Any] = {"range": (start, end)}
        if etag is not None:
            options["if_match"] = etag
        with _translated(path):
            try:
                found = await obstore.get_async(self._store, path, options=options)  # type: ignore[arg-type]
            except PreconditionError:
                raise changed(path) from None
        return _read(found, path)

    async def list_folder(self, path: str) -> list[Entry]:
        with _translated(path):
            found = await obstore.list_with_delimiter_async(self._store, f"{path}/" if path else None)
        folders = [Entry(prefix.rstrip("/"), True, None) for prefix in found["common_prefixes"]]
        files = [Entry(item["path"], False, item["size"]) for item in found["objects"] if item["path"] != path]
        return sorted([*folders, *files], key=lambda entry: entry.path)

    async def delete(self, path: str) -> None:
        if not path:
            raise InvalidParameter("Missing value for required parameter 'path': name the file or folder to delete")
        with _translated(path):
            async for page in obstore.list(self._store, f"{path}/"):
                await obstore.delete_async(self._store, [item["path"] for item in page])
            try:
                await obstore.delete_async(self._store, path)
            except FileNotFoundError:
                return

    async def usage(self, path: str) -> Usage:
        file_count = size_bytes = 0
        modified: datetime | None = None
        with _translated(path):
            async for page in obstore.list(self._store, f"{path}/"):
                for item in page:
                    file_count += 1
                    size_bytes += item["size"]
                    modified = item["last_modified"] if modified is None else max(modified, item["last_modified"])
        return Usage(file_count, size_bytes, modified)

    async def ping(self) -> None:
        with _translated(""):
            await obstore.list_with_delimiter_async(self._store, "readiness-check/")

    async def remove_stale_uploads(self, older_than: timedelta) -> int:
        return await remove_stale_parts(self.bucket, older_than)


@contextmanager
def _translated(path: str) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise artifact_not_found(path) from None
    except BaseError as error:
        raise _unavailable(error) from error


def _unavailable(error: BaseError) -> Unavailable:
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    # By the store's own word for it, as its operators search for it; the rest of the text is obstore's.
    reason = code[1] if code is not None else f"status {status[1]}" if status is not None else type(error).__name__
    if isinstance(error, (PermissionDeniedError, UnauthenticatedError)) or (status and status[1] in {"401", "403"}):
        return Unavailable(
            f"the artifact store does not let the server in ({reason}): its credentials are missing, have expired, or "
            "may not do this; `runyard doctor` tells more"
        )
    return Unavailable(f"the artifact store does not answer as it should ({reason}); try again")


async def _beginning(blocks: AsyncIterator[bytes], size_bytes: int) -> tuple[list[bytes], bool]:
    """Return the first blocks, up to a size, and whether there are no more of them."""
    found: list[bytes] = []
    size = 0
    async for block in blocks:
        found.append(block)
        size += len(block)
        if size > size_bytes:
            return found, False
    return found, True


async def _chained(start: list[bytes], blocks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    while start:
        yield start.pop(0)
    async for block in blocks:
        yield block


async def _read(found: Any, path: str) -> AsyncIterator[bytes]:
    with _translated(path):
        async for block in found.stream(min_chunk_size=CHUNK_BYTES):
            yield bytes(block)


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
